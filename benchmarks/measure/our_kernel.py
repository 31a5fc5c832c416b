"""Our kernel beside the paper's array: its cycles, what each change brings, and in passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.paper.layers import INDEX_BITS, PES, QUEUE_DEPTH, PaperLayer
from benchmarks.paper.patterns import PATTERNS, inputs, network
from benchmarks.results import Row, Rows
from eie.hls.model.allowance import allowance_of
from eie.hls.model.cycle_counts import count_cycles
from eie.hls.model.emulator import Emulator
from eie.hls.model.resident_network import ResidentNetwork
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import encode_network, pack
from eie.host.packing.row_assignment import Assignment
from eie.host.protocol.client import Session
from eie.host.search.fit import fit

#: What an FPGA allows at next to no cost: deeper queues, and zero counts without padding.
KERNEL_QUEUE_DEPTH, KERNEL_INDEX_BITS = 32, 6
#: Queues of two shift registers a bit, and bits of the paper's pointers.
OUR_QUEUE_DEPTH, _PAPER_POINTER_BITS = 64, 16
#: Zero runs are as short as leaves padding below this share: each bit is one of 8 to 12.
PADDING_LIMIT = 0.025
#: Vectors of a batch; the first fills the machine, the others are what a vector costs.
VECTORS = 4
#: Counts the cycles of a run.
Count = Callable[[Design, ResidentNetwork, Sequence[npt.NDArray[np.int16]]], Counters]
#: What can be turned off, and what it says in the table.
SWITCHES: Mapping[str, str] = {
    "assignment": "rows dealt out by their work",
    "runs": "zero runs without padding",
    "queues": f"queues of {OUR_QUEUE_DEPTH} instead of {QUEUE_DEPTH}",
    "pointers": "compact pointers",
    "results": "queues for results",
}
#: The largest layers, and small boards.
PASSES = (("Alex-6", "pynq-z2"), ("VGG-6", "pynq-z2"), ("Alex-6", "zcu104"), ("VGG-6", "zcu104"))


def allowed_cycles() -> int:
    """Cycles that pipeline stages may add to one layer of a vector alone: assumed, not measured."""
    return max(
        allowance_of(Design(pes=PES, length_bits=length_bits)).of(layers=1)
        for length_bits in (0, 5)
    )


def pack_for_kernel(network: Network) -> PackedNetwork:
    """Pack a network for our kernel with the paper's number of PEs, rows dealt out by work."""
    fixed = {"index_bits": KERNEL_INDEX_BITS, "queue_depth": KERNEL_QUEUE_DEPTH}
    return pack(network, fit(network, pes=PES, **fixed).design)


class OnKernel:
    """A packed network of one layer, resident on the emulated kernel."""

    def __init__(self, packed: PackedNetwork) -> None:
        self._packed = packed
        self._emulator = Emulator(packed.design)
        self._session = Session(self._emulator, packed)

    def run(self, codes: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Take vectors through it, packets in and packets out: (batch, inputs) codes."""
        return self._session.run(codes)

    def cycles(self, codes: npt.NDArray[np.int16], *, count: Count = count_cycles) -> int:
        """Cycles of one packet of vectors, input and output included, by one of the models."""
        resident = self._emulator.resident
        assert resident is not None
        sent = self._packed.in_order_sent(codes)
        return count(self._packed.design, resident, [sent]).cycles


def improvements(layer: PaperLayer) -> Rows:
    """Run every pattern with all switches on, all off (``"all"``), and one off.

    ``ideal`` and ``cycles`` are of one vector: the weights that it meets, over the PEs, and the
    kernel's cycles for it alone. ``batch_ideal`` and ``batch_cycles`` are the same for a vector
    within a batch, as a mean. It takes at least its ``broadcasts``, its input or output ``beats``,
    and the entries of the ``busiest`` PE. Bits are those stored over all PEs.
    """
    vectors = inputs(layer, VECTORS)
    active = vectors != 0
    for pattern, maker in PATTERNS.items():
        net = network(layer, maker)
        met = active @ np.diff(net.layers[0].indptr) / PES
        for off in ("", "all", *SWITCHES):
            packed = _packed(net, {off} if off != "all" else set(SWITCHES))
            encoded, kernel = packed.layers[0].encoded, OnKernel(packed)
            one, batch = kernel.cycles(vectors[:1]), kernel.cycles(vectors)
            of_pe = (packed.in_order_sent(vectors)[1:] != 0) @ encoded.lengths().T
            row = {"pattern": pattern, "off": off, "index_bits": packed.design.index_bits}
            yield row | {
                "ideal": float(met[0]),
                "cycles": one,
                "batch_ideal": float(met[1:].mean()),
                "batch_cycles": (batch - one) / (VECTORS - 1),
                "broadcasts": float(active[1:].sum(axis=1).mean()),
                "beats": max(packed.input_beats, packed.output_beats),
                "busiest": float(of_pe.sum(axis=0).max()) / (VECTORS - 1),
                "matrix_bits": len(encoded.entries) * packed.design.entry_bits,
                "pointer_bits": _pointer_bits(packed),
            }


def _packed(net: Network, off: set[str]) -> PackedNetwork:
    """Pack a network with all switches on but those of `off`."""
    assignment: Assignment = "natural" if "assignment" in off else "balanced"
    fixed: dict[str, Any] = {"length_bits": 0} if "pointers" in off else {}
    fixed |= {"result_depth": 2} if "results" in off else {}
    fixed["index_bits"] = INDEX_BITS if "runs" in off else shortest_runs(net, assignment)
    fixed["queue_depth"] = QUEUE_DEPTH if "queues" in off else OUR_QUEUE_DEPTH
    design = fit(net, assignment=assignment, pes=PES, **fixed).design
    return pack(net, design, assignment=assignment)


def shortest_runs(net: Network, assignment: Assignment) -> int:
    """Bits of the shortest zero runs that leave padding below :data:`PADDING_LIMIT`."""
    for bits in range(3, 8):
        packed = encode_network(net, Design(pes=PES, index_bits=bits), assignment)
        encoded = packed.layers[0].encoded
        if encoded.padding <= PADDING_LIMIT * net.layers[0].nonzeros:
            return bits
    return 8


def _pointer_bits(packed: PackedNetwork) -> int:
    """Bits of pointers as wide as the layer needs; plain ones are the paper's."""
    encoded, design = packed.layers[0].encoded, packed.design
    if not design.length_bits:
        return (encoded.columns + 1) * PES * _PAPER_POINTER_BITS
    lengths = design.columns_per_pointer_word * int(encoded.lengths().max()).bit_length()
    words = design.pointers_of(encoded.columns) // design.columns_per_pointer_word
    return words * PES * (int(encoded.pointers.max()).bit_length() + lengths)


def passes(layers: Sequence[PaperLayer]) -> Rows:
    """Fit each case; what fits whole gives no row.

    ``load_cycles`` load all passes, once for each batch; ``vector_cycles`` take a vector through.
    """
    by_name = {layer.name: layer for layer in layers}
    for name, board in PASSES:
        layer = by_name[name]
        # A golden vector of the layer's density is what fit counts cycles with.
        net = replace(
            network(layer, PATTERNS["uniform"]),
            golden_inputs=inputs(layer),
            golden_outputs=np.zeros((1, layer.outputs), np.int16),
        )
        for cost in fit(net, board, passes=True).in_passes[:1]:
            row: Row = {"layer": name, "board": BOARDS[board].title, "pes": cost.design.pes}
            row |= {"clock_mhz": cost.design.clock_mhz, "passes": cost.passes}
            yield row | {"load_cycles": cost.load_cycles, "vector_cycles": cost.vector_cycles}
