"""Sequences and labels of a recurrent model, checked together before any work is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.host.flow.data import Data, ModelSizes, check_data, refuse_all
from eie.host.flow.labels import check_labels
from eie.host.network.sequence_codes import Sequences, as_sequences

__all__ = ["SequenceData", "check_model_data", "labels_of_outputs"]


@dataclass(frozen=True, eq=False)
class SequenceData(Data):
    """Sequences and labels that agree with a model, and with each other.

    :attr:`samples` are the steps of all sequences, one behind the other.
    """

    #: float64, each of shape (steps, inputs); none without any.
    sequences: tuple[npt.NDArray[np.float64], ...] = ()

    @property
    def calibration(self) -> Any:
        """What compressing takes: the sequences; None without any."""
        return list(self.sequences) or None


def check_model_data(
    inputs: Any,
    labels: Any,
    sizes: ModelSizes,
    *,
    name: str = "inputs",
    labels_name: str = "labels",
    problems: Sequence[str] = (),
) -> Data:
    """Check inputs and labels of a model, recurrent or not, all of it at once.

    Parameters
    ----------
    inputs
        As for :func:`~eie.host.flow.data.check_data`; of a recurrent model sequences, as
        :func:`~eie.host.network.sequence_codes.as_sequences` takes them. None without any.
    labels
        Of each sequence if the model gives the last step alone, else of each step: classes or
        targets; None without any.
    sizes
        Of the model.
    name, labels_name, problems
        As for :func:`~eie.host.flow.data.check_data`.

    Raises
    ------
    InputError
        If anything is not what it must be; names all of it.
    """
    if sizes.last is not None:
        return _check_sequences(inputs, labels, sizes, name, labels_name, list(problems))
    apart = "must be one array, not several, which are sequences: for recurrent models alone"
    found = list(problems)
    for each, what in ((inputs, name), (labels, labels_name)):
        if isinstance(each, Mapping):
            found.append(f"{what} {apart}")
    if len(found) > len(problems):
        refuse_all(found)
    return check_data(inputs, labels, sizes, name=name, labels_name=labels_name, problems=found)


def _check_sequences(
    inputs: Any, labels: Any, sizes: ModelSizes, name: str, labels_name: str, found: list[str]
) -> SequenceData:
    assert sizes.last is not None
    (features,) = sizes.input_shape
    given = wanted = None
    if inputs is not None:
        try:
            given = as_sequences(inputs, features, name=name)
        except InputError as error:
            if not found:
                raise
            found += [f"{name}: {problem}" for problem in error.problems] or [str(error)]
    elif labels is not None:
        found.append(f"{labels_name} must be given with {name}, the inputs that they belong to")
    if given is not None and labels is not None:
        try:
            wanted = labels_of_outputs(
                labels, given, sizes.outputs, last=sizes.last, name=labels_name
            )
        except InputError as error:
            found.append(str(error))
    refuse_all(found)
    if given is None:
        return SequenceData()
    sequences = tuple(array.astype(np.float64) for array in given.arrays)
    return SequenceData(np.concatenate(sequences), wanted, sequences)


def labels_of_outputs(
    labels: Any, given: Sequences, outputs: int, *, last: bool, name: str = "labels"
) -> npt.NDArray[Any]:
    """Give the labels of all outputs, one sequence behind the other, checked.

    Parameters
    ----------
    labels
        Of each sequence with `last`: (n,) classes or (n, outputs) targets. Else of each step: an
        array (n, steps) or (n, steps, outputs), or a list of those of each sequence, or by its
        name.
    given
        The sequences.
    outputs
        Of a step.
    last
        Whether there is one output for each sequence.
    name
        What the labels are, for messages.

    Raises
    ------
    InputError
        If they are something else, or not those of these sequences.
    """
    if not last:
        flat = given.of_steps(labels, name)
        return check_labels(flat, sum(given.lengths), outputs, name=name)
    if isinstance(labels, Mapping):
        raise InputError(
            f"{name} must be one array, with a label for each sequence in their order, not several "
            "by name: the model gives the last step alone"
        )
    return check_labels(labels, len(given.arrays), outputs, name=name)
