"""Words that messages share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["counted", "listed", "printable", "shown"]

#: Characters of a value that a message shows.
_LONGEST = 120


def counted(count: int, noun: str) -> str:
    """Say how many there are of something: "1 PE", "16 PEs"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def shown(value: Any) -> str:
    """Show a value in a message: its ``repr``, cut where it is long.

    Values come from files, and some have no ``repr``: Python refuses that of an integer of more
    than 4,300 digits.
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"a value of type {type(value).__name__} that is too long to be shown"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def printable(text: str) -> str:
    """Give `text` with its control characters escaped, so that it cannot steer a terminal."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def listed(items: Iterable[object], most: int = 5) -> str:
    """Name the first few of some things: "3, 17, 20 and 4 more"."""
    names = [str(item) for item in items]
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
