"""Files that a command writes are looked at before any work is done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from eie.hls.boundary.errors import InputError
from eie.host.cli.arrays import check_target

__all__ = ["check_suffix", "check_targets"]


def check_targets(targets: Mapping[str, Path], others: Mapping[str, Path]) -> None:
    """Refuse targets that cannot be written, or that are read or written as something else.

    Parameters
    ----------
    targets
        Files to write, by their option.
    others
        Everything else that is a path, by its option.

    Raises
    ------
    InputError
        On the first such target.
    """
    for name, target in targets.items():
        check_target(target)
        for other, path in {**others, **targets}.items():
            if name != other:
                if _is_device(target):  # which holds nothing that could be lost
                    continue
                same = target.absolute() == path.absolute()
                if same or (target.exists() and path.exists() and target.samefile(path)):
                    raise InputError(
                        f"--{name} must not be the same file as {other}: {target} would be lost"
                    )


def _is_device(path: Path) -> bool:
    return path.is_char_device() or path.is_fifo()


def check_suffix(target: Path, suffix: str) -> None:
    """Refuse a file to write whose name is not that of its kind, by which commands know it.

    Raises
    ------
    InputError
        If `target` does not end in `suffix`.
    """
    if target.suffix != suffix:
        raise InputError(f"--out must end in {suffix}, not {target.name!r}")
