"""Energy of the paper's chip by its own figures, and rooflines of the boards."""

from __future__ import annotations

from benchmarks.measure.our_kernel import pack_for_kernel
from benchmarks.paper.array import OnArray
from benchmarks.paper.layers import CLOCK_MHZ, PES, PaperLayer
from benchmarks.paper.patterns import PATTERNS, inputs, network
from benchmarks.results import Row, Rows
from eie.hls.model.energy import MemoryReads, array_watts, bram_microjoules, microjoules
from eie.hls.model.roofline import LayerWork, layer_bounds, pe_limits
from eie.hls.spec.boards import BOARDS


def energy(layer: PaperLayer) -> Rows:
    """Energy of a vector through a layer, uniform pattern, in µJ.

    That of the paper's array for our modelled time and for the paper's own; and from and to, what
    reading block RAM takes in our kernel with as many PEs.
    """
    net = network(layer, PATTERNS["uniform"])
    array = OnArray.encode(net.layers[0], inputs(layer)[0])
    reads = MemoryReads(matrix=array.weights_met, pointers=len(array.active) * PES)
    low, high = bram_microjoules(pack_for_kernel(net).design, reads)
    yield {
        "modelled_uj": microjoules(array_watts(PES), array.cycles() / CLOCK_MHZ),
        "paper_uj": microjoules(array_watts(PES), layer.actual_us),
        "bram_low_uj": low,
        "bram_high_uj": high,
    }


def roofline(layer: PaperLayer) -> Rows:
    """Bound a layer on every board, as if the board were large enough for it.

    PEs by each resource, of LUTs by the low, middle and high estimate; ``intensity`` is operations
    for each activation that is broadcast, ``gops`` the operations of weights met, in 10**9 a
    second, that the binding path allows, and ``peak_gops`` those of the PEs.
    """
    activations = round(layer.inputs * layer.activation_density)
    met = round(activations * layer.outputs * layer.weight_density)
    work = LayerWork(layer.inputs, layer.outputs, activations, met)
    for board in BOARDS.values():
        limits = pe_limits(board)
        bounds = layer_bounds(work, limits.pes)
        row: Row = {"board": board.title, "clock_mhz": board.clock_mhz}
        row |= zip(("lut_low", "lut_middle", "lut_high"), limits.lut, strict=True)
        row |= {"memory": limits.memory, "dsp": limits.dsp, "pes_binding": limits.binding}
        row |= {"intensity": 2 * met / activations, "cycles": bounds.cycles}
        yield row | {
            "binding": bounds.binding,
            "gops": 2 * met * board.clock_mhz / bounds.cycles / 1000,
            "peak_gops": 2 * limits.pes * board.clock_mhz / 1000,
        }
