"""The paper's sweeps: queue depth, width of the matrix memory, number of PEs; and skew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.layers import PES, QUEUE_DEPTH, PaperLayer
from benchmarks.machine import encoded_for, work_met
from benchmarks.patterns import PATTERNS, inputs, network, skewed
from eie.hls.model.paper import paper_cycles
from eie.hls.spec.matrix_format import EncodedLayer
from eie.host.packing.row_assignment import Assignment

__all__ = [
    "DEPTHS",
    "PE_COUNTS",
    "SIGMAS",
    "WIDTHS",
    "PesRow",
    "QueueRow",
    "SkewRow",
    "WidthRow",
    "memory_reads",
    "run_pes",
    "run_queue",
    "run_skew",
    "run_width",
]

#: Activations that wait in a queue; with 0 the broadcast waits until every PE is done.
DEPTHS = (0, 1, 2, 4, 8, 16, 32, 64)
#: Bits of a word of the sparse matrix memory.
WIDTHS = (32, 64, 128, 256, 512)
PE_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
#: Standard deviations of the logarithm of rows' and columns' shares.
SIGMAS = (0.0, 0.25, 0.5, 1.0)
#: Bits of an entry: 4 of the weight's code, 4 of the zero count.
_ENTRY_BITS = 8
_SWEPT = ("uniform", "log-normal")


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
    def bits(self) -> int:
        """Bits read."""
        return self.reads * self.width

    @property
    def used(self) -> float:
        """Share of the bits read that are entries of the column asked for."""
        return self.entries_met * _ENTRY_BITS / self.bits


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


def run_queue(layers: Sequence[PaperLayer]) -> Iterator[tuple[str, Sequence[QueueRow]]]:
    """Sweep the depth of the queues."""
    for layer, pattern in _layers_and_patterns(layers):
        weights = network(layer, PATTERNS[pattern]).layers[0]
        active = np.flatnonzero(inputs(layer)[0])
        encoded = encoded_for(weights, PES)
        met = work_met(weights, encoded, active).entries
        lengths = encoded.lengths()[:, active]
        rows = [
            QueueRow(layer.name, pattern, depth, met, _cycles(lengths, depth)) for depth in DEPTHS
        ]
        yield f"{layer.name}, {pattern}", rows


def run_width(layers: Sequence[PaperLayer]) -> Iterator[tuple[str, Sequence[WidthRow]]]:
    """Sweep the width of the matrix memory."""
    for layer in layers:
        weights = network(layer, PATTERNS["uniform"]).layers[0]
        active = np.flatnonzero(inputs(layer)[0])
        encoded = encoded_for(weights, PES)
        met = work_met(weights, encoded, active).entries
        rows = [
            WidthRow(layer.name, width, memory_reads(encoded, active, width), met)
            for width in WIDTHS
        ]
        yield layer.name, rows


def run_pes(layers: Sequence[PaperLayer]) -> Iterator[tuple[str, Sequence[PesRow]]]:
    """Sweep the number of PEs."""
    for layer, pattern in _layers_and_patterns(layers):
        weights = network(layer, PATTERNS[pattern]).layers[0]
        active = np.flatnonzero(inputs(layer)[0])
        rows = []
        for pes in PE_COUNTS:
            encoded = encoded_for(weights, pes)
            rows.append(
                PesRow(
                    layer=layer.name,
                    pattern=pattern,
                    pes=pes,
                    weights=weights.nonzeros,
                    entries=len(encoded.entries),
                    entries_met=work_met(weights, encoded, active).entries,
                    cycles=paper_cycles(encoded.lengths()[:, active], QUEUE_DEPTH),
                )
            )
        yield f"{layer.name}, {pattern}", rows


def run_skew(layers: Sequence[PaperLayer]) -> Iterator[tuple[str, Sequence[SkewRow]]]:
    """Sweep the skew of rows and columns, with rows dealt out as they come and by their work."""
    for layer in layers:
        active = np.flatnonzero(inputs(layer)[0])
        for sigma in SIGMAS:
            weights = network(layer, skewed(sigma)).layers[0]
            rows = []
            for assignment, depth in _DEALT:
                encoded = encoded_for(weights, PES, assignment)
                lengths = encoded.lengths()[:, active]
                met = work_met(weights, encoded, active).entries
                cycles = paper_cycles(lengths, depth)
                rows.append(SkewRow(layer.name, sigma, assignment, depth, met, cycles))
            yield f"{layer.name}, sigma {sigma:g}", rows


def memory_reads(encoded: EncodedLayer, active: npt.NDArray[np.intp], width: int) -> int:
    """Words of `width` bits that all PEs read for the columns `active`.

    A word holds entries at fixed places, so a column may begin and end in the middle of one; each
    column reads its words afresh, as in the authors' simulator, and an empty one reads nothing.
    """
    entries_per_word = width // _ENTRY_BITS
    begin, end = encoded.pointers[:, active], encoded.pointers[:, active + 1]
    words = (end - 1) // entries_per_word - begin // entries_per_word + 1
    return int(words[end > begin].sum())


def _cycles(lengths: npt.NDArray[np.int64], depth: int) -> int:
    """Cycles of the paper's machine; the model itself knows no machine without queues."""
    if depth:
        return paper_cycles(lengths, depth)
    return 1 + int(np.maximum(lengths, 1).max(axis=0).sum())


#: The paper's machine, and what our packer and an FPGA's queues make of it.
_DEALT: tuple[tuple[Assignment, int], ...] = (("natural", QUEUE_DEPTH), ("balanced", 32))


def _layers_and_patterns(layers: Sequence[PaperLayer]) -> Iterator[tuple[PaperLayer, str]]:
    for layer in layers:
        for pattern in _SWEPT:
            yield layer, pattern
