"""What the operators leave out: published designs whose HLS sources can be read.

The same operators, listed from the C++ of others in the same way, against the LUTs and flip-flops
that a tool of AMD's counted for it. What our sum is off by there, it may be off by here: the range
of an estimate is what these designs show, no narrower.

No code of theirs is here, only what operators it has; widths are those that the publication names.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from eie.hls.model.area.operator_table import Family
from eie.hls.model.area.part import Block, Part, control, part, register

__all__ = ["PUBLISHED", "Published", "Spread", "spread"]

_LIBRARY = "Xilinx/Vitis_Libraries"


@dataclass(frozen=True)
class Published:
    """A design that others published, with our list of its operators."""

    #: What it is, and its size.
    name: str
    #: Where source and figures are.
    source: str
    #: What counted the LUTs, and when: before or after placement.
    counted: str
    #: Family of the part.
    family: Family
    #: LUTs, and flip-flops; None where nothing is said of them.
    lut: int
    ff: int | None
    #: Its operators.
    block: Block

    @property
    def lut_ratio(self) -> float:
        """Published LUTs over our sum."""
        return self.lut / self.block.cost(self.family).lut

    @property
    def ff_ratio(self) -> float | None:
        """Published flip-flops over our sum."""
        return None if self.ff is None else self.ff / self.block.cost(self.family).ff


@dataclass(frozen=True)
class Spread:
    """How far published figures are from sums of operators."""

    low: float
    #: The median.
    expected: float
    high: float


@functools.cache
def spread(resource: str) -> Spread:
    """Smallest, median and largest ratio for ``"lut"`` or ``"ff"``.

    Sizes of one design say the same several times, so each design has one voice in the median: that
    of its own median.
    """
    kinds: dict[str, list[float]] = {}
    for each in PUBLISHED:
        ratio = each.lut_ratio if resource == "lut" else each.ff_ratio
        if ratio is not None:
            kinds.setdefault(each.block.name, []).append(ratio)
    every = [ratio for ratios in kinds.values() for ratio in ratios]
    middle = statistics.median(statistics.median(ratios) for ratios in kinds.values())
    return Spread(min(every), middle, max(every))


def _insert_sort(elements: int) -> Iterator[Part]:
    """List an insertion sort of 32-bit keys; 32 LUTs an element leave no room for a payload."""
    yield part("key against the new one", "less", elements, width=32)
    yield part("key: the new one, or the neighbour's", "select", elements, width=32, ways=2)
    yield part("place is filled", "equal_constant", elements, width=16)
    yield part("sign of the comparison", "logic2", elements, width=2)
    yield part("counters", "increment", 2, width=16)
    yield register("keys, in two stages, and signs", 65, elements)
    yield register("streams", 66, 2)
    yield from control(4, {"insert": 3})


def _bitonic_sort(keys: int) -> Iterator[Part]:
    """List a sorting network of 32-bit keys, with a stream on either side."""
    stages = keys.bit_length() - 1
    exchanges = keys // 2 * stages * (stages + 1) // 2
    yield part("one key against the other", "less", exchanges, width=32)
    yield part("keys exchanged", "select", 2 * exchanges, width=32, ways=2)
    yield part("key to send", "select", width=32, ways=keys)
    yield part("keys taken, sent", "increment", 2, width=32)
    yield register("keys after each exchange", 64, exchanges)
    yield register("keys taken", 32, keys)
    yield from control(2 * keys, {"sort": stages * (stages + 1) // 2})


def _pattern() -> Iterator[Part]:
    """List a generator of 1920 x 1080 pixels of 24 bits: two loops made one."""
    yield part("pixel", "increment", width=21)
    yield part("pixel: last", "equal_constant", width=21)
    yield part("column", "increment", width=11)
    yield part("column: last", "equal_constant", 2, width=11)
    yield part("column, or 0", "mask", width=11)
    yield part("output", "axis_slice", width=26)
    yield register("counters", 32)
    yield register("pixel on its way", 10, 2)
    yield from control(3, {"pixels": 3})


def _plumbing() -> Iterator[Part]:
    """List three processes that pass 1,024 samples of 16 bits on through double buffers."""
    yield part("input, output", "axis_slice", 2, width=44)
    yield part("registers", "axilite", width=1)
    yield part("samples", "increment", 3, width=11)
    yield part("samples: last", "equal_constant", 3, width=11)
    yield part("buffers: which half", "fifo", 3, width=2, depth=2)
    yield part("start and done of a process", "process_handshake", 3, width=1)
    yield part("start and done of a loop", "loop_handshake", 3, width=1)
    yield part("pipelines", "pipeline", 3, width=3)
    yield part("states", "states", 3, width=3)
    yield register("samples on their way", 16, 3)
    yield register("counters", 11, 3)


def _matrix_vector(pes: int, simd: int, bits: int, columns: int) -> Iterator[Part]:
    """List a FINN matrix-vector unit of `bits`-bit weights and activations, without thresholds."""
    accumulator = 2 * bits + math.ceil(math.log2(columns))
    yield part("products", "multiply_fabric", pes * simd, width=bits)
    width, adders = 2 * bits, simd
    while adders > 1:
        adders //= 2
        width += 1
        yield part("sum of products", "add", pes * adders, width=width)
    yield part("sum so far + new", "add", pes, width=accumulator)
    yield part("sum so far, or 0", "mask", pes, width=accumulator)
    yield part("inputs", "lutram_sdp", width=simd * bits, depth=columns // simd)
    yield part("input: new, or kept", "select", width=simd * bits, ways=2)
    yield part("counters of folds", "increment", 3, width=32)
    yield part("counters of folds: end", "equal", 3, width=32)
    yield part("start and done of the function", "process_handshake", width=1)
    yield register("products, sums", 2 * bits * simd + accumulator, pes)
    yield register("counters", 32, 3)
    yield from control(3, {"folds": 5})


def _finn(pes: int, simd: int, bits: int, columns: int) -> Published:
    # The unit's own formula, fitted to what was measured for FINN-R (TRETS 11(3), 2018).
    width = 2 * bits
    products = simd * (2 * math.ceil(width / 6) - 1) * width
    sums = width * (2 * simd - 1) + width + math.ceil(math.log2(columns))
    lut = round(300 + 1.1 * pes * (products + sums))
    return Published(
        f"matrix-vector unit, {pes} x {simd}, {bits} bits",
        "Xilinx/finn, matrixvectoractivation.py, lut_estimation (c0, c1 of FINN-R); "
        "Xilinx/finn-hlslib, mvau.hpp",
        "fit of theirs to synthesised units",
        "xcup",
        lut,
        None,
        Block("matrix-vector unit", 1, tuple(_matrix_vector(pes, simd, bits, columns))),
    )


#: All that was found with source and figures.
PUBLISHED: tuple[Published, ...] = (
    *(
        Published(
            f"insertion sort of {elements}",
            f"{_LIBRARY}, database (1e01c6e): insert_sort.hpp, insert_sort.rst",
            "synthesis results, tool not named",
            "xcup",
            lut,
            ff,
            Block("insertion sort", 1, tuple(_insert_sort(elements))),
        )
        for elements, lut, ff in (
            (8, 343, 1007),
            (16, 607, 1835),
            (32, 1135, 3451),
            (64, 2144, 6692),
            (128, 4192, 13156),
            (256, 8285, 26082),
            (512, 16477, 51885),
        )
    ),
    *(
        Published(
            f"bitonic sort of {keys}",
            f"{_LIBRARY}, database (1e01c6e, a86461c): bitonic_sort.hpp, bitonic_sort.rst",
            "resource consumption, tool not named",
            "xcup",
            lut,
            ff,
            Block("bitonic sort", 1, tuple(_bitonic_sort(keys))),
        )
        for keys, lut, ff in (
            (8, 2647, 3136),
            (16, 7912, 9291),
            (32, 21584, 26011),
            (64, 58064, 69160),
        )
    ),
    Published(
        "video pattern",
        "t-kuha/sd-blk-video (ecd79f2, 752e3a8): src/hls/hls.cpp, README.md",
        "Vivado, after implementation, xc7z020",
        "xc7",
        124,
        111,
        Block("video pattern", 1, tuple(_pattern())),
    ),
    Published(
        "three processes and two buffers",
        "zenith-radar-os, zenith_fft_1d: notes of week 3, days 1 and 2 (C. Chang, April 2026)",
        "Vivado of Vitis 2025.2, after synthesis, xc7z020",
        "xc7",
        413,
        307,
        Block("three processes", 1, tuple(_plumbing())),
    ),
    _finn(1, 1, 4, 64),
    _finn(2, 4, 4, 64),
    _finn(4, 8, 4, 64),
    _finn(8, 16, 4, 256),
)
