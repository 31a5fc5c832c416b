"""The paper's sweeps: queue depth, width of the matrix memory, number of PEs; and skew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.paper.array import ENTRY_BITS, OnArray
from benchmarks.paper.layers import PES, QUEUE_DEPTH, PaperLayer
from benchmarks.paper.patterns import PATTERNS, inputs, network, skewed
from eie.host.network import Layer
from eie.host.packing.row_assignment import Assignment

#: Activations that wait in a queue; with 0 the broadcast waits until every PE is done.
DEPTHS = (0, 1, 2, 4, 8, 16, 32, 64)
#: Bits of a word of the sparse matrix memory.
WIDTHS = (32, 64, 128, 256, 512)
PE_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
#: Standard deviations of the logarithm of rows' and columns' shares.
SIGMAS = (0.0, 0.25, 0.5, 1.0)
#: The paper's array, and what our packer and an FPGA's queues make of it.
DEALT: tuple[tuple[Assignment, int], ...] = (("natural", QUEUE_DEPTH), ("balanced", 32))
#: Patterns that depth and number of PEs are swept with.
SWEPT = ("uniform", "log-normal")


@dataclass(frozen=True)
class QueueRow:
    """A layer at one depth of the activation queues, 64 PEs."""

    layer: str
    pattern: str
    depth: int
    entries_met: int
    cycles: int

    @property
    def load_balance(self) -> float:
        """Share of the PEs' cycles that have an entry, 0 to 1."""
        return self.entries_met / PES / self.cycles


@dataclass(frozen=True)
class WidthRow:
    """A layer at one width of the matrix memory, 64 PEs."""

    layer: str
    width: int
    #: Words read by all PEs for one vector.
    reads: int
    entries_met: int

    @property
    def used(self) -> float:
        """Share of the bits read that are entries of the column asked for."""
        return self.entries_met * ENTRY_BITS / (self.reads * self.width)


@dataclass(frozen=True)
class PesRow:
    """A layer on one number of PEs, queues 8 deep."""

    layer: str
    pattern: str
    pes: int
    weights: int
    entries: int
    entries_met: int
    cycles: int

    @property
    def padding(self) -> float:
        """Padding entries over weights."""
        return self.entries / self.weights - 1

    @property
    def load_balance(self) -> float:
        """Share of the PEs' cycles that have an entry, 0 to 1."""
        return self.entries_met / self.pes / self.cycles


@dataclass(frozen=True)
class SkewRow:
    """A layer with rows and columns of unequal work, 64 PEs."""

    layer: str
    sigma: float
    #: How rows are dealt to PEs.
    assignment: Assignment
    depth: int
    entries_met: int
    cycles: int

    @property
    def actual_over_theoretical(self) -> float:
        """Cycles over the entries of an average PE."""
        return self.cycles * PES / self.entries_met


def run_queue(layers: Sequence[PaperLayer]) -> Iterator[QueueRow]:
    """Sweep the depth of the queues."""
    for layer, pattern, weights in _swept(layers):
        array = OnArray.encode(weights, inputs(layer)[0])
        for depth in DEPTHS:
            yield QueueRow(layer.name, pattern, depth, array.entries_met, array.cycles(depth))


def run_width(layers: Sequence[PaperLayer]) -> Iterator[WidthRow]:
    """Sweep the width of the matrix memory."""
    for layer in layers:
        weights = network(layer, PATTERNS["uniform"]).layers[0]
        array = OnArray.encode(weights, inputs(layer)[0])
        for width in WIDTHS:
            yield WidthRow(layer.name, width, array.memory_reads(width), array.entries_met)


def run_pes(layers: Sequence[PaperLayer]) -> Iterator[PesRow]:
    """Sweep the number of PEs."""
    for layer, pattern, weights in _swept(layers):
        for pes in PE_COUNTS:
            array = OnArray.encode(weights, inputs(layer)[0], pes)
            yield PesRow(
                layer=layer.name,
                pattern=pattern,
                pes=pes,
                weights=weights.nonzeros,
                entries=len(array.encoded.entries),
                entries_met=array.entries_met,
                cycles=array.cycles(),
            )


def run_skew(layers: Sequence[PaperLayer]) -> Iterator[SkewRow]:
    """Sweep the skew of rows and columns, with rows dealt out as they come and by their work."""
    for layer in layers:
        for sigma in SIGMAS:
            weights = network(layer, skewed(sigma)).layers[0]
            for dealt, depth in DEALT:
                array = OnArray.encode(weights, inputs(layer)[0], PES, dealt)
                cycles = array.cycles(depth)
                yield SkewRow(layer.name, sigma, dealt, depth, array.entries_met, cycles)


def _swept(layers: Sequence[PaperLayer]) -> Iterator[tuple[PaperLayer, str, Layer]]:
    for layer in layers:
        for pattern in SWEPT:
            yield layer, pattern, network(layer, PATTERNS[pattern]).layers[0]
