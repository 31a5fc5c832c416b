"""What the kernel counts during a run, as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

__all__ = ["Counters"]


@dataclass(frozen=True, eq=False)
class Counters:
    """What the kernel counts during a run."""

    #: From the run's header to its last output.
    cycles: int
    #: int64, shape (pes,): cycles with an entry.
    busy: npt.NDArray[np.int64]
    #: int64, shape (pes,): cycles of the run without an entry, before the last one.
    starved: npt.NDArray[np.int64]
    #: int64, shape (pes,): activations that found the PE's queue full, and held the broadcast up.
    full: npt.NDArray[np.int64]
    #: The run's cycles shared out among its layers: each has those from its first activation word,
    #: in any of the vectors, to the next first word of any layer, or to the last output. Layers of
    #: several vectors are under way at once, so it is a share, not how long one takes. Not counted
    #: by the kernel; empty when read from one.
    layer_cycles: tuple[int, ...] = ()

    def same_as(self, other: Counters) -> bool:
        """Whether everything that the kernel counts is equal."""
        return (
            self.cycles == other.cycles
            and np.array_equal(self.busy, other.busy)
            and np.array_equal(self.starved, other.starved)
            and np.array_equal(self.full, other.full)
        )

    def reported(self, *, by_pes: bool) -> Counters:
        """Give what a kernel reports of them: zeros for its PEs, unless they count."""
        if by_pes:
            return self
        zeros = np.zeros_like(self.busy)
        return replace(self, busy=zeros, starved=zeros, full=zeros)

    @classmethod
    def total(cls, parts: Sequence[Counters]) -> Counters:
        """Sum up the counters of runs one after another."""
        return cls(
            cycles=sum(part.cycles for part in parts),
            busy=np.sum([part.busy for part in parts], axis=0),
            starved=np.sum([part.starved for part in parts], axis=0),
            full=np.sum([part.full for part in parts], axis=0),
            layer_cycles=tuple(
                sum(cycles) for cycles in zip(*(part.layer_cycles for part in parts), strict=True)
            ),
        )

    @classmethod
    def of_passes(cls, parts: Sequence[Counters]) -> Counters:
        """Sum up the counters of passes, which have layers of their own."""
        return replace(
            cls.total([replace(part, layer_cycles=()) for part in parts]),
            layer_cycles=tuple(cycles for part in parts for cycles in part.layer_cycles),
        )
