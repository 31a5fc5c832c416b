"""Time in a network of processes joined by bounded streams.

The kernel's processes do one iteration a cycle unless a stream holds them up: an element written
in cycle t can be read from cycle t + 1 on, and the place that a read frees in cycle t can be
written from cycle t + 1 on. So the times of all reads and writes follow from recurrences of maxima,
with nothing to simulate cycle by cycle. The C++ simulation (``templates/simulation``) has the same
semantics; tests compare the two with ``==``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Stream", "StreamArray", "StreamBundle", "Times"]

#: A cycle for each of several streams or processes.
Times = npt.NDArray[np.int64]


class Stream:
    """Times of the elements of one stream.

    An element must be read before one more than `depth` others are written: callers follow the
    order in which elements flow.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._written: list[int] = []
        self._read: list[int] = []

    def write(self, time: int) -> int:
        """Write the next element in cycle `time` or as soon as there is room; returns when."""
        if len(self._written) >= self._depth:
            time = max(time, self._read[len(self._written) - self._depth] + 1)
        self._written.append(time)
        return time

    def readable(self) -> int | None:
        """First cycle in which the next element can be read; None if it was not written yet."""
        written = len(self._read) < len(self._written)
        return self._written[len(self._read)] + 1 if written else None

    def read(self, time: int) -> int:
        """Read the next element in cycle `time` or as soon as it is there; returns when."""
        time = max(time, self._written[len(self._read)] + 1)
        self._read.append(time)
        return time


class StreamArray:
    """Times of the elements of `count` streams of equal depth.

    Streams may hold different numbers of elements: a mask says which of them an operation is on.
    """

    def __init__(self, count: int, depth: int) -> None:
        self._depth = depth
        self._every = np.arange(count)
        self._writes = np.zeros(count, np.int64)
        self._reads = np.zeros(count, np.int64)
        # Cycle in which the element in each place was written, and its place freed before that.
        self._written = np.full((depth, count), -1, np.int64)
        self._freed = np.full((depth, count), -1, np.int64)

    def write(self, times: Times, where: npt.NDArray[np.intp] | None = None) -> Times:
        """Write an element to each stream, or to those of the indices `where`; returns when."""
        streams = self._every if where is None else where
        place = self._writes[streams] % self._depth
        times = np.maximum(times, self._freed[place, streams] + 1)
        self._written[place, streams] = times
        self._writes[streams] += 1
        return times

    def readable(self, where: npt.NDArray[np.intp] | None = None) -> Times:
        """First cycles in which the next element of each stream can be read; it was written."""
        streams = self._every if where is None else where
        return self._written[self._reads[streams] % self._depth, streams] + 1

    def read(self, times: Times, where: npt.NDArray[np.intp] | None = None) -> Times:
        """Read an element from each stream, or from those of the indices `where`; returns when."""
        streams = self._every if where is None else where
        place = self._reads[streams] % self._depth
        times = np.maximum(times, self._written[place, streams] + 1)
        self._freed[place, streams] = times
        self._reads[streams] += 1
        return times


class StreamBundle:
    """Times of the elements of `count` streams of equal depth that are used all at once.

    What :class:`StreamArray` gives without indices, in a third of the time: one place serves all
    streams.
    """

    def __init__(self, count: int, depth: int) -> None:
        self._depth = depth
        self._writes = self._reads = 0
        # First cycles in which each place's element can be read, and the place written again.
        self._readable = np.zeros((depth, count), np.int64)
        self._writable = np.zeros((depth, count), np.int64)

    def full(self, times: Times) -> npt.NDArray[np.bool_]:
        """Whether each stream has no room for its next element in cycles `times`."""
        return self._writable[self._writes % self._depth] > times

    def write_in_turn(self, times: Times, group: int) -> Times:
        """Write an element to every stream, in groups of `group` one after the other.

        Each gets it as soon as it has room, and not before the one to its left.
        """
        place = self._writes % self._depth
        times = np.maximum(times, self._writable[place])
        return self.write(np.maximum.accumulate(times.reshape(-1, group), axis=1).ravel())

    def write(self, times: Times) -> Times:
        """Write an element to every stream in cycles `times` or as soon as there is room."""
        place = self._writes % self._depth
        self._writes += 1
        times = np.maximum(times, self._writable[place])
        np.add(times, 1, out=self._readable[place])
        return times

    def read(self, times: Times) -> Times:
        """Read an element of every stream in cycles `times` or as soon as it is there."""
        place = self._reads % self._depth
        self._reads += 1
        times = np.maximum(times, self._readable[place])
        np.add(times, 1, out=self._writable[place])
        return times
