"""Evaluate points: the exact cycle model and the estimator, sharing what points have in common.

How a network is encoded depends on PEs and zero runs alone, and its cycles on these and the depths
of queues. Points that share the former are evaluated together, and each set of depths is counted
once; board, memory and capacities cost next to nothing. A design too small for the network is
counted as if it held it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eie.hls.model.cycles import count_cycles
from eie.hls.model.memory_image import ResidentLayer, ResidentNetwork
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import encode_network
from eie.host.packing.row_assignment import Assignment
from eie.host.search.explore.grid import Point
from eie.host.search.explore.result import PointResult
from eie.host.search.fit import example_input
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
    network: Network, points: Sequence[Point], assignment: Assignment
) -> list[PointResult]:
    """Evaluate points that share an encoding."""
    pes, index_bits = _encoding(points[0])
    start = Design(pes=pes, index_bits=index_bits)
    packed = encode_network(network, pes, index_bits, assignment, start)
    accumulators = needed_accumulators(network)
    counter = _Counter(packed)
    results = []
    for point in points:
        board = BOARDS.get(point.board)
        fixed = {"queue_depth": _QUEUE_DEPTH, **point.fixed()}
        if board is not None:
            fixed = {"clock_mhz": board.clock_mhz, **fixed}
        fixed |= {"pes": pes, "index_bits": index_bits, "board": point.board}
        design, lacking = size_on_board(packed, board, accumulators, fixed)
        results.append(PointResult.of(point.key, design, counter.cycles(design), lacking))
    return results


class _Counter:
    """Cycles of one vector on designs that differ in depths and capacities only."""

    def __init__(self, packed: PackedNetwork) -> None:
        self._resident = _resident(packed)
        sent = packed.in_order_sent(example_input(packed.network))
        self._activations = self._resident.run(sent).activations[:-1]
        self._known: dict[tuple[int, int], int] = {}

    def cycles(self, design: Design) -> int:
        depths = (design.queue_depth, design.result_depth)
        if depths not in self._known:
            counters = count_cycles(design, self._resident, self._activations)
            self._known[depths] = counters.cycles
        return self._known[depths]


def _resident(packed: PackedNetwork) -> ResidentNetwork:
    """Put a network into PEs without a load packet, which has no room for what does not fit."""
    layers = tuple(
        ResidentLayer.build(
            {
                "columns": part.layer.columns,
                "rows": part.layer.rows,
                "local_rows": part.local_rows,
                "shift": part.layer.shift,
                "relu": int(part.layer.relu),
            },
            part.encoded,
            part.layer.codebook,
            part.biases().T.ravel(),
        )
        for part in packed.layers
    )
    # Nothing asks for the identity: no packet is made of it.
    return ResidentNetwork(0, packed.input_beats, packed.output_beats, layers)


def _encoding(point: Point) -> tuple[int, int]:
    fixed = point.fixed()
    return int(fixed["pes"]), int(fixed["index_bits"])


def _depths(fixed: dict[str, Any]) -> tuple[Any, ...]:
    return fixed.get("queue_depth"), fixed.get("result_depth")
