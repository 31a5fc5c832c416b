"""Sequences of real numbers or codes for a recurrent network, and outputs in the same form.

A batch of sequences is an array (batch, steps, inputs), or a list of arrays (steps, inputs) of
different lengths, or a mapping of such arrays by name, as ``numpy.load`` gives of an ``.npz``; an
array (steps, inputs) is a single one. Real numbers give real numbers, and int16 are codes and give
codes, as everywhere (:mod:`eie.host.network.input_codes`).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.real_arrays import real_array
from eie.hls.boundary.text import counted, listed, shown
from eie.hls.boundary.voice import either
from eie.hls.spec.fixed_point import dequantize
from eie.host.network.input_codes import quantize_inputs, saturated_inputs
from eie.host.network.network import Network

__all__ = [
    "GOLDEN_SEQUENCE",
    "SEQUENCE_OUTPUTS",
    "Outputs",
    "SequenceCodes",
    "Sequences",
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
#: Problems of sequences that are told one by one.
_MOST_NAMED = 8

Form = Literal["array", "list", "mapping", "single"]


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences that are what they must be."""

    #: Each of shape (steps, inputs).
    arrays: tuple[npt.NDArray[Any], ...]
    #: As what they were given.
    form: Form
    #: Of a mapping, in its order; none of the other forms.
    names: tuple[str, ...] = ()

    @property
    def lengths(self) -> list[int]:
        """Steps of each."""
        return [len(each) for each in self.arrays]

    def of_steps(self, values: Any, name: str) -> npt.NDArray[Any]:
        """Give what belongs to each step, one sequence behind the other.

        Parameters
        ----------
        values
            Real numbers in the form of the sequences: (batch, steps, ...), a list of (steps, ...),
            or a mapping of the same names.
        name
            What they are, for messages.

        Raises
        ------
        InputError
            If there are others than for each step.
        """
        if isinstance(values, Mapping):
            values = _by_name(values, self.names, name)
        elif self.form == "single":
            values = [values]
        elif not isinstance(values, (list, tuple)):
            values = np.atleast_1d(real_array(values, name))
        each = [real_array(own, f"{name}[{place}]") for place, own in enumerate(values)]
        sizes = [len(own) if own.ndim else 0 for own in each]
        if sizes != self.lengths:
            given = f"{listed(sizes)} steps"
            if not any(own.ndim for own in each):
                given = f"{counted(len(each), 'number')}, as for each sequence"
            raise InputError(
                f"{name} must be given for each step of {counted(len(self.arrays), 'sequence')}, "
                f"of {listed(self.lengths)} steps, not for {given}"
            )
        return np.concatenate(each)


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
    #: Of a mapping, in its order.
    names: tuple[str, ...] = ()

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
        ndarray, or list or dict of ndarray
            Without `last`: shape (batch, steps, outputs); a list of (steps, outputs) for a list, by
            name for a mapping; or (steps, outputs) for a single sequence. With it:
            (batch, outputs), or (outputs,).
        """
        found = [dequantize(each, network.output_frac) if self.real else each for each in outputs]
        return self.shaped(found, last=last)

    def shaped(self, found: Sequence[npt.NDArray[Any]], *, last: bool = False) -> Any:
        """Give what each sequence gave, (steps or 1, values), in the form of the inputs."""
        if last:
            return found[0][0] if self.form == "single" else np.concatenate(found)
        if self.form == "single":
            return found[0]
        if self.form == "mapping":
            return dict(zip(self.names, found, strict=True))
        return np.stack(found) if self.form == "array" else list(found)


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
        Shape (batch, steps, inputs), or (steps, inputs) for a single sequence, or a list or a
        mapping of arrays (steps, inputs). Floats are real numbers, int16 are codes.
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
    given = as_sequences(inputs, network.inputs, empty=empty, name=name)
    arrays, form, names = given.arrays, given.form, given.names
    kinds = {array.dtype.kind if array.dtype.kind == "f" else array.dtype.name for array in arrays}
    if kinds == {"int16"}:
        return SequenceCodes(tuple(map(np.ascontiguousarray, arrays)), False, 0, form, names)
    if kinds != {"f"}:
        raise InputError(
            f"{name} must be real numbers or int16 codes, not {', '.join(sorted(kinds))}: for "
            "numbers, astype(numpy.float32)"
        )
    together = np.concatenate(arrays)
    codes = quantize_inputs(network, together, name=name)
    lost = int(saturated_inputs(network, together, codes).sum())
    split = np.split(codes, np.cumsum([len(array) for array in arrays])[:-1])
    return SequenceCodes(tuple(split), True, lost, form, names)


def as_sequences(
    inputs: Any, features: int, *, empty: bool = False, name: str = "inputs"
) -> Sequences:
    """Give sequences as arrays (steps, features), with the form in which they came.

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
    each = f"(steps, {features})"
    forms = f"sequences are an array (batch, steps, {features}), " + either(
        f"arrays {each} in a list or by name, or one of them by itself",
        f"one {each} by itself, or of different lengths an .npz with an array {each} for each",
    )
    given = _arrays(inputs, name)
    problems = Problems(name)
    problems.require(len(given.arrays) > 0, "must have at least one sequence")
    if given.form == "array" and len(given.arrays):
        # Said of the whole, not of each.
        shape = (len(given.arrays), *given.arrays[0].shape)
        problems.require(
            len(shape) == 3 and shape[2] == features,
            f"must have shape (batch, steps, {features}), not {shape}",
        )
        problems.raise_as(InputError, forms)
    for number, array in enumerate(given.arrays):
        own = repr(given.names[number]) if given.names else number
        which = "sequence" if given.form == "single" else f"sequence {own}"
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
    if len(problems.found) > _MOST_NAMED:
        more = len(problems.found) - _MOST_NAMED
        problems.found[_MOST_NAMED:] = [f"and {counted(more, 'problem')} more of the same kinds"]
    problems.raise_as(InputError, forms)
    return given


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


def _arrays(inputs: Any, name: str) -> Sequences:
    if isinstance(inputs, Mapping):
        named = {str(key): real_array(each, f"{name}[{key!r}]") for key, each in inputs.items()}
        return Sequences(tuple(named.values()), "mapping", tuple(named))
    if not isinstance(inputs, (list, tuple)):
        array = real_array(inputs, name)
        if array.ndim == 2:
            return Sequences((array,), "single")
        return Sequences(tuple(np.atleast_1d(array)), "array")
    arrays = [real_array(each, f"{name}[{place}]") for place, each in enumerate(inputs)]
    if arrays and all(array.ndim == 1 for array in arrays):
        return Sequences((real_array(inputs, name),), "single")
    return Sequences(tuple(arrays), "list")


def _by_name(values: Mapping[str, Any], names: Sequence[str], name: str) -> list[Any]:
    """Put values into the order of the sequences that they belong to."""
    missing = [each for each in names if each not in values]
    others = [each for each in values if each not in names]
    if missing or others:
        parts = [f"none for {listed(missing)}"] if missing else []
        parts += [f"some for {listed(others)}"] if others else []
        raise InputError(
            f"{name} must have the names of the sequences that they belong to, not "
            f"{' and '.join(parts)}"
        )
    return [values[each] for each in names]


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
