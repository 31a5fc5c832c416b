"""Time in the PEs: column fetch and multiply-accumulate (``templates/kernel``).

The multiplier is one loop for a whole run, which does two things side by side: it accumulates a
layer in one bank of accumulators, an entry an iteration, and writes the layer before it back from
the other, a row an iteration. It polls for work, so an iteration takes a cycle whether there is
work or not; only a row that finds no room among the PE's results makes it wait. Times of a PE are
therefore kept in *iterations*, and :class:`_Clock` turns them into cycles.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from eie.hls.model.fifo_times import StreamArray, Times
from eie.hls.model.gather_times import Gather
from eie.hls.spec.design import Design

__all__ = ["Pes"]


class _Clock:
    """Cycles of the iterations of every PE's multiplier.

    One iteration a cycle, but for those that write a row and wait for room: their cycles are kept
    for the layer that is written back, and how far they held the later ones up.
    """

    def __init__(self, pes: int) -> None:
        self._every = np.arange(pes)
        # Cycles less iterations: before the rows of the layer last written back, and behind them.
        self._before: Times = np.zeros(pes, np.int64)
        self._after = self._before
        self._base: Times = np.zeros(pes, np.int64)
        self._rows: npt.NDArray[np.int64] = np.zeros((0, pes), np.int64)
        self._held_up = False

    def open(self, base: Times) -> Times:
        """Start on the rows of a layer, the first in iterations `base`; returns their cycles."""
        self._before = self._after
        self._base = base
        return base + self._before

    def close(self, rows: list[Times]) -> None:
        """All rows are out; `rows` has their cycles."""
        started = [self._base + self._before, *(row + 1 for row in rows)]
        self._rows = np.stack(started[:-1])
        self._after = started[-1] - (self._base + len(rows))
        self._held_up = bool((self._after != self._before).any())

    def cycles(self, iterations: Times, where: npt.NDArray[np.intp] | None = None) -> Times:
        """Cycles of `iterations`, of every PE or of those of the indices `where`."""
        pes = self._every if where is None else where
        found: Times = iterations + self._after[pes]
        if not self._held_up:
            return found
        row = iterations - self._base[pes]
        inside = self._rows[np.clip(row, 0, len(self._rows) - 1), pes]
        late = np.where(row >= len(self._rows), found, inside)
        return np.where(row < 0, iterations + self._before[pes], late)

    def iterations(self, cycles: Times, where: npt.NDArray[np.intp] | None = None) -> Times:
        """First iterations in `cycles` or later."""
        pes = self._every if where is None else where
        found: Times = cycles - self._after[pes]
        if not self._held_up:
            return found
        over = (self._rows[:, pes] < cycles).sum(axis=0)
        early = np.minimum(cycles - self._before[pes], self._base[pes])
        # The last row may be held up: what comes meanwhile is for the iteration behind it.
        late = np.where(
            over == len(self._rows),
            np.maximum(found, self._base[pes] + over),
            self._base[pes] + over,
        )
        return np.where(over == 0, early, late)


class Pes:
    """Column fetch and multiplier of every PE."""

    def __init__(self, design: Design) -> None:
        pes = design.pes
        self._write_latency = design.write_latency
        #: Cycle in which each fetch reads its next token, or has just read one.
        self.fetch: Times = np.zeros(pes, np.int64)
        self._work = StreamArray(pes, design.queue_depth)
        self._clock = _Clock(pes)
        # First iterations in which the next token may be taken off the stream into its register, a
        # column may begin, and the last column of a layer may.
        self._poll: Times = np.zeros(pes, np.int64)
        self._free, self._last_free = self._poll.copy(), self._poll.copy()
        # Iteration in which the latest layer ended.
        self._ended: Times = self._poll
        self.busy: Times = np.zeros(pes, np.int64)
        self.starved: Times = np.zeros(pes, np.int64)

    def begin_run(self) -> None:
        """The run's begin, which the multiplier waits for; its loop starts behind it."""
        self.fetch = self._work.write(self.fetch) + 1
        self._poll = self._work.read(self._poll) + 1
        self._free, self._last_free = self._poll.copy(), self._poll.copy()

    def take_activation(self, lengths: npt.NDArray[np.int64]) -> None:
        """An activation meets a column of `lengths` entries, one number for each PE."""
        met = np.flatnonzero(lengths)
        if len(met):
            self.fetch[met] = self._work.write(self.fetch[met], met)
            begin = np.maximum(self._read(met) + 1, self._free[met])
            self.starved[met] += begin - self._free[met]
            self.busy[met] += lengths[met]
            self._poll[met] = begin
            self._free[met] = begin + lengths[met]
        self.fetch += 1

    def end_layer(self, lengths: npt.NDArray[np.int64], *, accumulates: bool = False) -> None:
        """The layer's last activation, or an end without one: then `lengths` is zero everywhere.

        The sums of a layer that accumulates stay in their bank, and it waits for no other.
        """
        self.fetch = self._work.write(self.fetch) + 1
        begin = np.maximum(self._read() + 1, self._free)
        if not accumulates:
            begin = np.maximum(begin, self._last_free)
        met = lengths != 0
        self.starved[met] += (begin - self._free)[met]
        self.busy += lengths
        self._poll = begin
        self._free = np.where(met, begin + lengths, self._free)
        if not accumulates:
            self._ended = begin + np.maximum(lengths, 1) - 1

    def end_run(self) -> None:
        """The run's end: until it is there, a PE that does nothing lacks work."""
        self.fetch = self._work.write(self.fetch) + 1
        self.starved += np.maximum(self._read() + 1 - self._free, 0)

    def write_back(self, rows: int, gather: Gather) -> Iterator[None]:
        """Every PE sends its results of the layer that ended, of one row after the other.

        What `gather` completes by a row must be read from it before the next.
        """
        times = self._clock.open(self._ended + 1 + self._write_latency)
        done = []
        for _ in range(rows):
            done.append(gather.take(times))
            times = done[-1] + 1
            yield
        self._clock.close(done)
        # Behind the last row its zeros are on their way: the bank is not free before.
        self._last_free = self._ended + 2 * self._write_latency + rows

    def _read(self, where: npt.NDArray[np.intp] | None = None) -> Times:
        """Take the next token off the stream; returns in which iterations."""
        poll = self._poll if where is None else self._poll[where]
        readable = self._clock.iterations(self._work.readable(where), where)
        iterations = np.maximum(poll, readable)
        self._work.read(self._clock.cycles(iterations, where), where)
        return iterations
