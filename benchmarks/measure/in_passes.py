"""Layers larger than a board, in passes: what loading the weights costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.paper.layers import PaperLayer
from benchmarks.paper.patterns import PATTERNS, inputs, network
from eie.hls.spec.boards import BOARDS
from eie.host.search.fit import fit

#: Layer and board: the smallest boards with the largest layers.
PASS_CASES = (
    ("Alex-6", "pynq-z2"),
    ("VGG-6", "pynq-z2"),
    ("Alex-6", "zcu104"),
    ("VGG-6", "zcu104"),
)
#: Batches that the table shows.
PASS_BATCHES = (1, 16, 64, 1024)


@dataclass(frozen=True)
class PassesRow:
    """A layer in passes on a board."""

    layer: str
    board: str
    pes: int
    clock_mhz: int
    passes: int
    #: Cycles to load all passes, once for each batch, at a beat a cycle.
    load_cycles: int
    #: Cycles of a vector through all of them, by the cycle model.
    vector_cycles: int

    def us_per_vector(self) -> list[float]:
        """Microseconds of a vector in each of :data:`PASS_BATCHES`, loading included."""
        return [
            (self.load_cycles / batch + self.vector_cycles) / self.clock_mhz
            for batch in PASS_BATCHES
        ]


def run(layers: Sequence[PaperLayer]) -> Iterator[PassesRow]:
    """Fit each case; what fits whole gives no row."""
    by_name = {layer.name: layer for layer in layers}
    for name, board in PASS_CASES:
        layer = by_name[name]
        # A golden vector of the layer's density is what fit counts cycles with.
        net = replace(
            network(layer, PATTERNS["uniform"]),
            golden_inputs=inputs(layer),
            golden_outputs=np.zeros((1, layer.outputs), np.int16),
        )
        for cost in fit(net, board, passes=True).in_passes[:1]:
            yield PassesRow(
                layer=name,
                board=BOARDS[board].title,
                pes=cost.design.pes,
                clock_mhz=cost.design.clock_mhz,
                passes=cost.passes,
                load_cycles=cost.load_cycles,
                vector_cycles=cost.vector_cycles,
            )
