"""Files that appear whole or not at all: everything that eie writes goes through here.

A file is written under another name beside its place and then renamed, so that nobody ever reads
half of one, whatever other threads, processes or signals do. It is not forced onto the disk: what
is lost with the power can be made again, and a network file that is not whole is known by its hash.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from eie.hls.boundary.partials import partial_file

__all__ = ["Data", "check_writable", "open_growing", "write_whole"]

#: What is written: bytes, or a text for UTF-8.
Data = bytes | bytearray | memoryview | str


def write_whole(target: str | os.PathLike[str], data: Data, *, executable: bool = False) -> None:
    """Write a file that appears whole, or not at all: then `target` is as it was.

    An existing file keeps its mode, and its owner where the system lets us; its other hard links
    keep the old contents. A link is followed: it stays, and the file that it names is replaced. A
    FIFO or a character device is written to. Everything else that is no file is refused, and so is
    a file that nobody may write.

    Parameters
    ----------
    target
        File to write.
    data
        All that it holds.
    executable
        Whether a new file is a program.

    Raises
    ------
    OSError
        If `target` cannot be written; it names `target`.
    """
    path = Path(target)
    content = memoryview(data.encode() if isinstance(data, str) else data).cast("B")
    try:
        before, file = _look(path)
        if file is None:
            _write_into(path, content)
        else:
            _replace(file, before, content, executable)
    except OSError as error:
        # The system names what is beside the target, which tells the user nothing.
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def check_writable(target: str | os.PathLike[str]) -> None:
    """See whether :func:`write_whole` could write `target`, as far as that can be told before.

    Raises
    ------
    OSError
        If not; its ``strerror`` says why.
    """
    _look(Path(target))


def open_growing(target: str | os.PathLike[str], flags: int) -> int:
    """Open a file that grows while somebody works: a log, or results one by one.

    Such a file is never whole, so it is written in its place. It must be a file: no link leads the
    writing elsewhere, and no FIFO stops it.

    Parameters
    ----------
    target
        File to open, made if it is not there.
    flags
        As for :func:`os.open`, such as ``os.O_WRONLY | os.O_TRUNC``.

    Returns
    -------
    int
        A file descriptor.

    Raises
    ------
    OSError
        If it is no file, or cannot be opened.
    """
    path = Path(target)
    # Truncated last: only what is a file is changed.
    more = os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        descriptor = os.open(path, (flags & ~os.O_TRUNC) | more, 0o666)
    except OSError as error:
        if path.is_symlink():
            raise OSError(error.errno, "it must be a file, not a link", str(path)) from error
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it must be a file, not a device or FIFO", str(path))
        os.set_blocking(descriptor, True)
        if flags & os.O_TRUNC:
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _look(path: Path) -> tuple[os.stat_result | None, Path | None]:
    """Say what is at the end of a path, and the path without links; None for what is no file."""
    before = _check_kind(path)
    if before is not None and not stat.S_ISREG(before.st_mode):
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, "it is read-only", str(path))
        return before, None
    file = _behind_links(path, before)
    folder = file.parent
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"there is no folder {folder}", str(path))
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, f"the folder {folder} is read-only", str(path))
    return before, file


def _check_kind(path: Path) -> os.stat_result | None:
    """Say what is at the end of a path, None for nothing; refuse what must not be written."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    kind = stat.S_IFMT(found.st_mode)
    if kind == stat.S_IFDIR:
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if kind not in (stat.S_IFREG, stat.S_IFIFO, stat.S_IFCHR):
        what = {stat.S_IFBLK: "a disk", stat.S_IFSOCK: "a socket"}.get(kind, "no file")
        raise OSError(errno.EINVAL, f"it is {what}", str(path))
    # Root may write whatever its mode says, but somebody has protected this file.
    if kind == stat.S_IFREG and not (found.st_mode & 0o222 and os.access(path, os.W_OK)):
        raise PermissionError(
            errno.EACCES, "the file is read-only: chmod u+w makes it writable", str(path)
        )
    return found


def _behind_links(path: Path, before: os.stat_result | None) -> Path:
    """Path of the file itself."""
    real = Path(os.path.realpath(path))
    if before is not None and not real.exists():
        # Such as /dev/stdout for a file that was deleted meanwhile.
        raise FileNotFoundError(errno.ENOENT, "the file has no name any more", str(path))
    return real


def _write_into(path: Path, content: memoryview) -> None:
    """Write to a FIFO or a device; as everywhere, a FIFO that nobody reads is waited for."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EAGAIN, "it became a file meanwhile", str(path))
        _write_all(descriptor, content)
    finally:
        os.close(descriptor)


def _replace(
    path: Path, before: os.stat_result | None, content: memoryview, executable: bool
) -> None:
    with partial_file(path.parent) as (partial, descriptor):
        try:
            _write_all(descriptor, content)
            if before is not None:
                _be_like(descriptor, before)
            elif executable:
                mode = os.fstat(descriptor).st_mode
                os.fchmod(descriptor, stat.S_IMODE(mode) | (mode & 0o444) >> 2)
        finally:
            os.close(descriptor)  # before renaming: some file systems say only now what failed
        partial.replace(path)


def _be_like(descriptor: int, before: os.stat_result) -> None:
    """Give a file owner and mode of another; left alone where they are, as FAT has neither."""
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        with contextlib.suppress(PermissionError):  # only root gives files away
            os.fchown(descriptor, before.st_uid, before.st_gid)
    mode = stat.S_IMODE(before.st_mode) & 0o777
    if stat.S_IMODE(now.st_mode) != mode:
        os.fchmod(descriptor, mode)


def _write_all(descriptor: int, content: memoryview) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
