"""Test vectors of a package, or sequences of a recurrent network: files, and what they are."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.npy import parse_array, parse_header
from eie.host.deploy.layout import INPUTS, LABELS, LENGTHS, OUTPUTS, PackageFacts

__all__ = ["Vectors"]

Codes = npt.NDArray[np.int16]
#: Steps of a sequence that cycles are counted of.
_COUNTED_STEPS = 16


@dataclass(frozen=True, eq=False)
class Vectors:
    """Inputs, what they must give, and classes.

    Attributes
    ----------
    inputs, outputs
        int16 codes, shapes (vectors, inputs) and (vectors, outputs). Of sequences those of every
        step, one sequence behind the other.
    labels
        int64: classes of the vectors; of sequences one for each step, or one for each sequence,
        which is that of its last step. None if they are not known.
    lengths
        int64: steps of each sequence, at least 1; None of vectors.
    """

    inputs: Codes
    outputs: Codes
    labels: npt.NDArray[np.int64] | None = None
    lengths: npt.NDArray[np.int64] | None = None

    @property
    def given(self) -> Any:
        """What the accelerator takes: codes, or a list of the sequences."""
        if self.lengths is None:
            return self.inputs
        return np.split(self.inputs, np.cumsum(self.lengths)[:-1])

    @property
    def some(self) -> Any:
        """The first vector, or the first steps of the longest sequence, to count cycles of."""
        if self.lengths is None:
            return self.inputs[:1]
        return [max(self.given, key=len)[:_COUNTED_STEPS]]

    def together(self, outputs: Any) -> Codes:
        """Give what the accelerator gives for :attr:`given`, of all steps, as :attr:`outputs`."""
        found: Codes = outputs if self.lengths is None else np.concatenate(outputs)
        return found

    def right(self, outputs: Codes) -> int:
        """Count the classes that outputs name rightly; there must be labels."""
        assert self.labels is not None
        judged = outputs
        if self.lengths is not None and len(self.labels) == len(self.lengths):
            judged = outputs[np.cumsum(self.lengths) - 1]
        return int(np.count_nonzero(judged.argmax(axis=1) == self.labels))

    def place_of(self, row: int) -> str:
        """Say which vector, or which step of which sequence, a row of the outputs is of."""
        if self.lengths is None:
            return f"vector {row}"
        ends = np.cumsum(self.lengths)
        sequence = int(np.searchsorted(ends, row, "right"))
        return f"step {row - int(ends[sequence] - self.lengths[sequence])} of sequence {sequence}"

    def files(self) -> dict[str, bytes]:
        """Files by path in the package."""
        arrays = {
            INPUTS: self.inputs,
            OUTPUTS: self.outputs,
            LABELS: self.labels,
            LENGTHS: self.lengths,
        }
        return {path: _npy(array) for path, array in arrays.items() if array is not None}

    @classmethod
    def read(cls, folder: Path, facts: PackageFacts) -> Vectors:
        """Read those of an unpacked package.

        Raises
        ------
        InputError
            If a file is missing, or is not what it must be.
        """
        inputs = _read_array(folder / INPUTS, np.dtype(np.int16))
        outputs = _read_array(folder / OUTPUTS, np.dtype(np.int16))
        labels = _read_array(folder / LABELS, np.dtype(np.int64)) if facts.labelled else None
        lengths = _read_array(folder / LENGTHS, np.dtype(np.int64)) if facts.sequences else None
        found = {len(inputs), len(outputs)}
        if lengths is not None:
            if lengths.shape != (facts.sequences,) or (lengths < 1).any():
                raise InputError(
                    f"{LENGTHS} must be the steps of {facts.sequences} sequences, not "
                    f"{lengths[:5].tolist()}"
                )
            found.add(int(lengths.sum()))
        if labels is not None and len(labels) != facts.sequences:
            found.add(len(labels))
        if found != {facts.vectors}:
            raise InputError(f"there must be {facts.vectors} vectors of each kind, not {found}")
        return cls(inputs, outputs, labels, lengths)


def _read_array(path: Path, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path.name}: {error.strerror}") from error
    array = parse_array(parse_header(data), data)
    if array.dtype != dtype:
        raise InputError(f"{path.name} must be of {dtype}, not {array.dtype}")
    return array


def _npy(array: npt.NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()
