"""What a folder holds, to compare with what it should hold."""

from __future__ import annotations

from pathlib import Path


def names(folder: Path) -> list[str]:
    """Names of what lies in a folder, sorted; nothing where there is none."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with what it holds."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
