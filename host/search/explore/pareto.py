"""The designs that are worth looking at: none is both faster and smaller."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eie.hls.spec.design import RANGES
from eie.host.search.explore.result import PointResult

__all__ = ["pareto_front", "pareto_table"]


def pareto_front(results: Iterable[PointResult]) -> list[PointResult]:
    """Give the results that no other is better than, for each board, from fast to small.

    A result is better if its latency and its share of the scarcest resource (without a board its
    bits of memory) are no greater and one of them is less. Of those that are equal in both one
    stands for all: that with fewest bits of memory, then BRAM36s, UltraRAMs, DSP slices and LUTs,
    then the shallowest queues (``queue_depth``, then ``result_depth``), then the smallest of each
    other parameter in the order of :data:`eie.hls.spec.design.RANGES`.
    """
    fitting = [result for result in results if result.fits]
    front: list[PointResult] = []
    for board in dict.fromkeys(result.board for result in fitting):
        smallest = float("inf")
        for result in sorted(
            (each for each in fitting if each.board == board),
            key=lambda each: (each.latency_us, each.cost, *_size(each)),
        ):
            if result.cost < smallest:
                front.append(result)
                smallest = result.cost
    return front


def _size(result: PointResult) -> tuple[Any, ...]:
    """Sort results of equal latency and cost by: the smaller, the earlier; no two are equal."""
    takes = (result.memory_bits, result.bram36, result.uram, result.dsp, result.lut)
    # Up to 32 elements a queue takes the same LUTs.
    names = dict.fromkeys(("queue_depth", "result_depth", *RANGES, "memory"))
    return (*takes, *(result.design[name] for name in names))


def pareto_table(front: Iterable[PointResult]) -> str:
    """Lay the front out as text, a line for each design."""
    head = (
        "board",
        "PEs",
        "runs",
        "queue",
        "memory",
        "cycles",
        "us",
        "share",
        "of",
        "Mbit",
        "BRAM36",
    )
    rows: list[tuple[str, ...]] = [(*head, "UltraRAM", "DSP")]
    for each in front:
        design = each.design
        numbers = (design["pes"], design["index_bits"], design["queue_depth"], design["memory"])
        share = f"{100 * each.share:.0f} %" if each.scarcest else "-"
        cost = (each.cycles, f"{each.latency_us:.1f}", share, each.scarcest or "-")
        bits = f"{each.memory_bits / 1e6:.2f}"
        row = (each.board, *numbers, *cost, bits, each.bram36, each.uram, each.dsp)
        rows.append(tuple(map(str, row)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(r, widths, strict=True)) for r in rows
    ]
    return "\n".join(line.rstrip() for line in lines)
