"""The estimate of a design: the sum over its parts, and the range that published designs show."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from eie.hls.boundary.tables import as_html, as_text
from eie.hls.model.area.blocks import kernel_blocks, surrounding_blocks
from eie.hls.model.area.cost import Cost
from eie.hls.model.area.memories import Memory, memories_of
from eie.hls.model.area.operator_table import Family
from eie.hls.model.area.part import Block
from eie.hls.model.area.published import spread
from eie.hls.spec.design import Design, target_board

__all__ = [
    "AREA_HEAD",
    "PARTS_HEAD",
    "AreaRow",
    "Edge",
    "Estimate",
    "Range",
    "area_blocks",
    "estimate",
    "estimate_of",
    "family_of",
    "part_rows",
]

#: The three numbers of a range, by name.
Edge = Literal["low", "expected", "high"]


@dataclass(frozen=True)
class Range:
    """LUTs or flip-flops: what the parts come to, and what that may become."""

    #: Sum over the parts.
    parts: int
    #: The sum times the smallest, the median and the largest ratio of published designs.
    low: int
    expected: int
    high: int

    @classmethod
    def of(cls, kernel: float, around: float, resource: str) -> Range:
        """Make one; `around` is known from reports, so no ratio stretches it."""
        by = spread(resource)
        low, expected, high = (
            math.floor((ratio * kernel + around) / 100 + 0.5) * 100
            for ratio in (by.low, by.expected, by.high)
        )
        return cls(round(kernel + around), low, expected, high)

    def at(self, edge: Edge) -> int:
        """The number at an edge."""
        return int(getattr(self, edge))

    def __str__(self) -> str:
        return f"{self.low:,} to {self.high:,}, {self.expected:,} expected"


@dataclass(frozen=True)
class AreaRow:
    """Processes of a kind, streams or cells, with what they take by parts."""

    #: Name.
    name: str
    #: How many of them there are.
    count: int
    #: What one of them takes.
    one: Cost
    #: Whether it is of the kernel, or around it.
    kernel: bool

    @property
    def all(self) -> Cost:
        """What all of them take."""
        return self.one * self.count


@dataclass(frozen=True)
class Estimate:
    """Resources of a design."""

    #: Every array, in the order of the kernel.
    memories: tuple[Memory, ...]
    #: What each process, stream and cell takes.
    rows: tuple[AreaRow, ...]
    #: DSP slices: one multiplier a PE, eight a cell unit, and four for each of three 32-bit
    #: products, once.
    dsp: int
    #: LUTs of the whole block design.
    lut: Range
    #: Flip-flops of the whole block design.
    ff: Range

    @property
    def bram18(self) -> int:
        """BRAM18s of the kernel."""
        return sum(memory.bram18 for memory in self.memories)

    @property
    def bram36(self) -> int:
        """BRAM36s, each of which holds two BRAM18s."""
        return -(-self.bram18 // 2)

    @property
    def uram(self) -> int:
        """UltraRAMs."""
        return sum(memory.uram for memory in self.memories)

    def __str__(self) -> str:
        return as_text(self._table())

    def _repr_html_(self) -> str:
        return as_html(self._table(), head=("resource", "takes", ""))

    def _table(self) -> list[tuple[str, str, str]]:
        return [
            ("BRAM36", f"{self.bram36}", "exact"),
            ("UltraRAM", f"{self.uram}", "exact"),
            ("DSP", f"{self.dsp}", "exact, or up to 3 fewer"),
            ("LUT", f"{self.lut.low} to {self.lut.high}", _sure(self.lut)),
            ("flip-flops", f"{self.ff.low} to {self.ff.high}", _sure(self.ff)),
        ]

    def area_table(self) -> list[Sequence[str]]:
        """Lay the parts out, largest first, for :mod:`eie.hls.boundary.tables`: no header."""
        total = sum((row.all for row in self.rows), Cost())
        rows: list[Sequence[str]] = []
        for row in sorted(self.rows, key=lambda row: -row.all.lut):
            share = 100 * row.all.lut / total.lut
            rows.append((row.name, f"{row.count}", *_cells(row.one, row.all), f"{share:.1f} %"))
        rows.append(("together", "", "", *_cells(total, total)[1:], "100.0 %"))
        return rows


#: Header of :meth:`Estimate.area_table`.
AREA_HEAD = (
    "part", "copies", "LUTs of one", "LUTs", "flip-flops", "BRAM18", "UltraRAM", "DSP", "of LUTs",
)  # fmt: skip


@functools.lru_cache(maxsize=4096)
def estimate(design: Design) -> Estimate:
    """Count what `design` takes."""
    return estimate_of(design, *area_blocks(design), memories_of(design))


def estimate_of(
    design: Design,
    kernel: Sequence[Block],
    around: Sequence[Block],
    memories: tuple[Memory, ...],
) -> Estimate:
    """Sum blocks and memories up, which need not be those that the kernel of `design` has.

    Parameters
    ----------
    design
        Whose board says the family of parts.
    kernel, around
        Blocks of the kernel, and around it.
    memories
        Every array of the kernel.
    """
    family = family_of(design)
    rows = (
        *(AreaRow(block.name, block.count, block.cost(family), True) for block in kernel),
        *(AreaRow(block.name, block.count, block.cost(family), False) for block in around),
    )
    inside = sum((row.all for row in rows if row.kernel), Cost())
    outside = sum((row.all for row in rows if not row.kernel), Cost())
    return Estimate(
        memories,
        rows,
        dsp=inside.dsp,
        lut=Range.of(inside.lut, outside.lut, "lut"),
        ff=Range.of(inside.ff, outside.ff, "ff"),
    )


#: Header of :func:`part_rows`.
PARTS_HEAD = (
    "part", "operator", "size", "times", "LUTs", "flip-flops", "BRAM18", "UltraRAM", "DSP",
)  # fmt: skip


def part_rows(design: Design, name: str) -> list[Sequence[str]]:
    """Lay the parts of one process out, in the order of its list: no header.

    Parameters
    ----------
    design
        The design.
    name
        Of an :class:`AreaRow`.
    """
    family = family_of(design)
    block = next(each for blocks in area_blocks(design) for each in blocks if each.name == name)
    rows: list[Sequence[str]] = [
        (
            each.name,
            each.operator,
            each.size_text,
            f"{each.count}",
            *_cells(Cost(), each.cost(family))[1:],
        )
        for each in block.parts
    ]
    total = block.cost(family)
    rows.append(("together", "", "", "", *_cells(total, total)[1:]))
    return rows


def area_blocks(design: Design) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    """Blocks of the kernel, and around it, with all their parts."""
    return kernel_blocks(design), surrounding_blocks()


def family_of(design: Design) -> Family:
    """Family of the part that a design is built for."""
    return "xc7" if target_board(design).family == "zynq7" else "xcup"


def _sure(found: Range) -> str:
    return f"by parts {found.parts}, expected {found.expected}; never synthesised"


def _cells(one: Cost, every: Cost) -> tuple[str, ...]:
    return (
        f"{one.lut:,.0f}",
        f"{every.lut:,.0f}",
        f"{every.ff:,.0f}",
        f"{every.bram18}",
        f"{every.uram}",
        f"{every.dsp}",
    )
