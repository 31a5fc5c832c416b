"""Turns: one call at a time on a device, in the order in which the calls were made.

An interrupt from the keyboard may come between any two steps, and none of them must leave a turn
behind for which everyone else waits. So a turn knows the call that took it; one whose call is not
under way any more is passed over.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections import deque
from concurrent.futures import Future
from types import FrameType
from typing import Any

from eie.hls.boundary.errors import DeviceError

__all__ = ["Turn", "Turns", "awaitable"]

#: Seconds after which who waits looks whether who is before it is still there.
_LOOK_SECONDS = 0.25


class Turn:
    """A place in the queue; in a ``with`` statement, waits for it and gives it up afterwards."""

    def __init__(self, turns: Turns, owner: FrameType) -> None:
        self._turns = turns
        self._thread = threading.get_ident()
        self._owner: FrameType | None = owner
        # Locked but for the moment in which its turn may have come. Locks are written in C, which
        # an interrupt does not get into; conditions are not.
        self._gate = threading.Lock()
        self._gate.acquire()

    def wait(self) -> None:
        """Wait until everyone who came before has left.

        Raises
        ------
        DeviceError
            If the place was given up.
        """
        while not self._turns._is_first(self):
            self._gate.acquire(timeout=_LOOK_SECONDS)

    def leave(self) -> None:
        """Leave the queue, from any place in it. Again does nothing."""
        self._turns._leave(self)
        self._owner = None

    def hand_over(self) -> None:
        """Keep the place when the call that took it ends: somebody else will wait and leave."""
        self._owner = None

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # it is awake already
            self._gate.release()

    def _is_under_way(self) -> bool:
        """Whether the call that took it still runs; True once it was handed over."""
        owner = self._owner
        frame = sys._current_frames().get(self._thread)
        while owner is not None and frame is not owner:
            if frame is None:
                return False
            frame = frame.f_back
        return True

    def __enter__(self) -> None:
        try:
            self.wait()
        except BaseException:  # an interrupt from the keyboard must not keep the place
            self.leave()
            raise

    def __exit__(self, *_: object) -> None:
        self.leave()


class Turns:
    """A queue for several threads; a lock that is first come, first served.

    A place is taken at once and waited for later, perhaps by another thread: calls that are
    handed to a worker keep the order in which they were made.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[Turn] = deque()

    def take(self) -> Turn:
        """Take the last place in the queue, for the function that calls this.

        Raises
        ------
        DeviceError
            If the calling thread has a turn already, for which it would wait for ever.
        """
        turn = Turn(self, sys._getframe(1))
        with self._lock:
            for other in self._queue:
                if (
                    other._thread == turn._thread
                    and other._owner is not None
                    and other._is_under_way()
                ):
                    raise DeviceError(
                        "an accelerator must not be called from within another call of the same "
                        "thread, as by a signal handler"
                    )
            self._queue.append(turn)
        return turn

    def _is_first(self, turn: Turn) -> bool:
        with self._lock:
            while self._queue and not self._queue[0]._is_under_way():
                self._queue.popleft()
            if turn not in self._queue:
                raise DeviceError("the call was given up before its turn came")
            return self._queue[0] is turn

    def _leave(self, turn: Turn) -> None:
        with self._lock:
            if turn in self._queue:
                self._queue.remove(turn)
            if self._queue:
                self._queue[0]._wake()


def awaitable(
    submitted: Future[Any], stop: threading.Event, loop: asyncio.AbstractEventLoop
) -> asyncio.Future[Any]:
    """Let `loop` await a call; cancelling it sets `stop`."""
    result = asyncio.wrap_future(submitted, loop=loop)
    result.add_done_callback(lambda done: stop.set() if done.cancelled() else None)
    return result
