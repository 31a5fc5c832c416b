"""What each operator takes, measured: reads ``operators.json``, and looks between measured sizes.

The table is written by ``make calibrate`` (yosys ``synth_xilinx`` on small Verilog) and by nothing
else: it carries a hash of its contents, so that a figure that somebody typed in is not taken for a
measurement.
"""

from __future__ import annotations

import bisect
import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.text import shown
from eie.hls.model.area.cost import Cost

__all__ = [
    "FILE",
    "GENERATOR",
    "Family",
    "OperatorTable",
    "operator_cost",
    "operator_table",
    "read_table",
    "write_table",
]

#: Families of parts, as yosys calls them: 7 series, UltraScale+.
Family = Literal["xc7", "xcup"]

#: Version of the operators and of the way they are counted. Raise it when either changes in a way
#: that makes figures of before and after incomparable; a table of another version is refused.
GENERATOR = 1
#: The table, beside this file.
FILE = "operators.json"
_AGAIN = "run `make calibrate`, which measures it anew"


@dataclass(frozen=True)
class OperatorTable:
    """Measured operators of the families of parts.

    Between two measured sizes a figure is interpolated linearly, along each parameter in turn;
    beyond them it goes on along the line through the last two. LUTs of a larger size are never
    taken as fewer than those of a smaller one, as a synthesiser's luck with one size must not make
    hardware smaller that does more; flip-flops are, as a queue of two is made of them and one of
    four is not.
    """

    #: What measured it, as it says itself: ``Yosys 0.23 (...)``.
    made_by: str
    #: Names of parameters by operator.
    parameters: Mapping[str, tuple[str, ...]]
    #: Cost by family, operator and sizes, in the order of the parameters.
    measured: Mapping[str, Mapping[str, Mapping[tuple[int, ...], Cost]]]

    def cost(self, family: Family, operator: str, **sizes: int) -> Cost:
        """Look an operator up.

        Parameters
        ----------
        family
            Family of parts.
        operator
            Its name in the table.
        **sizes
            Each of its parameters; sizes below 1 take nothing.

        Raises
        ------
        InputError
            If there is no such operator, or its parameters are others.
        """
        if operator not in self.parameters:
            raise InputError(
                f"operator must be one of {', '.join(self.parameters)}, not {shown(operator)}"
            )
        names = self.parameters[operator]
        if set(sizes) != set(names):
            raise InputError(
                f"operator {operator} must be given {', '.join(names)}, not {', '.join(sizes)}"
            )
        wanted = tuple(sizes[name] for name in names)
        if min(wanted) < 1:
            return Cost()
        lut, ff, bram18, dsp = _between(_grid(self.measured[family][operator]), wanted)
        return Cost(lut, ff, round(bram18), round(dsp))


@functools.cache
def operator_table() -> OperatorTable:
    """Return the table that eie comes with."""
    return read_table(files("eie.hls.model.area").joinpath(FILE).read_text(encoding="utf-8"))


@functools.cache
def operator_cost(family: Family, operator: str, sizes: tuple[tuple[str, int], ...]) -> Cost:
    """Look an operator up in the table that eie comes with."""
    return operator_table().cost(family, operator, **dict(sizes))


def write_table(
    made_by: str, rows: Iterable[tuple[str, str, Mapping[str, int], Cost]], sources: str
) -> str:
    """Write a table as text.

    Parameters
    ----------
    made_by
        What measured it.
    rows
        Family, operator, its sizes by parameter, and what it takes.
    sources
        Hash of the Verilog that was measured.
    """
    operators: dict[str, dict[str, Any]] = {}
    for family, operator, sizes, cost in rows:
        entry = operators.setdefault(operator, {"parameters": list(sizes), "xc7": [], "xcup": []})
        entry[family].append([*sizes.values(), cost.lut, cost.ff, cost.bram18, cost.dsp])
    content = {
        "generator": GENERATOR,
        "made_by": made_by,
        "sources": sources,
        "columns": "sizes by parameter, then LUT, FF, BRAM18, DSP",
        "operators": operators,
    }
    text = json.dumps({"sha256": _hash(content), **content}, indent=1)
    return _rows_on_lines(text) + "\n"


def read_table(text: str, name: str = FILE) -> OperatorTable:
    """Read a table from its text.

    Raises
    ------
    InputError
        If it is not whole, was made by another version of the generator, or was edited: its
        contents have another hash than it says. The message names the file and what to do.
    """
    try:
        content = json.loads(text)
        stated = content.pop("sha256")
        generator = content["generator"]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(
            f"operator table {name} must be one that `make calibrate` wrote, whole; {_AGAIN}"
        ) from error
    if generator != GENERATOR:
        raise InputError(
            f"operator table {name} must be of generator {GENERATOR}, not {shown(generator)}: "
            f"another eie wrote it; {_AGAIN}"
        )
    if _hash(content) != stated:
        raise InputError(
            f"operator table {name} must hold what was measured, but it was edited: its contents "
            f"do not have the hash that it states; {_AGAIN}"
        )
    measured: dict[str, dict[str, dict[tuple[int, ...], Cost]]] = {"xc7": {}, "xcup": {}}
    parameters = {}
    for operator, entry in content["operators"].items():
        parameters[operator] = tuple(entry["parameters"])
        for family, costs in measured.items():
            costs[operator] = {tuple(row[:-4]): Cost(*row[-4:]) for row in entry[family]}
    return OperatorTable(content["made_by"], parameters, measured)


def _hash(content: Mapping[str, Any]) -> str:
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def _rows_on_lines(text: str) -> str:
    """Put each row of numbers, which ``indent`` spreads over lines, on one."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        bare = line.strip()
        if inside:
            lines[-1] += bare + (" " if bare.endswith(",") and not bare.startswith("]") else "")
        else:
            lines.append(line)
        if bare == "[" or bare.endswith(': ["parameters"'):
            inside = True
        elif bare.startswith("]"):
            inside = False
    return "\n".join(lines)


_Grid = dict[tuple[int, ...], tuple[float, ...]]


def _grid(costs: Mapping[tuple[int, ...], Cost]) -> _Grid:
    """Figures by sizes, LUTs at least as many as those of all smaller sizes."""
    return {
        at: (
            max(
                other.lut
                for smaller, other in costs.items()
                if all(s <= a for s, a in zip(smaller, at, strict=True))
            ),
            cost.ff,
            cost.bram18,
            cost.dsp,
        )
        for at, cost in costs.items()
    }


def _between(grid: _Grid, wanted: Sequence[int]) -> tuple[float, ...]:
    """Interpolate along the last parameter, between what the others give."""
    if not wanted:
        return grid[()]
    ends = sorted({at[-1] for at in grid})
    if len(ends) == 1:
        low = high = ends[0]
    else:
        place = min(max(bisect.bisect_left(ends, wanted[-1]), 1), len(ends) - 1)
        low, high = ends[place - 1], ends[place]
    at_low, at_high = (
        _between({at[:-1]: found for at, found in grid.items() if at[-1] == end}, wanted[:-1])
        for end in (low, high)
    )
    share = 0.0 if high == low else (wanted[-1] - low) / (high - low)
    return tuple(
        max(0.0, first + share * (second - first))
        for first, second in zip(at_low, at_high, strict=True)
    )
