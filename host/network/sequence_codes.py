"""Sequences of real numbers or codes for a recurrent network, and outputs in the same form.

A batch of sequences is an array (batch, steps, inputs), or a list of arrays (steps, inputs) of
different lengths; an array (steps, inputs) is a single one. Real numbers give real numbers, and
int16 are codes and give codes, as everywhere (:mod:`eie.host.network.input_codes`).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.real_arrays import real_array
from eie.hls.boundary.text import shown
from eie.hls.spec.fixed_point import dequantize
from eie.host.network.input_codes import quantize_inputs, saturated_inputs
from eie.host.network.network import Network

__all__ = [
    "GOLDEN_SEQUENCE",
    "SEQUENCE_OUTPUTS",
    "Outputs",
    "SequenceCodes",
    "as_sequences",
    "check_step",
    "golden_sequence_crc",
    "only_last",
    "sequence_codes",
]

#: Of what steps there are outputs.
Outputs = Literal["all", "last"]
#: Key in a network's metadata of what the model itself gives.
SEQUENCE_OUTPUTS = "sequence_outputs"
#: Key in a network's metadata of what the golden inputs give as the steps of one sequence: a CRC-32
#: of the outputs. The golden outputs are those of each by itself.
GOLDEN_SEQUENCE = "golden_sequence_crc"

Form = Literal["array", "list", "single"]


@dataclass(frozen=True, eq=False)
class SequenceCodes:
    """Sequences as a network takes them."""

    #: int16, each of shape (steps, inputs).
    codes: tuple[npt.NDArray[np.int16], ...]
    #: Whether real numbers were given.
    real: bool
    #: Values that 16 bits could not hold; 0 where codes were given.
    saturated: int
    #: As what they were given.
    form: Form

    @property
    def steps(self) -> int:
        """Steps of all sequences together."""
        return sum(map(len, self.codes))

    def answer(
        self, network: Network, outputs: Sequence[npt.NDArray[np.int16]], *, last: bool
    ) -> Any:
        """Give outputs, for each sequence (steps or 1, outputs), in the form of the inputs.

        Returns
        -------
        ndarray or list of ndarray
            Without `last`: shape (batch, steps, outputs); a list of (steps, outputs) for a list; or
            (steps, outputs) for a single sequence. With it: (batch, outputs), or (outputs,).
        """
        found = [dequantize(each, network.output_frac) if self.real else each for each in outputs]
        if last:
            return found[0][0] if self.form == "single" else np.concatenate(found)
        if self.form == "single":
            return found[0]
        return np.stack(found) if self.form == "array" else found


def golden_sequence_crc(outputs: npt.NDArray[np.int16]) -> str:
    """CRC-32 of outputs, int16 of shape (steps, outputs), as text."""
    return f"{zlib.crc32(np.ascontiguousarray(outputs, '<i2').tobytes()):#010x}"


def only_last(network: Network, outputs: Outputs | None) -> bool:
    """Whether sequences give an output for their last step alone: as asked, or as the model does.

    Raises
    ------
    InputError
        If `outputs` is something else.
    """
    wanted = network.metadata.get(SEQUENCE_OUTPUTS, "all") if outputs is None else outputs
    if wanted not in ("all", "last"):
        raise InputError(f"outputs must be 'all' or 'last', not {shown(wanted)}")
    return wanted == "last"


def sequence_codes(
    network: Network, inputs: Any, *, empty: bool = False, name: str = "inputs"
) -> SequenceCodes:
    """Take sequences for `network`, and warn of numbers that are cut off.

    Parameters
    ----------
    network
        A recurrent one.
    inputs
        Shape (batch, steps, inputs), or (steps, inputs) for a single sequence, or a list of arrays
        (steps, inputs). Floats are real numbers, int16 are codes.
    empty
        Whether a sequence may have no steps.
    name
        What they are, for messages.

    Raises
    ------
    InputError
        If they are none of these, or a number is not finite; names every sequence that is wrong.

    Warns
    -----
    SaturationWarning
        If numbers lie beyond what their features hold.
    """
    arrays, form = as_sequences(inputs, network.inputs, empty=empty, name=name)
    kinds = {array.dtype.kind if array.dtype.kind == "f" else array.dtype.name for array in arrays}
    if kinds == {"int16"}:
        return SequenceCodes(tuple(map(np.ascontiguousarray, arrays)), False, 0, form)
    if kinds != {"f"}:
        raise InputError(
            f"{name} must be real numbers or int16 codes, not {', '.join(sorted(kinds))}: for "
            "numbers, astype(numpy.float32)"
        )
    together = np.concatenate(arrays)
    codes = quantize_inputs(network, together, name=name)
    lost = int(saturated_inputs(network, together, codes).sum())
    split = np.split(codes, np.cumsum([len(array) for array in arrays])[:-1])
    return SequenceCodes(tuple(split), True, lost, form)


def as_sequences(
    inputs: Any, features: int, *, empty: bool = False, name: str = "inputs"
) -> tuple[list[npt.NDArray[Any]], Form]:
    """Give sequences as arrays (steps, features), and the form in which they came.

    Parameters
    ----------
    inputs, empty, name
        As for :func:`sequence_codes`.
    features
        Inputs of a step.

    Raises
    ------
    InputError
        As :func:`sequence_codes`.
    """
    arrays, form = _arrays(inputs, name)
    problems = Problems(name)
    problems.require(len(arrays) > 0, "must have at least one sequence")
    for number, array in enumerate(arrays):
        which = "sequence" if form == "single" else f"sequence {number}"
        if not problems.require(
            array.ndim == 2 and array.shape[1] == features,
            f"{which} must have shape (steps, {features}), not {array.shape}",
        ):
            continue
        problems.require(
            empty or len(array) > 0,
            f"{which} must have at least one step, not 0",
        )
        _require_finite(array, which, problems)
    problems.raise_as(
        InputError,
        f"sequences are an array (batch, steps, {features}), a list of arrays (steps, {features}), "
        f"or one of them by itself",
    )
    return arrays, form


def check_step(network: Network, vector: Any, step: int) -> tuple[npt.NDArray[np.int16], bool]:
    """Give the codes of one step, int16 (inputs,), and whether real numbers were given.

    Raises
    ------
    InputError
        If it has another shape or type, or a number is not finite; says which step.
    """
    name = f"step {step}"
    array = real_array(vector, name)
    if array.shape != (network.inputs,):
        raise InputError(f"{name} must have shape ({network.inputs},), not {array.shape}")
    found = sequence_codes(network, array[np.newaxis], name=name)
    return found.codes[0][0], found.real


def _arrays(inputs: Any, name: str) -> tuple[list[npt.NDArray[Any]], Form]:
    if not isinstance(inputs, (list, tuple)):
        array = real_array(inputs, name)
        return ([array], "single") if array.ndim == 2 else (list(array), "array")
    arrays = [real_array(each, f"{name}[{place}]") for place, each in enumerate(inputs)]
    if arrays and all(array.ndim == 1 for array in arrays):
        return [real_array(inputs, name)], "single"
    return arrays, "list"


def _require_finite(array: npt.NDArray[Any], which: str, problems: Problems) -> None:
    if array.dtype.kind != "f":
        return
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        step, feature = map(int, bad[0])
        problems.require(
            False,
            f"{which} must be finite, not {float(array[step, feature])!r} in feature {feature} of "
            f"step {step} ({len(bad)} such values)",
        )
