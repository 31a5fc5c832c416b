"""Turns: one call at a time on a device, in the order in which the calls were made."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType

__all__ = ["Turn", "Turns"]


class Turn:
    """A place in the queue; in a ``with`` statement, waits for it and gives it up afterwards."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def wait(self) -> None:
        """Wait until everyone who came before has left."""
        self._turns._wait(self)

    def leave(self) -> None:
        """Leave the queue, from any place in it. Again does nothing."""
        self._turns._leave(self)

    def __enter__(self) -> None:
        try:
            self.wait()
        except BaseException:  # an interrupt from the keyboard must not keep the place
            self.leave()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.leave()


class Turns:
    """A queue for several threads; a lock that is first come, first served.

    A place is taken at once and waited for later, perhaps by another thread: calls that are
    handed to a worker keep the order in which they were made. Not reentrant.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[Turn] = deque()

    def take(self) -> Turn:
        """Take the last place in the queue."""
        turn = Turn(self)
        with self._changed:
            self._queue.append(turn)
        return turn

    def _wait(self, turn: Turn) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue[0] is turn)

    def _leave(self, turn: Turn) -> None:
        with self._changed:
            if turn in self._queue:
                self._queue.remove(turn)
                self._changed.notify_all()
