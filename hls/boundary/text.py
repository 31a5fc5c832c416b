"""Words that messages share."""

from __future__ import annotations

__all__ = ["counted"]


def counted(count: int, noun: str) -> str:
    """Say how many there are of something: "1 PE", "16 PEs"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
