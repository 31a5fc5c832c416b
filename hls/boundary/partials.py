"""What is not yet whole has a name of its own, which tells the living from what is left over.

Until a file or folder is whole it is called ``.eie-HEX.partial``: made exclusively, under a name
that nobody can foresee. Who makes it holds a lock on it (``flock(2)``), which the system takes back
however the process ends. So a partial without a lock was left by a run that was killed, and the
next run that writes to the same folder removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

__all__ = ["is_partial", "partial_file", "partial_folder", "sweep", "temporary_folder"]

Made = TypeVar("Made")

_NAME = re.compile(r"\.eie-[0-9a-f]{32}\.partial")


def is_partial(name: str) -> bool:
    """Whether a file or folder of this name is a partial one of eie."""
    return _NAME.fullmatch(name) is not None


@contextlib.contextmanager
def partial_file(folder: Path) -> Iterator[tuple[Path, int]]:
    """Give a new file in `folder`, with a descriptor to write to it, which the caller closes.

    What is still there under its name when the block ends is removed.

    Raises
    ------
    OSError
        If it cannot be made.
    """

    def make(path: Path) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(path, flags, 0o666)

    path, descriptor, lock = _make(folder, make, os.close)
    try:
        yield path, descriptor
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        _let_go(lock)


@contextlib.contextmanager
def partial_folder(parent: Path, mode: int = 0o777) -> Iterator[Path]:
    """Give a new folder in `parent`; removed with all that is in it, unless it was renamed.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    path, _, lock = _make(parent, lambda path: path.mkdir(mode), lambda _: None)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        _let_go(lock)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a folder among the system's temporary ones that only this user reads and writes.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    with partial_folder(Path(tempfile.gettempdir()), 0o700) as folder:
        yield folder


def sweep(folder: Path) -> None:
    """Remove what killed runs of this user left in `folder`, and nothing that a living one has."""
    try:
        with os.scandir(folder) as entries:
            found = [Path(entry.path) for entry in entries if is_partial(entry.name)]
    except OSError:
        return  # whoever writes to it is told
    for path in found:
        with contextlib.suppress(OSError):
            _remove_if_left(path)


def _remove_if_left(path: Path) -> None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid():
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISDIR(status.st_mode):
            shutil.rmtree(path, ignore_errors=True)
        elif stat.S_ISREG(status.st_mode):
            path.unlink()
    finally:
        os.close(descriptor)


#: Once a process and folder: who saves ten thousand files does not look through them each time.
_sweep_once = functools.lru_cache(maxsize=1024)(sweep)


def _make(
    folder: Path, make: Callable[[Path], Made], discard: Callable[[Made], None]
) -> tuple[Path, Made, int | None]:
    """Make something under a new name and lock it; gives its path, what `make` gave, the lock."""
    _sweep_once(folder)
    while True:
        path = folder / f".eie-{secrets.token_hex(16)}.partial"
        made = make(path)
        try:
            return path, made, _lock(path)
        except FileNotFoundError:  # swept before it was locked
            discard(made)
        except BaseException:
            discard(made)
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
            raise


def _lock(path: Path) -> int | None:
    """Lock a partial; None where the file system has no such locks, so that nobody sweeps either.

    Opened for reading only, as a program that is open for writing cannot be run. The lock is a
    shared one, since NFS gives no other for reading.

    Raises
    ------
    FileNotFoundError
        If it is gone.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except PermissionError:  # by the umask
        return None
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        if not path.exists():  # nobody else ever has this name
            raise FileNotFoundError(path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _let_go(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
