"""Compiled kernels are kept where only their user writes.

The name of a kept program says what it is made of, and anybody can compute it. So it must not be
looked for where somebody else may have put another one, such as in a project that came by mail:
programs are kept in ``eie/programs`` of the user's cache folder (``$XDG_CACHE_HOME``, or
``~/.cache``), and are run only if folder and file belong to the user and nobody else can write
them. What was not used for a month is removed.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from pathlib import Path

from eie.hls.boundary.atomic import write_whole

__all__ = ["find_program", "keep_program", "program_store"]

_MONTH_SECONDS = 30 * 24 * 3600.0
_NAME = re.compile(r"[a-z_]+-[0-9a-f]{64}")


def program_store() -> Path | None:
    """Folder where this user's programs are kept, made now if need be; None if there is none."""
    # The specification of the variable: a path that is not absolute does not count.
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    try:
        cache = Path(chosen) if Path(chosen).is_absolute() else Path.home() / ".cache"
        folder = cache / "eie" / "programs"
        for made in (folder.parent, folder):  # each, as parents get what the umask says
            made.mkdir(mode=0o700, parents=True, exist_ok=True)
        safe = _only_ours(folder.parent, stat.S_IFDIR) and _only_ours(folder, stat.S_IFDIR)
    except (OSError, RuntimeError):  # a user without a home, or one that is read-only
        return None
    return folder if safe else None


def find_program(store: Path, name: str) -> Path | None:
    """Give the program called `name`, None if it is not there or not surely this user's."""
    program = store / name
    try:
        if not _only_ours(program, stat.S_IFREG):
            return None
        os.utime(program)  # it is in use
    except OSError:
        return None
    return program


def keep_program(store: Path, program: Path) -> Path:
    """Put a program into the store; gives where it is then: where it was, if that failed."""
    kept = store / program.name
    try:
        if not _only_ours(kept, stat.S_IFREG):
            kept.unlink()
    except FileNotFoundError:
        pass
    except OSError:
        return program
    try:
        write_whole(kept, program.read_bytes(), executable=True)
        # By the umask it may be a group's to write; by ours it is the user's to run.
        kept.chmod(0o700)
    except OSError:
        return program
    _forget_old(store)
    return kept


def _only_ours(path: Path, kind: int) -> bool:
    """Whether something is of this kind, this user's, and nobody else can write it.

    Raises
    ------
    OSError
        If it is not there.
    """
    status = path.lstat()
    own = status.st_uid == os.geteuid() and not status.st_mode & 0o022
    return own and stat.S_IFMT(status.st_mode) == kind


def _forget_old(store: Path) -> None:
    oldest = time.time() - _MONTH_SECONDS
    for file in store.iterdir():
        with contextlib.suppress(OSError):
            if _NAME.fullmatch(file.name) and file.lstat().st_mtime < oldest:
                file.unlink()
