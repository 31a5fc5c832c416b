"""Evaluate points: the exact cycle model and the estimator, sharing what points have in common.

How a network is encoded depends on PEs and zero runs alone, and its cycles on these and the depths
of queues. Points that share the former are evaluated together, and each set of depths is counted
once; board, memory and capacities cost next to nothing. A design too small for the network is
counted as if it held it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.packer import encode_network
from eie.host.packing.row_assignment import Assignment
from eie.host.search.explore.grid import Point
from eie.host.search.explore.result import PointResult
from eie.host.search.prediction import Prediction
from eie.host.search.sizing import needed_accumulators, size_on_board

__all__ = ["evaluate", "groups"]

#: Queue depth of points that do not say.
_QUEUE_DEPTH = 32
#: Counts of cycles and points of a group at most.
_COUNTS = 16
_POINTS = 1000


def groups(points: Sequence[Point]) -> list[list[Point]]:
    """Points that share an encoding, as many together as a worker takes at a time.

    A group is a few seconds of work for a large network: an encoding and at most
    :data:`_COUNTS` counts of cycles. Points of equal depths stand together, so that they are
    counted in one group, if they are not very many.
    """
    by_encoding: dict[tuple[Any, ...], list[Point]] = {}
    for point in points:
        by_encoding.setdefault(_encoding(point), []).append(point)
    found: list[list[Point]] = []
    for same in by_encoding.values():
        counts = _COUNTS
        last = None
        for point in sorted(same, key=lambda point: (str(_depths(point.fixed())), point.key)):
            depths = _depths(point.fixed())
            if depths != last:
                counts, last = counts + 1, depths
            if counts > _COUNTS or len(found[-1]) == _POINTS:
                found.append([])
                counts = 1
            found[-1].append(point)
    # Small arrays take longest to count; what takes longest goes first, to end together.
    return sorted(found, key=lambda group: _encoding(group[0]))


def evaluate(
    network: Network, points: Sequence[Point], assignment: Assignment, *, batch: bool = False
) -> list[PointResult]:
    """Evaluate points that share an encoding; the time in a batch too if `batch` says so."""
    pes, index_bits = _encoding(points[0])
    packed = encode_network(network, Design(pes=pes, index_bits=index_bits), assignment)
    accumulators = needed_accumulators(network)
    prediction = Prediction(packed)
    results = []
    for point in points:
        board = BOARDS.get(point.board)
        fixed = {"queue_depth": _QUEUE_DEPTH, **point.fixed()}
        if board is not None:
            fixed = {"clock_mhz": board.clock_mhz, **fixed}
        fixed |= {"pes": pes, "index_bits": index_bits, "board": point.board}
        design, lacking = size_on_board(packed, board, accumulators, fixed)
        in_batch = prediction.batch_cycles(design) if batch else None
        cycles = prediction.cycles(design)
        allowance = prediction.allowance(design)
        results.append(PointResult.of(point.key, design, cycles, lacking, in_batch, allowance))
    return results


def _encoding(point: Point) -> tuple[int, int]:
    fixed = point.fixed()
    return int(fixed["pes"]), int(fixed["index_bits"])


def _depths(fixed: dict[str, Any]) -> tuple[Any, ...]:
    return fixed.get("queue_depth"), fixed.get("result_depth")
