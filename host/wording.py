"""Words that messages share."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["counted", "listed"]


def counted(count: int, noun: str) -> str:
    """Say how many there are of something: "1 PE", "16 PEs"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(items: Iterable[object], most: int = 5) -> str:
    """Name the first few of some things: "3, 17, 20 and 4 more"."""
    names = [str(item) for item in items]
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
