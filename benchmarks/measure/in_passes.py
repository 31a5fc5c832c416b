"""Layers larger than a board, in passes: what loading the weights costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.paper.layers import PaperLayer
from benchmarks.paper.patterns import PATTERNS, inputs, network
from benchmarks.results import Rows
from eie.hls.spec.boards import BOARDS
from eie.host.search.fit import fit

#: The largest layers, and small boards.
CASES = (
    ("Alex-6", "pynq-z2"),
    ("VGG-6", "pynq-z2"),
    ("Alex-6", "zcu104"),
    ("VGG-6", "zcu104"),
)


def run(layers: Sequence[PaperLayer]) -> Rows:
    """Fit each case; what fits whole gives no row.

    ``load_cycles`` load all passes, once for each batch, at a beat a cycle; ``vector_cycles`` take
    a vector through all of them, by the cycle model.
    """
    by_name = {layer.name: layer for layer in layers}
    for name, board in CASES:
        layer = by_name[name]
        # A golden vector of the layer's density is what fit counts cycles with.
        net = replace(
            network(layer, PATTERNS["uniform"]),
            golden_inputs=inputs(layer),
            golden_outputs=np.zeros((1, layer.outputs), np.int16),
        )
        for cost in fit(net, board, passes=True).in_passes[:1]:
            yield {
                "layer": name,
                "board": BOARDS[board].title,
                "pes": cost.design.pes,
                "clock_mhz": cost.design.clock_mhz,
                "passes": cost.passes,
                "load_cycles": cost.load_cycles,
                "vector_cycles": cost.vector_cycles,
            }
