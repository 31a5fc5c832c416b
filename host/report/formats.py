"""How a report writes values for people: numbers with thousands, units, names that are harmless."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from eie.hls.boundary.text import printable

__all__ = ["FORMATS", "UNKNOWN", "data_size", "duration", "name", "number", "percent"]

#: What stands for a value that is not known.
UNKNOWN = "–"
#: Characters of a name that are shown.
_LONGEST_NAME = 160
_DIGITS = 3


def number(value: float) -> str:
    """Write a number with thousands, and of fractions three digits in all."""
    if isinstance(value, int) or value == int(value):
        return f"{value:,.0f}".replace("-", "−")
    places = max(0, _DIGITS - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(places, 6)}f}".replace("-", "−")


def percent(share: float) -> str:
    """Write a share of 1 in percent."""
    value = 100 * share
    if value == 0 or abs(value) >= 10:
        return f"{value:.1f} %".replace(".0 %", " %")
    return f"{number(value)} %"


def duration(microseconds: float) -> str:
    """Write a time in the unit that suits it."""
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size:
            return f"{number(microseconds / size)} {unit}"
    return f"{number(microseconds)} µs"


def data_size(count: float) -> str:
    """Write a number of bytes in the unit that suits it, of thousands."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{number(round(count / size, 3))} {unit}"
    return f"{count:,.0f} bytes"


def ratio(value: float) -> str:
    """Write how many times."""
    return f"{number(float(f'{value:.3g}'))}×"


def whole(value: float) -> str:
    """Write a number without fractions, as far as three digits tell."""
    return number(int(float(f"{value:.3g}"))) if value >= 100 else number(value)


def name(text: object) -> str:
    """Write a name from a file: no control characters, and not without end."""
    shown = printable(str(text))
    if len(shown) <= _LONGEST_NAME:
        return shown
    half = _LONGEST_NAME // 2
    return f"{shown[:half]}…{shown[-half:]}"


#: Ways to write a value, by name.
FORMATS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        "number": number,
        "percent": percent,
        "duration": duration,
        "data_size": data_size,
        "ratio": ratio,
        "whole": whole,
        "name": name,
    }
)
