"""The nine layers on the paper's array (``--paper``), beside table IV; and on our kernel."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.measure.kernel import OnKernel, pack_for_kernel
from benchmarks.paper.array import OnArray
from benchmarks.paper.layers import CLOCK_MHZ, PES, PaperLayer
from benchmarks.paper.patterns import PATTERNS, inputs, network

#: The paper gives densities in whole percent: the layer's own may be this much higher or lower.
ROUNDING = 0.005
#: Uniform patterns are drawn with each of these, to see how much one differs from another.
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class LayerRow:
    """One layer with one pattern, one vector, on 64 PEs."""

    layer: str
    pattern: str
    seed: int
    #: The density that the pattern was drawn with.
    weight_density: float
    #: Weights kept, and entries stored for them by the paper's array, padding included.
    weights: int
    entries: int
    #: Of both, those in columns of non-zero activations.
    weights_met: int
    entries_met: int
    #: Entries met by the PE that meets most.
    busiest_met: int
    #: Cycles of the paper's array.
    cycles: int
    #: Cycles of our kernel, input and output included; None where it was not run.
    kernel_cycles: int | None

    @property
    def padding(self) -> float:
        """Padding entries over weights."""
        return self.entries / self.weights - 1

    @property
    def unpadded_us(self) -> float:
        """Weights met over PEs, at the paper's clock."""
        return self.weights_met / PES / CLOCK_MHZ

    @property
    def theoretical_us(self) -> float:
        """Entries met over PEs, at the paper's clock: the PEs never wait."""
        return self.entries_met / PES / CLOCK_MHZ

    @property
    def actual_us(self) -> float:
        """Cycles at the paper's clock."""
        return self.cycles / CLOCK_MHZ

    @property
    def load_balance(self) -> float:
        """Share of the PEs' cycles that have an entry, 0 to 1."""
        return self.theoretical_us / self.actual_us if self.cycles else 1.0

    @property
    def actual_over_theoretical(self) -> float:
        """What the PEs' waiting costs, at least 1."""
        return 1 / self.load_balance

    @property
    def kernel_ratio(self) -> float:
        """Cycles of the paper's array over those of our kernel."""
        assert self.kernel_cycles is not None
        return self.cycles / self.kernel_cycles


def run(layers: Sequence[PaperLayer]) -> Iterator[LayerRow]:
    """Measure every layer with every pattern, other seeds, and densities that round to its own."""
    for layer in layers:
        for pattern in PATTERNS:
            yield measure(layer, pattern, kernel=True)
        for seed in SEEDS[1:]:
            yield measure(layer, "uniform", seed=seed)
        for sign in (-1, 1):
            density = round(layer.weight_density + sign * ROUNDING, 4)
            yield measure(dataclasses.replace(layer, weight_density=density), "uniform")


def measure(layer: PaperLayer, pattern: str, *, seed: int = 0, kernel: bool = False) -> LayerRow:
    """Count what one vector costs on the paper's array, and if asked for on our kernel."""
    net, codes = network(layer, PATTERNS[pattern], seed), inputs(layer, seed=seed)
    array = OnArray.encode(net.layers[0], codes[0])
    return LayerRow(
        layer=layer.name,
        pattern=pattern,
        seed=seed,
        weight_density=layer.weight_density,
        weights=net.layers[0].nonzeros,
        entries=len(array.encoded.entries),
        weights_met=array.weights_met,
        entries_met=array.entries_met,
        busiest_met=array.busiest_met,
        cycles=array.cycles(),
        kernel_cycles=OnKernel(pack_for_kernel(net)).cycles(codes) if kernel else None,
    )
