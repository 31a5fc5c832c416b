"""The nine layers on the paper's array (``--paper``), beside table IV; and on our kernel."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.measure.kernel import OnKernel, pack_for_kernel
from benchmarks.paper.array import OnArray
from benchmarks.paper.layers import PaperLayer
from benchmarks.paper.patterns import PATTERNS, inputs, network
from benchmarks.results import Row, Rows

#: The paper gives densities in whole percent: the layer's own may be this much higher or lower.
ROUNDING = 0.005
#: Uniform patterns are drawn with each of these, to see how much one differs from another.
SEEDS = (0, 1, 2)


def run(layer: PaperLayer) -> Rows:
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
    return {
        "pattern": pattern,
        "seed": seed,
        "weight_density": layer.weight_density,
        "weights": net.layers[0].nonzeros,
        "entries": len(array.encoded.entries),
        "weights_met": array.weights_met,
        "entries_met": array.entries_met,
        "busiest_met": int(array.lengths.sum(axis=1).max()),
        "cycles": array.cycles(),
        "kernel_cycles": OnKernel(pack_for_kernel(net)).cycles(codes) if kernel else None,
    }
