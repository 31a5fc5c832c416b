"""How a report writes values for people: numbers with thousands, units, names that are harmless."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from eie.hls.boundary.text import printable

__all__ = [
    "FORMATS",
    "UNKNOWN",
    "accuracy",
    "average",
    "data_size",
    "duration",
    "limit",
    "name",
    "number",
    "percent",
    "ratio",
    "short_names",
    "whole",
]

#: What stands for a value that is not known.
UNKNOWN = "–"
#: Characters of a name that are shown.
_LONGEST_NAME = 160
#: Characters of it beside a plot.
_LONGEST_SHORT = 24
_DIGITS = 3
_LEAST_PERCENT = 0.001
#: Percents that are written without a fraction.
_WHOLE_PERCENT = 1000


def number(value: float) -> str:
    """Write a number with thousands, and of fractions three digits in all."""
    if isinstance(value, int) or value == int(value):
        return f"{value:,.0f}".replace("-", "−")
    places = max(0, _DIGITS - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(places, 6)}f}".replace("-", "−")


def percent(share: float) -> str:
    """Write a share of 1 in percent: two digits where it is small."""
    value = 100 * share
    if 0 < abs(value) < _LEAST_PERCENT:  # what is left of sums in floating point
        return f"< {_LEAST_PERCENT:g} %"
    if 0 < abs(value) < 1:
        return f"{float(f'{value:.2g}'):g} %"
    if value >= _WHOLE_PERCENT:
        return f"{value:,.0f} %"
    return f"{value:.{1 if value >= 10 else 2}f}".rstrip("0").rstrip(".") + " %"


def accuracy(share: float) -> str:
    """Write a share of vectors: a hundredth of a percent is one of ten thousand."""
    return f"{100 * share:.2f} %"


def limit(value: float) -> str:
    """Write the end of a range, in four digits at most."""
    return f"{value:.4g}".replace("-", "−")


def average(value: float) -> str:
    """Write an average of counts, in as many digits as its neighbours."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


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
    """Write how many times smaller something is, or larger."""
    times, word = (value, "smaller") if value >= 1 else (1 / value, "larger")
    return f"{float(f'{times:.3g}'):g}× {word}"


def whole(value: float) -> str:
    """Write a number without fractions, as far as three digits tell."""
    return number(int(float(f"{value:.3g}"))) if value >= 100 else number(value)


def name(text: object) -> str:
    """Write a name from a file: no control characters, and not without end."""
    return _cut(printable(str(text)), _LONGEST_NAME, _LONGEST_NAME // 2)


def short_names(names: Sequence[str], longest: int = _LONGEST_SHORT) -> dict[str, str]:
    """Shorten names so that none is longer than `longest`, and no two look the same.

    What is cut is a beginning that all share, and then the middle, since names of layers differ at
    both ends. A page may cut the end of what is left where it is narrow.
    """
    printed = _without_shared_beginning([printable(text) for text in names], longest)
    for head in range(longest // 2, longest):
        cut = [_cut(text, longest, head) for text in printed]
        if len(set(cut)) == len(names):
            return dict(zip(names, cut, strict=True))
    room = longest - len(f"{len(names)}: ")
    return {
        text: f"{number}: {_cut(shown, room, room // 2)}"
        for number, (text, shown) in enumerate(zip(names, printed, strict=True), 1)
    }


def _without_shared_beginning(names: list[str], longest: int) -> list[str]:
    """Leave out what all names begin with, up to the end of a word, if some are long."""
    if len(names) < 2 or max(map(len, names)) <= longest:
        return names
    first, last = min(names), max(names)  # what these two share, all do
    shared = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    words = re.match(r".*[._/]", first[:shared])
    if words is None or len(words[0]) < 2:
        return names
    return [f"…{text[len(words[0]) :]}" for text in names]


def _cut(text: str, longest: int, head: int) -> str:
    if len(text) <= longest:
        return text
    tail = longest - 1 - head
    return f"{text[:head]}…{text[len(text) - tail :]}"


#: Ways to write a value, by name.
FORMATS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        "number": number,
        "percent": percent,
        "accuracy": accuracy,
        "average": average,
        "limit": limit,
        "duration": duration,
        "data_size": data_size,
        "ratio": ratio,
        "whole": whole,
        "name": name,
    }
)
