"""What limits a layer on a board: PEs by each resource, and cycles by each path.

How many PEs a board holds is a question of LUTs (a range, around the sum over a design's parts),
block RAM (each PE reads memories of its own) and DSP slices. How fast a layer runs on them is one
of PEs, of the broadcast, which gives one activation a cycle, and of the streams, which move four
values a cycle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eie.hls.model.area import EDGES, JUDGED, Edge, Estimate, LutBudget, estimate
from eie.hls.spec.boards import DSP_BUDGET, MEMORY_BUDGET, Board
from eie.hls.spec.design import Design

__all__ = ["LayerBounds", "LayerWork", "PeLimits", "layer_bounds", "pe_limits"]

_COUNTS = tuple(1 << power for power in range(8, -1, -1))
_VALUES_PER_BEAT = 4


@dataclass(frozen=True)
class PeLimits:
    """PEs that each resource of a board allows, if it were the only one: powers of two."""

    #: By the low end, what is expected and the high end of the LUT range, of designs without what
    #: ``eie fit`` lets go for LUTs.
    lut: tuple[int, int, int]
    #: By the smallest memories that a PE can have, most of them in LUTs: what capacity takes comes
    #: on top.
    memory: int
    dsp: int

    @property
    def pes(self) -> int:
        """PEs by the number of the LUT range that `eie fit` judges."""
        return min(self.judged, self.memory, self.dsp)

    @property
    def judged(self) -> int:
        """PEs by LUTs alone, as they are judged."""
        return self.lut[EDGES.index(JUDGED)]

    @property
    def binding(self) -> str:
        """The resource that allows fewest."""
        limits = {"LUT": self.judged, "BRAM": self.memory, "DSP": self.dsp}
        return min(limits, key=lambda name: limits[name])


@dataclass(frozen=True)
class LayerWork:
    """What one vector asks of a layer."""

    inputs: int
    outputs: int
    #: Non-zero activations.
    activations: int
    #: Weights that they meet.
    weights_met: int


@dataclass(frozen=True)
class LayerBounds:
    """Cycles of a vector in a batch that each path takes at least; the largest counts."""

    pes: float
    broadcast: float
    input: float
    output: float

    @property
    def cycles(self) -> float:
        """The largest."""
        return max(self.pes, self.broadcast, self.input, self.output)

    @property
    def binding(self) -> str:
        """The path that takes longest."""
        paths = {
            "PEs": self.pes,
            "broadcast": self.broadcast,
            "input": self.input,
            "output": self.output,
        }
        return max(paths, key=lambda name: paths[name])


def pe_limits(board: Board) -> PeLimits:
    """PEs of a board by each of its resources, within the usual budgets."""

    def most(allowed: float, takes: Callable[[Estimate], int]) -> int:
        return next((pes for pes in _COUNTS if takes(of[pes]) <= allowed), 0)

    def by_luts(edge: Edge) -> int:
        allowed = LutBudget().allowed(board)
        return next((pes for pes in _COUNTS if sparing[pes].lut.at(edge) <= allowed), 0)

    of = {pes: estimate(_smallest(pes, board)) for pes in _COUNTS}
    sparing = {
        pes: estimate(_smallest(pes, board).replace(spare_luts=1, counters=0)) for pes in _COUNTS
    }
    low, expected, high = map(by_luts, EDGES)
    return PeLimits(
        lut=(low, expected, high),
        memory=most(MEMORY_BUDGET * board.bram36, lambda needs: needs.bram36),
        dsp=most(DSP_BUDGET * board.dsp, lambda needs: needs.dsp),
    )


def layer_bounds(work: LayerWork, pes: int) -> LayerBounds:
    """Cycles of a vector by each path, with `pes` PEs that share the work evenly."""
    return LayerBounds(
        pes=work.weights_met / pes,
        broadcast=work.activations,
        input=-(-work.inputs // _VALUES_PER_BEAT),
        output=-(-work.outputs // _VALUES_PER_BEAT),
    )


def _smallest(pes: int, board: Board) -> Design:
    """A design whose memories take a block RAM each at most."""
    return Design(
        pes=pes,
        board=board.name,
        queue_depth=32,
        entries_per_pe=4096,
        pointers_per_pe=2048,
        length_bits=4,
        result_depth=32,
        rows_per_pe=64,
        biases_per_pe=64,
        hidden_activations=4096,
        accumulator_bits=32,
    )
