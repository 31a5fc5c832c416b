"""Numbers that a user types: plain ASCII digits, and nothing else that Python would take.

``int`` and ``float`` also take spaces, underscores (``1_6``), digits of any script, ``nan`` and
``inf``: what looks like a typing error, or like nothing, would become a number.
"""

from __future__ import annotations

import re

from eie.hls.boundary.errors import InputError

__all__ = ["integer", "number", "seconds"]

# Long enough for every parameter; longer ones would only make messages that nobody reads.
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,4})?")


def integer(text: str) -> int:
    """Read an integer in decimal ASCII digits.

    Raises
    ------
    InputError
        If `text` is anything else.
    """
    if not _INTEGER.fullmatch(text):
        raise InputError(f"must be an integer in the digits 0 to 9, not {text[:80]!r}")
    return int(text)


def number(text: str) -> float:
    """Read a finite decimal number, with or without an exponent.

    Raises
    ------
    InputError
        If `text` is anything else.
    """
    value = float(text) if _NUMBER.fullmatch(text) else float("inf")
    if value in (float("inf"), float("-inf")):
        raise InputError(f"must be a number in the digits 0 to 9, not {text[:80]!r}")
    return value


def seconds(text: str) -> float:
    """Read a time above 0.

    Raises
    ------
    InputError
        If `text` is anything else.
    """
    value = number(text)
    if value <= 0:
        raise InputError(f"must be above 0 seconds, not {text[:80]!r}")
    return value
