"""What a host knows of the states in an accelerator's lanes: whose they are, if any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DeviceError, InputError
from eie.hls.boundary.text import counted
from eie.host.protocol.sequences import Placement, place

__all__ = ["LaneStates", "Stream"]


@dataclass(frozen=True)
class Stream:
    """The right to a lane: one sequence, step by step."""

    lane: int
    #: Different for each sequence that ever was in a lane.
    owner: int


class LaneStates:
    """Whose state each lane holds.

    A network's states are on the accelerator alone: they cannot be read back, and whatever breaks
    them off there is noted here, so that nothing goes on from a state that is not what it was.

    Parameters
    ----------
    lanes
        Lanes that the network has on its design.
    """

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self._owner = [0] * lanes
        self._owners = 0
        #: Of the last call with sequences: where they lie, if they all have a lane of their own,
        #: and which of them have had a step.
        self._kept: tuple[Placement, npt.NDArray[np.bool_]] | None = None
        self._lost = "no sequences have been begun yet"

    def lose(self, reason: str) -> None:
        """Note that all states are gone, and why; where there are none, the reason stays."""
        if any(self._owner):
            self._lost = reason
        self._owner = [0] * self.lanes
        self._kept = None

    def place(self, lengths: list[int], *, keep: bool) -> tuple[Placement, npt.NDArray[np.bool_]]:
        """Give lanes to sequences; until :meth:`done` is called, they cannot be continued.

        Parameters
        ----------
        lengths
            Steps of each.
        keep
            Whether they go on where those of the last call are.

        Returns
        -------
        Placement
            Their lanes.
        ndarray of bool, shape (sequences,)
            Which of them go on from a state.

        Raises
        ------
        DeviceError
            If the states are gone; says why.
        InputError
            If there is another number of sequences than in the last call.
        """
        if not keep:
            placement, begun = place(lengths, self.lanes), np.zeros(len(lengths), bool)
        elif self._kept is None:
            raise DeviceError(
                f"there is no state to go on from: {self._lost}; begin the sequences again, "
                "without keep_state"
            )
        else:
            placement, begun = self._kept
            if len(begun) != len(lengths):
                raise InputError(
                    f"with keep_state there must be as many sequences as in the last call, "
                    f"{len(begun)}, not {len(lengths)}; where one of them has ended, give it no "
                    "steps: shape (0, features)"
                )
            placement = Placement(placement.lane, np.zeros(len(lengths), np.int64))
        self._kept, self._lost = None, "the last call with sequences broke off"
        for lane in np.unique(placement.lane):
            self._owner[int(lane)] = self._next_owner()
        return placement, begun

    def place_given(self, count: int) -> Placement:
        """Give a lane each to `count` sequences whose states the caller puts there.

        Until :meth:`done` is called, they cannot be continued.
        """
        if count > self.lanes:
            raise InputError(f"there must be at most {self.lanes} sequences, not {count}")
        self._kept, self._lost = None, "the last call with sequences broke off"
        for lane in range(count):
            self._owner[lane] = self._next_owner()
        return Placement(np.arange(count), np.zeros(count, np.int64))

    def done(self, placement: Placement, begun: npt.NDArray[np.bool_], lengths: list[int]) -> None:
        """Note that all steps of a call were taken."""
        if not placement.alone:
            self._lost = (
                f"the last call had {counted(len(lengths), 'sequence')}, and the network has "
                f"{counted(self.lanes, 'lane')}, each for one: give no more than that to a call "
                "that is to be continued"
            )
            return
        self._kept = placement, begun | (np.asarray(lengths) > 0)

    def open_stream(self) -> Stream:
        """Take a lane for a stream: a free one, or that which was taken longest ago.

        Sequences of a call that lie there cannot be continued from then on.
        """
        lane = min(range(self.lanes), key=lambda each: (self._owner[each], -each))
        if self._kept is not None and lane in self._kept[0].lane:
            self._kept = None
            self._lost = "a stream was begun since, and took a lane of them"
        self._owner[lane] = self._next_owner()
        return Stream(lane, self._owner[lane])

    def check_stream(self, stream: Stream) -> None:
        """Refuse a stream whose lane is another's now.

        Raises
        ------
        DeviceError
        """
        if stream.lane >= self.lanes or self._owner[stream.lane] != stream.owner:
            raise DeviceError(
                "the stream's state is gone: another call took its lane, or the state was lost "
                f"({self._lost}); begin a new stream"
            )

    def _next_owner(self) -> int:
        self._owners += 1
        return self._owners
