"""Standard output and error that nobody reads any more, as in ``eie info FILE | head -1``."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from pathlib import Path
from typing import TextIO

__all__ = ["CLOSED", "flush_all", "leave_closed"]

#: Exit status that a shell gives to what SIGPIPE ends.
CLOSED = 141


def flush_all() -> None:
    """Write out what is still held, so that a closed pipe shows here and not as Python ends.

    Raises
    ------
    BrokenPipeError
        If nobody reads it.
    """
    for stream in _streams():
        stream.flush()


def leave_closed() -> bool:
    """Let go of streams that nobody reads; False if there is none, so that it was another pipe."""
    closed = [each for each in _streams() if _is_closed(each)]
    for stream in closed:
        # What is held is written here when Python ends, which would complain of it.
        with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
    return bool(closed)


def _is_closed(stream: TextIO) -> bool:
    """Whether a stream is a pipe without a reader, to which writing may well have failed."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return any(events & select.POLLERR for _, events in poll.poll(0))
    except (OSError, ValueError):  # no file at all
        return False


def _streams() -> tuple[TextIO, ...]:
    return tuple(each for each in (sys.stdout, sys.stderr) if each is not None)
