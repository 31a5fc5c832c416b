"""The parts of an array's picture: boxes, rows and routes, and the sizes of what is to scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from eie.hls.model.area.memories import Memory

__all__ = [
    "LARGEST",
    "TOP",
    "Box",
    "PeRow",
    "Places",
    "Point",
    "Route",
    "block_cells",
    "block_size",
    "memory_side",
]

Point = tuple[float, float]

#: Side of the largest memory's square, in pixels.
LARGEST = 40.0
#: Where the first boxes are, under the host.
TOP = 126.0
#: Cells of a queue in a row: of shallow ones, of deeper ones, and the depth between them.
_PER_ROW, _PER_ROW_OF_DEEP, _DEEP = 8, 16, 64


@dataclass(frozen=True)
class Box:
    """Where a process is drawn."""

    x: float
    y: float
    width: float
    height: float
    #: Which process of its stage.
    instance: int
    #: Whether it is a node of a tree, without room for a name.
    is_node: bool = False
    #: Whether it is the first one drawn of its stage.
    first: bool = True

    @property
    def middle(self) -> float:
        """Where level lines meet it."""
        return self.y + self.height / 2


@dataclass(frozen=True)
class PeRow:
    """The row of a PE."""

    pe: int
    y: float
    height: float


@dataclass
class Route:
    """How the streams of a link run."""

    lines: list[list[Point]] = field(default_factory=list)
    dashed: list[list[Point]] = field(default_factory=list)
    #: Middles of the queues' cells.
    blocks: list[Point] = field(default_factory=list)
    #: Where the name is, and its class; None for one that is said in a note.
    label: Point | None = None
    anchor: str = ""


@dataclass
class Places:
    """Where everything is."""

    width: float
    height: float = 0.0
    first_row: float = TOP
    middle: float = 0.0
    ports: tuple[float, float] = (0.0, 0.0)
    rows: list[PeRow] = field(default_factory=list)
    ellipsis: float | None = None
    pe_span: tuple[float, float] = (0.0, 0.0)
    boxes: dict[int, list[Box]] = field(default_factory=dict)
    routes: dict[tuple[str, int, int], Route] = field(default_factory=dict)
    #: Texts under the array: where they begin, and each with its place, lines and class.
    notes_from: float = 0.0
    notes: list[tuple[float, list[str], str]] = field(default_factory=list)


def memory_side(memory: Memory, largest: int) -> float:
    """Side of a memory's square, where one of `largest` bits has :data:`LARGEST` pixels."""
    return LARGEST * math.sqrt(memory.depth * memory.width / largest)


def block_size(depth: int, cell: float) -> tuple[float, float]:
    """Width and height of a queue's cells."""
    each = _PER_ROW if depth <= _DEEP else _PER_ROW_OF_DEEP
    return min(depth, each) * cell, -(-depth // each) * cell


def block_cells(depth: int) -> Iterator[tuple[int, int]]:
    """Row and column of each cell of a queue."""
    each = _PER_ROW if depth <= _DEEP else _PER_ROW_OF_DEEP
    yield from (divmod(number, each) for number in range(depth))
