"""The points of an exploration: every combination of the values asked for."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eie.hls.boundary.errors import DesignError, InputError, Problems
from eie.hls.boundary.numerals import integer
from eie.hls.boundary.text import shown
from eie.hls.spec.boards import BOARDS, find_board
from eie.hls.spec.design import NO_BOARD, RANGES, Design

__all__ = ["DEFAULT_AXES", "MOST_POINTS", "SWEPT", "Grid", "Point", "parse_values"]

#: Parameters that can be swept.
SWEPT = (*RANGES, "memory")
#: Points of a grid at most, as results are held in memory, and values of a range.
MOST_POINTS = 1_000_000
_MOST_VALUES = 10_000
#: What is swept unless something else is asked for.
DEFAULT_AXES: Mapping[str, tuple[Any, ...]] = {
    "pes": tuple(1 << power for power in range(9)),
    "queue_depth": (4, 8, 16, 32, 64),
    "index_bits": (3, 4, 5, 6, 8),
    "memory": ("bram", "uram"),
}


@dataclass(frozen=True)
class Point:
    """One combination of values on one board; all else is sized for the network."""

    board: str
    #: Value of each swept parameter, by name.
    values: tuple[tuple[str, Any], ...]

    @property
    def key(self) -> str:
        """The same text for the same point, whatever the order it was asked for in."""
        return json.dumps([self.board, sorted(self.values)])

    def fixed(self) -> dict[str, Any]:
        """Parameters as :func:`eie.host.search.fit.fit` takes them."""
        return dict(self.values)


@dataclass(frozen=True)
class Grid:
    """Boards, and the values of each swept parameter.

    Raises
    ------
    InputError
        On construction, naming every value that no design can have.
    """

    boards: tuple[str, ...]
    axes: tuple[tuple[str, tuple[Any, ...]], ...]

    @classmethod
    def of(cls, boards: Sequence[str], axes: Mapping[str, Sequence[Any]] | None = None) -> Grid:
        """Make a grid; axes that are not given are :data:`DEFAULT_AXES`."""
        merged = {**DEFAULT_AXES, **(axes or {})}
        return cls(
            tuple(dict.fromkeys(map(_board_name, boards))),
            tuple((name, tuple(dict.fromkeys(values))) for name, values in merged.items()),
        )

    def __post_init__(self) -> None:
        problems = Problems("grid")
        problems.require(len(self.boards) > 0, "boards must name at least one board")
        of_axis = dict(self.axes)
        for name, values in self.axes:
            if not problems.require(
                name in SWEPT, f"{name!r} is not a parameter to sweep; there are {', '.join(SWEPT)}"
            ):
                continue
            problems.require(len(values) > 0, f"{name} must have at least one value")
            wrong = [text for value in values if (text := _fault({"pes": 1, name: value}))]
            more = f" (and {len(wrong) - 1} values more)" if len(wrong) > 1 else ""
            problems.require(not wrong, f"{wrong[0] if wrong else ''}{more}")
        for board in self.boards:
            if not problems.require(
                board == NO_BOARD or board in BOARDS,
                f"board must be one of {', '.join((*BOARDS, NO_BOARD))}, not {board!r}",
            ):
                continue
            problems.require(
                "uram" not in of_axis.get("memory", ())
                or "bram" in of_axis["memory"]
                or _has_uram(board),
                f"memory must include 'bram': {board} has no UltraRAM",
            )
        problems.raise_as(InputError)
        for length_bits in of_axis.get("length_bits", ()):
            for pointers in of_axis.get("pointers_per_pe", ()):
                both = {"length_bits": length_bits, "pointers_per_pe": pointers}
                fault = _fault({"pes": 1, **both})
                problems.require(not fault, f"{fault}, with length_bits {length_bits}")
        problems.require(
            len(self) <= MOST_POINTS,
            f"the values must make at most {MOST_POINTS} points, not {len(self)}",
        )
        problems.raise_as(InputError)

    def __len__(self) -> int:
        """Count the points."""
        others = math.prod(len(values) for name, values in self.axes if name != "memory")
        memories = dict(self.axes).get("memory", ("bram",))
        return others * sum(
            len(memories) - ("uram" in memories and not _has_uram(board)) for board in self.boards
        )

    def __iter__(self) -> Iterator[Point]:
        names = [name for name, _ in self.axes]
        for board in self.boards:
            for values in itertools.product(*(values for _, values in self.axes)):
                point = Point(board, tuple(zip(names, values, strict=True)))
                # A board without UltraRAM has no such designs.
                if point.fixed().get("memory") != "uram" or _has_uram(board):
                    yield point


def _fault(parameters: dict[str, Any]) -> str:
    """What is wrong with the parameters of a design, if anything."""
    try:
        Design(**parameters)
    except DesignError as error:
        return "; ".join(error.problems)
    return ""


def _board_name(name: str) -> str:
    """Name of a board that goes by any spelling; what is none is refused with all else."""
    try:
        return name if name == NO_BOARD else find_board(name).name
    except InputError:
        return name


def _has_uram(board: str) -> bool:
    return board == NO_BOARD or BOARDS[board].uram > 0


def parse_values(text: str, name: str) -> tuple[Any, ...]:
    """Read the values of a parameter: ``8,16,32``, ``8:64:8`` (both ends included), or both.

    Raises
    ------
    InputError
        If the text is neither, or a range has more than 10,000 values.
    """
    if name == "memory":
        return tuple(part.strip() for part in text.split(",") if part.strip())
    values: list[int] = []
    try:
        for part in text.split(","):
            numbers = [integer(number) for number in part.split(":")]
            if len(numbers) == 1:
                values += numbers
            else:
                first, last, step = (*numbers, 1)[:3] if len(numbers) == 2 else numbers
                if step < 1 or last < first or (last - first) // step >= _MOST_VALUES:
                    raise ValueError(part)
                values += range(first, last + 1, step)
    except ValueError as error:
        raise InputError(
            f"{name} must be numbers and ranges like 8,16 or 8:64:8, not {shown(text)}"
        ) from error
    return tuple(values)
