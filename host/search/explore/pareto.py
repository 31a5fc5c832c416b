"""The designs that are worth looking at: none is both faster and smaller."""

from __future__ import annotations

from collections.abc import Iterable

from eie.hls.boundary.tables import as_text
from eie.host.search.explore.result import PointResult
from eie.host.search.judge import BY_LATENCY, Judge

__all__ = ["pareto_front", "pareto_table"]


def pareto_front(results: Iterable[PointResult], judge: Judge = BY_LATENCY) -> list[PointResult]:
    """Give the results that no other is better than, for each board, the best by `judge` first.

    A result is better if its latency (its time in a batch, if the goal is throughput) and its share
    of the scarcest resource (without a board its bits of memory) are no greater and one of them is
    less. Of those that are equal in both one stands for all, by the tie-breakers of
    :mod:`eie.host.search.judge`. Unless something else is asked for, from fast to small.
    """
    fitting = [result for result in results if result.fits]
    return [
        each
        for board in dict.fromkeys(result.board for result in fitting)
        for each in judge.front(
            (each for each in fitting if each.board == board), lambda each: each.merit
        )
    ]


def pareto_table(front: Iterable[PointResult]) -> str:
    """Lay the front out as text, a numbered line for each design."""
    results = list(front)
    batched = any(each.batch_us is not None for each in results)
    # Cycles and the batch are the least; microseconds are with the allowance for stages.
    grouped = any(each.design["abreast"] > 1 for each in results)
    head = ["#", "board", "PEs", *(["abreast"] if grouped else [])]
    head += ["runs", "queue", "memory", "cycles", "us with stages"]
    head += ["least us in a batch"] if batched else []
    rows: list[list[object]] = [[*head, "share", "of", "Mbit", "BRAM36", "UltraRAM", "DSP"]]
    for number, each in enumerate(results, 1):
        design = each.design
        names = ("pes", *(("abreast",) if grouped else ()), "index_bits", "queue_depth", "memory")
        row = [
            number,
            each.board,
            *(design[name] for name in names),
            each.cycles,
            f"{each.latency_us:.1f}",
        ]
        if batched:
            row.append("-" if each.batch_us is None else f"{each.batch_us:.1f}")
        share = f"{100 * each.share:.0f} %" if each.scarcest else "-"
        bits = f"{each.memory_bits / 1e6:.2f}"
        row += [share, each.scarcest or "-", bits, each.bram36, each.uram, each.dsp]
        rows.append(row)
    return as_text(rows)
