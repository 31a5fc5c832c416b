"""A lock on a project's folder: whoever comes second waits, and is told if that takes long.

It is ``flock(2)`` on a file in the folder, since some file systems lock no folders. The file is
there only as long as somebody works; one that a killed run left locks nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from eie.hls.boundary.atomic import open_growing
from eie.hls.boundary.errors import InputError

__all__ = ["LOCK", "locked_folder"]

#: Name of the file.
LOCK = ".eie.lock"
#: Seconds between two looks.
_PAUSE_SECONDS = 0.05


@contextlib.contextmanager
def locked_folder(folder: Path, *, patience: float = 60.0) -> Iterator[None]:
    """Have the folder alone; others wait for `patience` seconds.

    Raises
    ------
    InputError
        If somebody else has it for longer.
    OSError
        If it cannot be locked.
    """
    path = folder / LOCK
    deadline = time.monotonic() + patience
    while (descriptor := _try(path)) is None:
        if time.monotonic() > deadline:
            raise InputError(
                f"another process is working in {folder} since {patience:.0f} s: wait for it, or "
                "take another folder"
            )
        time.sleep(_PAUSE_SECONDS)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _try(path: Path) -> int | None:
    """Lock the file, or give None if it is somebody else's."""
    descriptor = open_growing(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had it removes it: a lock on what has no name any more keeps nobody out.
        if os.path.samestat(os.fstat(descriptor), path.lstat()):
            return descriptor
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.ENOENT):
            os.close(descriptor)
            raise
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
