"""Whose vectors a run takes: the lane of each, whether it starts a sequence, what it gives.

A run without tags deals its vectors to the lanes in turn, and each stands for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.spec.packets import TAG

__all__ = ["RunTags"]


@dataclass(frozen=True, eq=False)
class RunTags:
    """A tag for each vector of a run, in order.

    Attributes
    ----------
    lanes
        Integers, shape (vectors,): the lane of the vector's sequence. Vectors of a lane are the
        steps of its sequence, in order.
    starts
        bool, shape (vectors,): whether a vector is the first of its sequence, so that the state is
        zero; otherwise it continues from what the lane's vector before left.
    outputs
        bool, shape (vectors,): whether a vector gives an output.

    Raises
    ------
    InputError
        If one of them has another type or length.
    """

    lanes: npt.NDArray[np.integer[Any]]
    starts: npt.NDArray[np.bool_]
    outputs: npt.NDArray[np.bool_]

    @classmethod
    def of_sequence(cls, steps: int, *, start: bool) -> RunTags:
        """Tag steps of one sequence in lane 0, of which the first starts it or goes on."""
        starts = np.zeros(steps, np.bool_)
        starts[:1] = start
        return cls(np.zeros(steps, np.int64), starts, np.ones(steps, np.bool_))

    def __post_init__(self) -> None:
        problems = Problems("tags of a run")
        for name, kinds, what in (
            ("lanes", "iu", "integers"),
            ("starts", "b", "bool"),
            ("outputs", "b", "bool"),
        ):
            array = getattr(self, name)
            problems.require(
                isinstance(array, np.ndarray) and array.ndim == 1 and array.dtype.kind in kinds,
                f"{name} must be a one-dimensional array of {what}",
            )
        problems.raise_as(InputError)
        problems.require(
            len(self.lanes) == len(self.starts) == len(self.outputs),
            f"must be as many lanes, starts and outputs, not {len(self.lanes)}, "
            f"{len(self.starts)} and {len(self.outputs)}",
        )
        problems.raise_as(InputError)

    def __len__(self) -> int:
        return len(self.lanes)

    @property
    def given(self) -> int:
        """How many of the vectors give an output."""
        return int(np.count_nonzero(self.outputs))

    def beats(self) -> npt.NDArray[np.uint64]:
        """uint64, shape (vectors,): the TAG record of each."""
        fields = {"lane": self.lanes, "start": self.starts, "output": self.outputs}
        beats = np.zeros(len(self), np.uint64)
        for name, values in fields.items():
            beats |= values.astype(np.uint64) << np.uint64(8 * TAG.offset_of(name))
        return beats

    def check(self, vectors: int, lanes: int) -> None:
        """Refuse them for a run of `vectors` vectors on `lanes` lanes.

        Raises
        ------
        InputError
            If there are others, or a lane is not there.
        """
        problems = Problems("tags of a run")
        problems.require(
            len(self) == vectors, f"must be {vectors}, one for each vector, not {len(self)}"
        )
        most = max(1, lanes) - 1
        bad = np.flatnonzero((self.lanes < 0) | (self.lanes > most))
        if len(bad):
            problems.require(
                False,
                f"lanes must be 0 to {most}, not {int(self.lanes[bad[0]])} at vector {int(bad[0])}",
            )
        problems.raise_as(InputError)
