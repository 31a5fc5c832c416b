"""A network packed for a design: entries, pointers and biases of each PE, as packets carry them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.spec.design import COMPACT_BASE_BITS, COMPACT_LANE_BITS, Design
from eie.hls.spec.matrix_format import EncodedLayer
from eie.hls.spec.packets import (
    ALL_PES,
    LAYER,
    NETWORK,
    RUN,
    SATURATED,
    SECTION,
    Kind,
    Section,
    build_packet,
)
from eie.host.network import Layer, Network

__all__ = ["PackedLayer", "PackedNetwork", "pointer_beats"]

#: Activations in a 64-bit beat.
_LANES = 4


@dataclass(frozen=True, eq=False)
class PackedLayer:
    """One layer, packed for a design."""

    #: The layer as the model says it.
    layer: Layer
    #: Its entries and pointers.
    encoded: EncodedLayer
    #: int64, shape (rows,): slot of each row.
    slot_of_row: npt.NDArray[np.int64]
    #: int64, shape (columns,): the column that each input travels as (the order of the layer
    #: before, or that in which the host sends the network's inputs).
    slot_of_column: npt.NDArray[np.int64]
    #: First pointer of the layer in every PE.
    pointer_base: int
    #: First bias of the layer in every PE.
    bias_base: int
    #: Rows that each PE works on, padding included.
    local_rows: int
    #: int64, shape (pes,): entries of earlier layers in each PE.
    entry_base: npt.NDArray[np.int64]

    def biases(self) -> npt.NDArray[np.int64]:
        """int64, shape (pes, local_rows): each PE's biases, 0 for padding rows."""
        pes = self.encoded.pes
        by_slot = np.zeros(self.local_rows * pes, np.int64)
        by_slot[self.slot_of_row] = self.layer.bias
        return np.ascontiguousarray(by_slot.reshape(self.local_rows, pes).T)


@dataclass(frozen=True, eq=False)
class PackedNetwork:
    """A network packed for a design: what goes into a load packet, and how to talk to it."""

    #: The design it was packed for.
    design: Design
    #: The network it was packed from.
    network: Network
    #: Its layers in order.
    layers: tuple[PackedLayer, ...]

    def on(self, design: Design) -> PackedNetwork:
        """Give the same packing for a design of the same PEs and zero runs, not asking if it fits.

        Where pointers lie depends on whether they are compact.
        """
        layers, pointer_base = [], 0
        for part in self.layers:
            layers.append(replace(part, pointer_base=pointer_base))
            pointer_base += design.pointers_of(part.layer.columns)
        return PackedNetwork(design, self.network, tuple(layers))

    @property
    def input_beats(self) -> int:
        """Beats of an input vector."""
        return -(-self.network.inputs // _LANES)

    @property
    def output_beats(self) -> int:
        """Beats of an output vector."""
        return -(-self.network.outputs // _LANES)

    @cached_property
    def sections(self) -> npt.NDArray[np.uint64]:
        """uint64 beats of the load's sections."""
        return np.concatenate(list(self._sections()))

    @cached_property
    def network_id(self) -> int:
        """Identity of the packed network, never 0: a run for another one is refused."""
        return zlib.crc32(self.sections.tobytes()) or 1

    def load_packet(self, sequence: int = 0) -> bytes:
        """Build the packet that makes the network resident."""
        start = NETWORK.build(
            network_id=self.network_id,
            layers=len(self.layers),
            input_beats=self.input_beats,
            output_beats=self.output_beats,
        )
        return build_packet(Kind.LOAD, sequence, np.concatenate([start, self.sections]))

    def run_packet(self, inputs: npt.NDArray[np.int16], sequence: int = 0) -> bytes:
        """Build the packet that runs a batch: int16 codes of shape (batch, inputs)."""
        codes = self.network.check_inputs(inputs)
        padded = np.empty((len(codes), self.input_beats * _LANES), "<i2")
        self.write_inputs(codes, padded)
        start = RUN.build(network_id=self.network_id, batch=len(codes))
        return build_packet(Kind.RUN, sequence, np.concatenate([start, padded.view("<u8").ravel()]))

    def in_order_sent(self, codes: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Put inputs, int16 of shape (batch, inputs), in the order in which they are sent."""
        sent: npt.NDArray[np.int16] = codes[:, self._input_of_lane[: self.network.inputs]]
        return sent

    def write_inputs(self, codes: npt.NDArray[np.int16], lanes: npt.NDArray[np.int16]) -> None:
        """Write inputs in the order in which they are sent, and zeros behind them.

        Parameters
        ----------
        codes
            int16, shape (batch, inputs).
        lanes
            int16, shape (batch, 4 * input_beats), contiguous; what it holds is overwritten.
        """
        # Assigning to columns in another order takes ten times as long as taking them in one, and
        # so does taking with checks of the index: numpy then buffers what it writes.
        np.take(codes, self._input_of_lane, axis=1, out=lanes, mode="clip")
        lanes[:, self.network.inputs :] = 0

    @cached_property
    def _input_of_lane(self) -> npt.NDArray[np.intp]:
        """Input that each lane of an input vector carries; 0 where none does."""
        inputs = np.zeros(self.input_beats * _LANES, np.intp)
        inputs[self.layers[0].slot_of_column] = np.arange(self.network.inputs)
        return inputs

    def answer_beats(self, vectors: int) -> int:
        """Beats of the answer to a run of `vectors` vectors, before its status."""
        return vectors * self.output_beats + len(self.layers) * SATURATED.beats

    def read_saturated(self, beats: npt.NDArray[np.uint64]) -> tuple[int, ...]:
        """Take out of an answer how many results of each layer were saturated, over the batch.

        Parameters
        ----------
        beats
            As for :meth:`read_outputs`.
        """
        records = beats[len(beats) - self.answer_beats(0) :].reshape(-1, SATURATED.beats)
        return tuple(SATURATED.parse(record)["count"] for record in records)

    def read_outputs(
        self, beats: npt.NDArray[np.uint64], out: npt.NDArray[np.int16] | None = None
    ) -> npt.NDArray[np.int16]:
        """Take the output vectors out of an answer and undo the row order.

        Parameters
        ----------
        beats
            uint64, shape (:meth:`answer_beats` of the batch,): the answer's payload before its
            status.
        out
            int16, shape (batch, outputs), contiguous: where to write them, or None for a new
            array.

        Returns
        -------
        ndarray of int16, shape (batch, outputs)
        """
        size = len(beats) - self.answer_beats(0)
        if size < 0 or size % self.output_beats:
            raise InputError(
                f"an answer must have whole vectors of {self.output_beats} beats, and "
                f"{self.answer_beats(0)} behind them, not {len(beats)} beats"
            )
        vectors = np.ascontiguousarray(beats[:size], "<u8").view("<i2")
        vectors = vectors.reshape(-1, self.output_beats * _LANES)
        if out is None:
            out = np.empty((len(vectors), self.network.outputs), np.int16)
        return np.take(vectors, self.layers[-1].slot_of_row, axis=1, out=out, mode="clip")

    def _sections(self) -> list[npt.NDArray[np.uint64]]:
        design = self.design
        beats = [
            _section(
                Section.LAYERS,
                ALL_PES,
                np.concatenate([_descriptor(packed, design) for packed in self.layers]),
            ),
            _section(
                Section.CODEBOOKS,
                ALL_PES,
                np.concatenate([p.layer.codebook for p in self.layers]).astype("<i2").view("<u8"),
            ),
        ]
        lane_type = "<u1" if design.entries_per_word == 8 else "<u2"
        biases = [packed.biases() for packed in self.layers]
        pointers = [pointer_beats(packed, design) for packed in self.layers]
        for pe in range(design.pes):
            beats.append(
                _section(
                    Section.POINTERS,
                    pe,
                    np.concatenate([of_layer[pe] for of_layer in pointers]),
                )
            )
            beats.append(
                _section(
                    Section.BIASES,
                    pe,
                    np.concatenate([of_layer[pe] for of_layer in biases]).astype("<i8").view("<u8"),
                )
            )
            entries = np.concatenate([self._entries_of(packed, pe) for packed in self.layers])
            words = -(-len(entries) // design.entries_per_word)
            lanes = np.zeros(words * design.entries_per_word, lane_type)
            lanes[: len(entries)] = entries
            beats.append(_section(Section.ENTRIES, pe, lanes.view("<u8")))
        return beats

    def _entries_of(self, packed: PackedLayer, pe: int) -> npt.NDArray[np.uint16]:
        starts = packed.encoded.pe_starts
        return packed.encoded.entries[starts[pe] : starts[pe + 1]]


def pointer_beats(packed: PackedLayer, design: Design) -> npt.NDArray[np.uint64]:
    """Put a layer's pointers into the beats of a load.

    Returns
    -------
    ndarray of uint64, shape (pes, beats)
        Plain: two uint32 a beat, the last one once more where it has a beat to itself. Compact: for
        each eight columns the pointer of the first and their lengths, in one beat or two
        (:attr:`Design.beats_per_pointer_word`).
    """
    pointers = packed.encoded.pointers
    pes, count = pointers.shape
    size = design.pointers_of(count - 1)
    if not design.length_bits:
        absolute = np.empty((pes, size), "<u4")
        absolute[:, :count] = pointers + packed.entry_base[:, None]
        absolute[:, count:] = absolute[:, count - 1 : count]
        return absolute.view("<u8")
    word = design.columns_per_pointer_word
    lengths = np.zeros((pes, size), np.uint8)
    lengths[:, : count - 1] = packed.encoded.lengths()
    beats: npt.NDArray[np.uint64]
    bases = (pointers[:, :-1:word] + packed.entry_base[:, None]).astype("<u8")
    if design.beats_per_pointer_word == 2:
        beats = np.stack([bases, lengths.view("<u8")], axis=2).reshape(pes, -1)
        return beats
    shifts = COMPACT_BASE_BITS + COMPACT_LANE_BITS * np.arange(word, dtype=np.uint64)
    lanes = lengths.reshape(pes, -1, word).astype(np.uint64) << shifts
    beats = (bases | np.bitwise_or.reduce(lanes, axis=2)).astype("<u8")
    return beats


def _descriptor(packed: PackedLayer, design: Design) -> npt.NDArray[np.uint64]:
    return LAYER.build(
        columns=packed.layer.columns,
        rows=packed.layer.rows,
        pointer_base=packed.pointer_base // design.columns_per_pointer_word,
        bias_base=packed.bias_base,
        local_rows=packed.local_rows,
        shift=packed.layer.shift,
        relu=int(packed.layer.relu),
    )


def _section(section: Section, pe: int, body: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    start = SECTION.build(section=int(section), pe=pe, length=len(body))
    return np.concatenate([start, body])
