"""Sequences and labels of a recurrent model, checked together before any work is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.real_arrays import real_array
from eie.host.flow.data import Data
from eie.host.flow.labels import check_labels
from eie.host.network.sequence_codes import as_sequences

__all__ = ["SequenceData", "check_sequence_data", "labels_of_outputs"]


@dataclass(frozen=True, eq=False)
class SequenceData(Data):
    """Sequences and labels that agree with a model, and with each other.

    :attr:`samples` are the steps of all sequences, one behind the other.
    """

    #: float64, each of shape (steps, inputs); none without any.
    sequences: tuple[npt.NDArray[np.float64], ...] = ()


def check_sequence_data(
    inputs: Any, labels: Any, *, features: int, outputs: int, last: bool, name: str = "inputs"
) -> SequenceData:
    """Check sequences and labels.

    Parameters
    ----------
    inputs
        Shape (n, steps, features), or a list of (steps, features); None without any.
    labels
        Of each sequence if the model gives the last step alone, else of each step: classes or
        targets; None without any.
    features, outputs
        Of the model, for a step.
    last
        Whether the model gives the last step alone.
    name
        What the inputs are, for messages.

    Raises
    ------
    InputError
        If they are not what they must be.
    """
    if inputs is None:
        return SequenceData()
    arrays, _ = as_sequences(inputs, features, name=name)
    sequences = tuple(array.astype(np.float64) for array in arrays)
    wanted = None
    if labels is not None:
        wanted = labels_of_outputs(labels, [len(each) for each in sequences], outputs, last=last)
    return SequenceData(np.concatenate(sequences), wanted, sequences)


def labels_of_outputs(
    labels: Any, lengths: Sequence[int], outputs: int, *, last: bool, name: str = "labels"
) -> npt.NDArray[Any]:
    """Give the labels of all outputs, one sequence behind the other, checked.

    Parameters
    ----------
    labels
        Of each sequence with `last`: (n,) classes or (n, outputs) targets. Else of each step: an
        array (n, steps) or (n, steps, outputs), or a list of those of each sequence.
    lengths
        Steps of each sequence.
    outputs
        Of a step.
    last
        Whether there is one output for each sequence.
    name
        What the labels are, for messages.
    """
    if last:
        return check_labels(labels, len(lengths), outputs, name=name)
    each = [real_array(own, f"{name}[{place}]") for place, own in enumerate(labels)]
    sizes = [len(own) if own.ndim else 0 for own in each]
    if sizes != list(lengths):
        raise InputError(
            f"{name} must be one for each step of each sequence, since the model gives an output "
            f"for each: of {list(lengths)[:5]} steps, not {sizes[:5]}"
        )
    return check_labels(np.concatenate(each), sum(lengths), outputs, name=name)
