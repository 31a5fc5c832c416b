"""What a command is doing, on standard error, while it takes long.

On a terminal one line that is written over; elsewhere a plain line every few seconds, so that a log
shows that something is going on. What takes less than two seconds shows nothing. Standard output
has results alone. ``EIE_PROGRESS=off`` turns it off, for programs that read standard error.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator

from eie.hls.boundary.progress import Progress, listening

__all__ = ["clear_line", "showing"]

#: Environment variable that turns it off.
_VARIABLE = "EIE_PROGRESS"
#: Seconds of silence before the first line, and between lines of a log at first.
_SILENCE = 2.0
#: Seconds between lines of a log after the first minute.
_RARELY = 10.0
#: Seconds between changes of a terminal's line.
_REFRESH = 0.2
_CLEAR = "\r\x1b[K"


@contextlib.contextmanager
def showing(what: str, *, rarely: float = _RARELY) -> Iterator[None]:
    """Show that `what` goes on, and what the library tells of it, inside the ``with`` statement.

    An empty `what` leaves the words to the library. `rarely` says how many seconds lie between
    lines of a log after the first minute.
    """
    if not wanted():
        yield
        return
    display = _Display(what, rarely)
    with listening(display.take):
        display.start()
        try:
            yield
        finally:
            display.stop()


def wanted() -> bool:
    """Whether progress is to be told at all."""
    return os.environ.get(_VARIABLE) != "off"


def clear_line() -> None:
    """Clear what is shown on a terminal, before something else is written there."""
    if sys.stderr.isatty() and any(isinstance(each, _Display) for each in threading.enumerate()):
        sys.stderr.write(_CLEAR)


class _Display(threading.Thread):
    """Writes the latest that it was told, from a thread of its own: work may tell nothing long."""

    def __init__(self, what: str, rarely: float) -> None:
        super().__init__(daemon=True, name="progress")
        self._what = what
        self._rarely = rarely
        self._latest: Progress | None = None
        self._ended = threading.Event()
        self._began = time.monotonic()
        self._stream = sys.stderr
        self._terminal = self._stream.isatty()

    def take(self, progress: Progress) -> None:
        self._latest = progress

    def stop(self) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        wait = _SILENCE
        while not self._ended.wait(wait):
            elapsed = time.monotonic() - self._began
            text = ": ".join(map(str, filter(None, (self._what, self._latest)))) or "working"
            try:
                if self._terminal:
                    self._stream.write(f"{_CLEAR}{_fitting(f'{text} ({elapsed:.0f} s)')}")
                else:
                    self._stream.write(f"eie: {text} ({elapsed:.0f} s)\n")
                self._stream.flush()
            except (OSError, ValueError):  # nobody reads it any more
                return
            if self._terminal:
                wait = _REFRESH
            elif elapsed > 60:
                wait = self._rarely
        if self._terminal and wait == _REFRESH:
            with contextlib.suppress(OSError, ValueError):
                self._stream.write(_CLEAR)
                self._stream.flush()


def _fitting(text: str) -> str:
    """Cut a text off at the terminal's width: a line that wraps cannot be written over."""
    try:
        width = os.get_terminal_size(sys.stderr.fileno()).columns or 80  # 0: not known
    except (OSError, ValueError):
        width = 80
    return text[: max(width - 1, 10)]
