"""Energy of the paper's chip by its own figures, and rooflines of the boards."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.measure.kernel import pack_for_kernel
from benchmarks.paper.array import OnArray
from benchmarks.paper.layers import CLOCK_MHZ, PES, PaperLayer
from benchmarks.paper.patterns import PATTERNS, inputs, network
from eie.hls.model.energy import MemoryReads, array_watts, bram_microjoules, microjoules
from eie.hls.model.roofline import LayerWork, layer_bounds, pe_limits
from eie.hls.spec.boards import BOARDS


@dataclass(frozen=True)
class EnergyRow:
    """Energy of a vector through a layer, in µJ."""

    layer: str
    #: The paper's array for our modelled time, and for the paper's own.
    modelled_uj: float
    paper_uj: float
    #: What reading block RAM takes in our kernel with as many PEs, from and to.
    bram_low_uj: float
    bram_high_uj: float


@dataclass(frozen=True)
class RooflineRow:
    """What limits a layer on a board that is large enough for it."""

    board: str
    clock_mhz: int
    #: PEs by low, middle and high LUT estimate, memory and DSP; and what binds.
    lut_low: int
    lut_middle: int
    lut_high: int
    memory: int
    dsp: int
    pes_binding: str
    layer: str
    #: Operations for each activation that is broadcast.
    intensity: float
    #: Cycles of a vector that the binding path takes, and which path that is.
    cycles: float
    binding: str
    #: Operations of the weights met, in 10**9 a second: attained, and the PEs' peak.
    gops: float
    peak_gops: float


def run_energy(layers: Sequence[PaperLayer]) -> Iterator[EnergyRow]:
    """Model every layer with a uniform pattern."""
    for layer in layers:
        net = network(layer, PATTERNS["uniform"])
        array = OnArray.encode(net.layers[0], inputs(layer)[0])
        reads = MemoryReads(matrix=array.weights_met, pointers=len(array.active) * PES)
        low, high = bram_microjoules(pack_for_kernel(net).design, reads)
        yield EnergyRow(
            layer=layer.name,
            modelled_uj=microjoules(array_watts(PES), array.cycles() / CLOCK_MHZ),
            paper_uj=microjoules(array_watts(PES), layer.actual_us),
            bram_low_uj=low,
            bram_high_uj=high,
        )


def run_roofline(layers: Sequence[PaperLayer]) -> Iterator[RooflineRow]:
    """Bound every layer on every board."""
    for board, layer in itertools.product(BOARDS.values(), layers):
        limits = pe_limits(board)
        activations = round(layer.inputs * layer.activation_density)
        work = LayerWork(
            inputs=layer.inputs,
            outputs=layer.outputs,
            activations=activations,
            weights_met=round(activations * layer.outputs * layer.weight_density),
        )
        bounds = layer_bounds(work, limits.pes)
        yield RooflineRow(
            board=board.title,
            clock_mhz=board.clock_mhz,
            lut_low=limits.lut[0],
            lut_middle=limits.lut[1],
            lut_high=limits.lut[2],
            memory=limits.memory,
            dsp=limits.dsp,
            pes_binding=limits.binding,
            layer=layer.name,
            intensity=2 * work.weights_met / activations,
            cycles=bounds.cycles,
            binding=bounds.binding,
            gops=2 * work.weights_met * board.clock_mhz / bounds.cycles / 1000,
            peak_gops=2 * limits.pes * board.clock_mhz / 1000,
        )
