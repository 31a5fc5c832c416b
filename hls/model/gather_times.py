"""Time on the way back: from the PEs' results to one stream of words in order of rows.

The trees of ``templates/kernel/gather.h`` and ``merge.h``, in the time of
:mod:`eie.hls.model.fifo_times`.
"""

from __future__ import annotations

import numpy as np

from eie.hls.model.fifo_times import Stream, StreamArray, Times
from eie.hls.spec.dataflow import DEPTHS, RADIX

__all__ = ["Gather"]

_STREAM_DEPTH = DEPTHS["stream"].elements


class Gather:
    """The tree from the PEs' results to one stream of words in order of rows."""

    def __init__(self, pes: int, result_depth: int) -> None:
        self._levels = []
        count = pes
        for depth in (result_depth, _STREAM_DEPTH):
            self._levels.append(_GatherLevel(count, depth))
            count = max(1, count // RADIX)
        self._words = StreamArray(count, _STREAM_DEPTH)
        self._merge = _Merge(count)
        self._words_ready = 0

    def take(self, times: Times) -> Times:
        """Take a result from every PE at `times`; returns when each was written."""
        first, second = self._levels
        written = first.streams.write(times)
        beats = first.step()
        if beats is not None:
            first.finish(second.streams.write(beats))
            words = second.step()
            if words is not None:
                second.finish(self._words.write(words))
                self._words_ready = len(words)
        return written

    def words_ready(self) -> int:
        """Words completed by the last :meth:`take`; all of them must be read before the next."""
        ready, self._words_ready = self._words_ready, 0
        return ready

    def read_word(self, time: int) -> int:
        """Read the next word in cycle `time` or as soon as it is there; returns when."""
        return self._merge.read(self._words, time)


class _GatherLevel:
    """Nodes that make one element of four: of four sources at once, or of fewer in rounds."""

    def __init__(self, sources: int, depth: int) -> None:
        self.streams = StreamArray(sources, depth)
        self._group = min(sources, RADIX)
        self._rounds = RADIX // self._group
        self._round = 0
        self._times: Times = np.zeros(sources // self._group, np.int64)

    def step(self) -> Times | None:
        """One iteration of every node; when it completes an element, the times of its writing."""
        sources = np.arange(len(self._times)) * self._group
        times = self._times
        # A node reads its sources one after another within one iteration.
        for source in range(self._group):
            times = self.streams.read(times, sources + source)
        self._round = (self._round + 1) % self._rounds
        if self._round == 0:
            self._times = times
            return times
        self._times = times + 1
        return None

    def finish(self, written: Times) -> None:
        """The element got out at `written`, which ends the iteration."""
        self._times = written + 1


class _Merge:
    """Nodes that put words of several streams one after another; a tree for more than four."""

    def __init__(self, words: int) -> None:
        self._count = words
        inner = words // RADIX if words > RADIX else 0
        self._inner_times = [0] * inner
        self._inner = [Stream(_STREAM_DEPTH) for _ in range(inner)]
        self._root_time = 0
        self._root = Stream(_STREAM_DEPTH)
        self._next = 0

    def read(self, words: StreamArray, time: int) -> int:
        """Read the next word of `words` in order, through the tree; returns when."""
        word = self._next
        self._next = (word + 1) % self._count
        if self._count == 1:
            return self._take(words, word, time)
        if self._inner:
            node = word // RADIX
            taken = self._take(words, word, self._inner_times[node])
            self._inner_times[node] = self._inner[node].write(taken) + 1
            taken = self._inner[node].read(self._root_time)
        else:
            taken = self._take(words, word, self._root_time)
        self._root_time = self._root.write(taken) + 1
        return self._root.read(time)

    @staticmethod
    def _take(words: StreamArray, word: int, time: int) -> int:
        return int(words.read(np.array([time]), np.array([word]))[0])
