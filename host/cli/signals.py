"""A program that is asked to end tidies up first, whoever asks.

Python does so for Ctrl-C alone: ``SIGTERM`` (``kill``, ``timeout``, a batch system) and ``SIGHUP``
(a connection that is lost) end it where it stands, which leaves what is half written, and compilers
that go on. Here they raise as Ctrl-C does.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

__all__ = ["Ended", "raising_signals"]

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Ended(KeyboardInterrupt):
    """The program is asked to end by a signal; to be treated as Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        #: Name of the signal.
        self.name = signal.Signals(number).name
        #: Exit status that a shell gives to what a signal ends.
        self.status = 128 + number


@contextlib.contextmanager
def raising_signals() -> Iterator[None]:
    """Raise :class:`Ended` where SIGTERM or SIGHUP would end the program, once.

    Signals that somebody handles or ignores already (``nohup``) are left alone. Nothing is changed
    in other threads than the main one, where Python has no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [number for number in _SIGNALS if signal.getsignal(number) == signal.SIG_DFL]

    def end(number: int, _: FrameType | None) -> None:
        # `timeout` sends its signal twice: the second must not stop the tidying up.
        for each in ours:
            signal.signal(each, signal.SIG_IGN)
        raise Ended(number)

    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
