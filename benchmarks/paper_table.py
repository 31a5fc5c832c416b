"""The nine layers on the paper's machine (``--paper``), beside table IV; and on our kernel."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.layers import CLOCK_MHZ, PES, PaperLayer
from benchmarks.machine import kernel_session, pack_for_kernel, paper_design, work_met
from benchmarks.patterns import PATTERNS, Maker, inputs, network
from eie.host.packing.packer import pack
from eie.host.run.report import paper_report

__all__ = ["ROUNDING", "SEEDS", "LayerRow", "measure", "run"]

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
    #: Weights kept, and entries stored for them by the paper's machine, padding included.
    weights: int
    entries: int
    #: Of both, those in columns of non-zero activations.
    weights_met: int
    entries_met: int
    #: Entries met by the PE that meets most.
    busiest_met: int
    #: Cycles of the paper's machine.
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


def measure(
    layer: PaperLayer, pattern: str, maker: Maker, *, seed: int = 0, kernel: bool = False
) -> LayerRow:
    """Count what one vector costs on the paper's machine, and if asked for on our kernel."""
    net = network(layer, maker, seed)
    codes = inputs(layer, seed=seed)
    packed = pack(net, paper_design(net), assignment="natural")
    # Its cycles alone are of interest: what the layer gives is not worked out.
    report = paper_report(packed, [codes], [0]).layers[0]
    work = work_met(net.layers[0], packed.layers[0].encoded, np.flatnonzero(codes[0]))
    kernel_cycles = None
    if kernel:
        emulator, session = kernel_session(pack_for_kernel(net))
        session.run(codes)
        kernel_cycles = emulator.last_counters.cycles
    return LayerRow(
        layer=layer.name,
        pattern=pattern,
        seed=seed,
        weight_density=layer.weight_density,
        weights=report.nonzeros,
        entries=report.entries,
        weights_met=work.weights,
        entries_met=work.entries,
        busiest_met=work.busiest,
        cycles=report.cycles,
        kernel_cycles=kernel_cycles,
    )


def run(layers: Sequence[PaperLayer]) -> Iterator[tuple[str, Sequence[LayerRow]]]:
    """Measure every layer with every pattern: (what was done, rows) one after another."""
    for layer in layers:
        for pattern, maker in PATTERNS.items():
            yield f"{layer.name}, {pattern}", [measure(layer, pattern, maker, kernel=True)]
        maker = PATTERNS["uniform"]
        again = [measure(layer, "uniform", maker, seed=seed) for seed in SEEDS[1:]]
        yield f"{layer.name}, other seeds", again
        for sign in (-1, 1):
            density = round(layer.weight_density + sign * ROUNDING, 4)
            other = dataclasses.replace(layer, weight_density=density)
            yield f"{layer.name}, {density:.1%} of weights", [measure(other, "uniform", maker)]
