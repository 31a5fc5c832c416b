"""A layer on the paper's array: encoded as it stores it, and what one vector meets there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from benchmarks.paper.layers import INDEX_BITS, PES, QUEUE_DEPTH
from eie.hls.model.paper import paper_cycles
from eie.hls.spec.matrix_format import EncodedLayer, encode
from eie.host.network import Layer
from eie.host.packing.row_assignment import Assignment, assign_rows

#: Bits of an entry: 4 of the weight's code, 4 of the zero count.
ENTRY_BITS = 8


@dataclass(frozen=True)
class OnArray:
    """Weights dealt out to PEs with the paper's 4-bit zero counts, and one vector's non-zeros."""

    weights: Layer
    encoded: EncodedLayer
    #: Columns of non-zero activations, in the order of the broadcast.
    active: npt.NDArray[np.intp]

    @classmethod
    def encode(
        cls,
        weights: Layer,
        vector: npt.NDArray[np.int16],
        pes: int = PES,
        assignment: Assignment = "natural",
    ) -> OnArray:
        """Encode `weights` for `pes` PEs; `vector` are codes of shape (columns,)."""
        encoded = encode(
            assign_rows(weights, pes, assignment)[weights.indices],
            weights.column_of_entry().astype(np.int64),
            weights.codes,
            columns=weights.columns,
            pes=pes,
            index_bits=INDEX_BITS,
        )
        return cls(weights, encoded, np.flatnonzero(vector))

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Entries of each PE in each active column, shape (pes, active columns)."""
        return self.encoded.lengths()[:, self.active]

    @property
    def weights_met(self) -> int:
        """Weights in active columns."""
        return int(np.diff(self.weights.indptr)[self.active].sum())

    @property
    def entries_met(self) -> int:
        """Weights and padding entries in active columns, over all PEs."""
        return int(self.lengths.sum())

    def cycles(self, queue_depth: int = QUEUE_DEPTH) -> int:
        """Cycles of the vector; with 0 the broadcast waits until every PE is done."""
        if queue_depth:
            return paper_cycles(self.lengths, queue_depth)
        return 1 + int(np.maximum(self.lengths, 1).max(axis=0).sum())

    def memory_reads(self, width: int) -> int:
        """Words of `width` bits that all PEs read; a column may begin and end in the middle of one.

        Each column reads its words afresh, as in the authors' simulator, an empty one none.
        """
        begin, end = (self.encoded.pointers[:, self.active + after] for after in (0, 1))
        words = (end - 1) * ENTRY_BITS // width - begin * ENTRY_BITS // width + 1
        return int(words[end > begin].sum())
