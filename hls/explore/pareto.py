"""The designs that are worth looking at: none is both faster and smaller."""

from __future__ import annotations

from collections.abc import Iterable

from eie.hls.explore.result import PointResult

__all__ = ["pareto_front", "pareto_table"]


def pareto_front(results: Iterable[PointResult]) -> list[PointResult]:
    """Give the results that no other is better than, for each board, from fast to small.

    A result is better if its latency and its share of the scarcest resource (without a board its
    bits of memory) are no greater and one of them is less. Of equal ones the one with fewer bits of
    memory stands for all.
    """
    fitting = [result for result in results if result.fits]
    front: list[PointResult] = []
    for board in dict.fromkeys(result.board for result in fitting):
        smallest = float("inf")
        for result in sorted(
            (each for each in fitting if each.board == board),
            key=lambda each: (each.latency_us, each.cost, each.memory_bits, each.key),
        ):
            if result.cost < smallest:
                front.append(result)
                smallest = result.cost
    return front


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
