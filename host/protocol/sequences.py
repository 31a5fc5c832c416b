"""In which order the steps of several sequences are sent, and in which lane each sequence lies.

An accelerator has *lanes*: each holds the state of one sequence. A step waits until the one before
it in its lane is done, so steps of different lanes are sent in turn, and work on one overlaps with
the rest. Which sequence lies where is decided here and nowhere else; nothing in it needs hardware.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.host.packing.run_tags import RunTags

__all__ = ["Placement", "Schedule", "place", "schedule"]

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Placement:
    """Where sequences lie, and which begin when; all of shape (sequences,)."""

    #: Lane of each sequence.
    lane: Indices
    #: Round in which its first step is sent: one step of each busy lane is sent in a round.
    first: Indices

    @property
    def alone(self) -> bool:
        """Whether each sequence has a lane of its own, so that it can be continued later."""
        return len(np.unique(self.lane)) == len(self.lane)


@dataclass(frozen=True, eq=False)
class Schedule:
    """The steps of all sequences in the order in which they are sent; all of shape (steps,)."""

    #: Sequence that each vector belongs to.
    sequence: Indices
    #: Its place in the sequence.
    step: Indices
    #: What is said of it.
    tags: RunTags

    def tags_of(self, part: slice) -> RunTags:
        """Give the tags of some of the vectors, as :meth:`parts` gives them."""
        tags = self.tags
        return RunTags(tags.lanes[part], tags.starts[part], tags.outputs[part])

    def parts(self, most_vectors: int, most_outputs: int) -> Iterator[slice]:
        """Split the steps into packets, in order.

        Parameters
        ----------
        most_vectors
            Vectors of a packet at most, at least 1.
        most_outputs
            Outputs of an answer at most, at least 1.
        """
        before = np.concatenate([[0], np.cumsum(self.tags.outputs)])
        start = 0
        while start < len(self.step):
            # As far as one output more would be too many.
            stop = int(np.searchsorted(before, before[start] + most_outputs, "right")) - 1
            stop = min(stop, start + most_vectors)
            yield slice(start, stop)
            start = stop


def place(lengths: Sequence[int], lanes: int) -> Placement:
    """Deal sequences to lanes: the longest first, each to the lane that is free soonest.

    Longest first leaves short ones for the end, where lanes run empty one after another: the last
    step is sent at most a third later than in the best order there is (Graham 1969).

    Parameters
    ----------
    lengths
        Steps of each sequence, 0 or more.
    lanes
        At least 1.
    """
    lane, first = np.zeros(len(lengths), np.int64), np.zeros(len(lengths), np.int64)
    free = [(0, each) for each in range(lanes)]
    for sequence in np.argsort(-np.asarray(lengths, np.int64), kind="stable"):
        first[sequence], lane[sequence] = heapq.heappop(free)
        # One without steps, of which the last come, has a lane, too: it may be continued.
        end = int(first[sequence]) + max(1, lengths[sequence])
        heapq.heappush(free, (end, int(lane[sequence])))
    return Placement(lane, first)


def schedule(lengths: Sequence[int], placement: Placement, *, begun: Flags, last: bool) -> Schedule:
    """Order the steps of all sequences, and tag them.

    Parameters
    ----------
    lengths
        Steps of each sequence, 0 or more.
    placement
        Where they lie.
    begun
        Shape (sequences,): whether a sequence goes on from the state in its lane.
    last
        Whether the last step of a sequence alone gives an output, or every one.
    """
    sizes = np.asarray(lengths, np.int64)
    sequence = np.repeat(np.arange(len(sizes)), sizes)
    step = np.arange(len(sequence)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    order = np.lexsort((placement.lane[sequence], placement.first[sequence] + step))
    sequence, step = sequence[order], step[order]
    output = step == sizes[sequence] - 1 if last else np.ones(len(step), bool)
    start = (step == 0) & ~begun[sequence]
    return Schedule(sequence, step, RunTags(placement.lane[sequence], start, output))
