"""Counted on the paper's array: the nine layers (``--paper``), beside our kernel; and sweeps.

64 PEs and queues of 8 where that is not what is swept.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from benchmarks.measure.our_kernel import OnKernel, pack_for_kernel
from benchmarks.paper.array import OnArray
from benchmarks.paper.layers import PES, QUEUE_DEPTH, PaperLayer
from benchmarks.paper.patterns import PATTERNS, inputs, log_normal, network
from benchmarks.results import Row, Rows
from eie.host.packing.row_assignment import Assignment

#: The paper gives densities in whole percent: the layer's own may be this much higher or lower.
ROUNDING = 0.005
#: Uniform patterns are drawn with each of these, to see how much one differs from another.
SEEDS = (0, 1, 2)
#: Activations that wait in a queue; with 0 the broadcast waits until every PE is done.
DEPTHS = (0, 1, 2, 4, 8, 16, 32, 64)
#: Bits of a word of the sparse matrix memory.
WIDTHS = (32, 64, 128, 256, 512)
PE_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
#: Standard deviations of the logarithm of rows' and columns' shares.
SIGMAS = (0.0, 0.25, 0.5, 1.0)
#: How rows are dealt out, and the queues: the paper's array, and our packer on an FPGA.
DEALT: tuple[tuple[Assignment, int], ...] = (("natural", QUEUE_DEPTH), ("balanced", 32))
#: Patterns that depth and number of PEs are swept with.
SWEPT = ("uniform", "log-normal")


def nine_layers(layer: PaperLayer) -> Rows:
    """Measure a layer with every pattern, other seeds, and densities that round to its own."""
    for pattern in PATTERNS:
        yield measure(layer, pattern, kernel=True)
    for seed in SEEDS[1:]:
        yield measure(layer, "uniform", seed=seed)
    for sign in (-1, 1):
        density = round(layer.weight_density + sign * ROUNDING, 4)
        yield measure(replace(layer, weight_density=density), "uniform")


def measure(layer: PaperLayer, pattern: str, *, seed: int = 0, kernel: bool = False) -> Row:
    """Count what one vector costs on the paper's array, and if asked for on our kernel."""
    net, codes = network(layer, PATTERNS[pattern], seed), inputs(layer, seed=seed)
    array = OnArray.encode(net.layers[0], codes[0])
    row: Row = {"pattern": pattern, "seed": seed, "weight_density": layer.weight_density}
    row |= {"weights": net.layers[0].nonzeros, "entries": len(array.encoded.entries)}
    row |= {"weights_met": array.weights_met, "entries_met": array.entries_met}
    row |= {"busiest_met": int(array.lengths.sum(axis=1).max()), "cycles": array.cycles()}
    cycles = OnKernel(pack_for_kernel(net)).cycles(codes) if kernel else None
    return row | {"kernel_cycles": cycles}


def queue(layer: PaperLayer) -> Rows:
    """Sweep the depth of the queues."""
    for pattern in SWEPT:
        weights = network(layer, PATTERNS[pattern]).layers[0]
        array = OnArray.encode(weights, inputs(layer)[0])
        for depth in DEPTHS:
            row = {"pattern": pattern, "depth": depth, "entries_met": array.entries_met}
            yield row | {"cycles": array.cycles(depth)}


def width(layer: PaperLayer) -> Rows:
    """Sweep the width of the matrix memory: words that all PEs read for one vector."""
    weights = network(layer, PATTERNS["uniform"]).layers[0]
    array = OnArray.encode(weights, inputs(layer)[0])
    for bits in WIDTHS:
        reads = array.memory_reads(bits)
        yield {"width": bits, "reads": reads, "entries_met": array.entries_met}


def pes(layer: PaperLayer) -> Rows:
    """Sweep the number of PEs."""
    for pattern in SWEPT:
        weights = network(layer, PATTERNS[pattern]).layers[0]
        for count in PE_COUNTS:
            array = OnArray.encode(weights, inputs(layer)[0], count)
            row = {"pattern": pattern, "pes": count, "weights": weights.nonzeros}
            row |= {"entries": len(array.encoded.entries), "entries_met": array.entries_met}
            yield row | {"cycles": array.cycles()}


def skew(layer: PaperLayer) -> Rows:
    """Sweep the skew of rows and columns, with rows dealt out as they come and by their work."""
    for sigma in SIGMAS:
        weights = network(layer, partial(log_normal, sigma=sigma)).layers[0]
        for dealt, depth in DEALT:
            array = OnArray.encode(weights, inputs(layer)[0], PES, dealt)
            row = {"sigma": sigma, "assignment": dealt, "depth": depth}
            yield row | {"entries_met": array.entries_met, "cycles": array.cycles(depth)}
