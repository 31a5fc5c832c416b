"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["whole_file"]


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a path beside `target` to write to; it takes `target`'s place when the block ends.

    When the block fails, what was written is removed and `target` is as it was.

    Raises
    ------
    OSError
        If `target` cannot be written.
    """
    if not target.name:
        raise IsADirectoryError(f"{str(target)!r} is a folder")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(target)
    finally:
        # Where there is no folder to write to there is nothing to remove either.
        with contextlib.suppress(OSError):
            partial.unlink()
