"""What each of our changes to the paper's machine brings: all of them, none, and one left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.layers import INDEX_BITS, PES, QUEUE_DEPTH, PaperLayer
from benchmarks.machine import kernel_session
from benchmarks.patterns import PATTERNS, inputs, network
from eie.hls.model.cycles import count_cycles
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import encode_network, pack
from eie.host.packing.row_assignment import Assignment
from eie.host.search.fit import fit

__all__ = [
    "OUR_QUEUE_DEPTH",
    "PADDING_LIMIT",
    "SWITCHES",
    "VECTORS",
    "BeyondRow",
    "run",
]

#: Queues of two shift registers a bit.
OUR_QUEUE_DEPTH = 64
#: Zero runs are as short as leaves padding below this share: each bit is one of 8 to 12.
PADDING_LIMIT = 0.025
#: Vectors of a batch; the first fills the machine, the others are what a vector costs.
VECTORS = 4
#: Bits of the paper's pointers.
_PAPER_POINTER_BITS = 16

#: What can be turned off, and what it says in the table.
SWITCHES: Mapping[str, str] = {
    "assignment": "rows dealt out by their work",
    "runs": "zero runs without padding",
    "queues": f"queues of {OUR_QUEUE_DEPTH} instead of {QUEUE_DEPTH}",
    "pointers": "compact pointers",
    "results": "queues for results",
}


@dataclass(frozen=True)
class BeyondRow:
    """A layer of one pattern on our kernel with 64 PEs, with all switches on but some."""

    layer: str
    pattern: str
    #: Switches that are off: one, ``"all"``, or ``""`` for none.
    off: str
    index_bits: int
    #: Weights that one vector meets, over the PEs; and the kernel's cycles for it alone.
    ideal: float
    cycles: int
    #: The same for a vector within a batch, as a mean.
    batch_ideal: float
    batch_cycles: float
    #: Cycles that a vector of the batch takes at least: broadcasts, input and output beats, and
    #: the entries of the PE that has most.
    broadcasts: float
    beats: int
    busiest: float
    #: Bits stored over all PEs, of entries and of pointers.
    matrix_bits: int
    pointer_bits: int


def run(layers: Sequence[PaperLayer]) -> Iterator[tuple[str, Sequence[BeyondRow]]]:
    """Run every layer, pattern and switch."""
    for layer in layers:
        rows = []
        for pattern, maker in PATTERNS.items():
            net = network(layer, maker)
            rows += [_measure(layer, net, pattern, off) for off in ("", "all", *SWITCHES)]
        yield layer.name, rows


def _measure(layer: PaperLayer, net: Network, pattern: str, off: str) -> BeyondRow:
    packed = _packed(net, {off} if off != "all" else set(SWITCHES))
    emulator, _ = kernel_session(packed)
    resident = emulator.resident
    assert resident is not None
    vectors = inputs(layer, VECTORS)
    sent = packed.in_order_sent(vectors)
    one = count_cycles(packed.design, resident, [sent[:1]]).cycles
    batch = count_cycles(packed.design, resident, [sent]).cycles
    weights, lengths = net.layers[0], packed.layers[0].encoded.lengths()
    active = vectors != 0
    met = active @ np.diff(weights.indptr) / PES
    of_pe = (sent[1:] != 0) @ lengths.T
    encoded = packed.layers[0].encoded
    return BeyondRow(
        layer=layer.name,
        pattern=pattern,
        off=off,
        index_bits=packed.design.index_bits,
        ideal=float(met[0]),
        cycles=one,
        batch_ideal=float(met[1:].mean()),
        batch_cycles=(batch - one) / (VECTORS - 1),
        broadcasts=float(active[1:].sum(axis=1).mean()),
        beats=max(packed.input_beats, packed.output_beats),
        busiest=float(of_pe.sum(axis=0).max()) / (VECTORS - 1),
        matrix_bits=len(encoded.entries) * packed.design.entry_bits,
        pointer_bits=_pointer_bits(packed),
    )


def _packed(net: Network, off: set[str]) -> PackedNetwork:
    """Pack a network with all switches on but those of `off`."""
    assignment: Assignment = "natural" if "assignment" in off else "balanced"
    fixed: dict[str, Any] = {
        "pes": PES,
        "index_bits": INDEX_BITS if "runs" in off else shortest_runs(net, assignment),
        "queue_depth": QUEUE_DEPTH if "queues" in off else OUR_QUEUE_DEPTH,
    }
    if "pointers" in off:
        fixed["length_bits"] = 0
    if "results" in off:
        fixed["result_depth"] = 2
    design = fit(net, assignment=assignment, **fixed).design
    return pack(net, design, assignment=assignment)


def shortest_runs(net: Network, assignment: Assignment) -> int:
    """Bits of the shortest zero runs that leave padding below :data:`PADDING_LIMIT`."""
    for bits in range(3, 8):
        encoded = (
            encode_network(net, Design(pes=PES, index_bits=bits), assignment).layers[0].encoded
        )
        if encoded.padding <= PADDING_LIMIT * net.layers[0].nonzeros:
            return bits
    return 8


def _pointer_bits(packed: PackedNetwork) -> int:
    """Bits of pointers as wide as the layer needs; plain ones are the paper's."""
    encoded = packed.layers[0].encoded
    design = packed.design
    if not design.length_bits:
        return (encoded.columns + 1) * PES * _PAPER_POINTER_BITS
    lengths = design.columns_per_pointer_word * int(encoded.lengths().max()).bit_length()
    words = design.pointers_of(encoded.columns) // design.columns_per_pointer_word
    return words * PES * (int(encoded.pointers.max()).bit_length() + lengths)
