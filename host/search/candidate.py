"""A design that was looked at for a network: what it lacks, or how fast it is."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from eie.hls.boundary.errors import Shortage
from eie.hls.spec.design import Design
from eie.host.search.judge import Merit
from eie.host.search.prediction import batch_vectors

__all__ = ["Candidate"]


@dataclass(frozen=True)
class Candidate:
    """A design that was looked at."""

    design: Design
    #: Predicted cycles for one vector, at least; None where the design does not fit the board.
    cycles: int | None
    #: What board or design have too little of.
    shortages: tuple[Shortage, ...]
    #: Predicted cycles of a batch of :func:`~eie.host.search.prediction.batch_vectors` vectors;
    #: None where they were not needed.
    batch_cycles: int | None = None
    #: Whether figures in `shortages` are what the network takes at least, spread evenly: it was too
    #: much already, so that nobody looked how evenly it is spread.
    at_least: bool = False
    #: Cycles that pipeline stages add to a vector alone: assumed, not measured.
    allowance: int = 0

    @property
    def latency_us(self) -> float | None:
        """Predicted time of one vector in microseconds, with the allowance for pipeline stages."""
        if self.cycles is None:
            return None
        return (self.cycles + self.allowance) / self.design.clock_mhz

    @property
    def batch_us(self) -> float | None:
        """Predicted time of a vector in a batch in microseconds, at least."""
        if self.batch_cycles is None:
            return None
        return self.batch_cycles / batch_vectors(self.design) / self.design.clock_mhz

    @functools.cached_property
    def merit(self) -> Merit:
        """What it is judged by; of a design that fits."""
        assert self.latency_us is not None, "a design that does not fit has no merit"
        return Merit.of(self.design, self.latency_us, self.batch_us)
