"""A network packed for a design: entries, pointers and biases of each PE, as packets carry them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.spec.design import Design
from eie.hls.spec.group_order import groups_of
from eie.hls.spec.packets import (
    ACTIVATIONS_PER_BEAT,
    ALL_PES,
    BEAT_BYTES,
    HEADER,
    NETWORK,
    RUN,
    SATURATED,
    SECTION,
    TAG,
    TRAILER,
    Kind,
    Section,
    build_header,
    build_packet,
    build_trailer,
)
from eie.hls.spec.pointers import pointer_beats
from eie.host.network import INPUT, Network
from eie.host.network.graph import beginnings
from eie.host.packing.group_places import Indices, inputs_sent, results_sent
from eie.host.packing.held_memory import HeldMemory, lay_out
from eie.host.packing.packed_layer import PackedLayer, layer_record
from eie.host.packing.run_tags import RunTags

__all__ = ["PackedNetwork"]

#: Beats of a run's packet before the first vector.
_RUN_START = HEADER.beats + RUN.beats


@dataclass(frozen=True, eq=False)
class PackedNetwork:
    """A network packed for a design: what goes into a load packet, and how to talk to it."""

    #: The design it was packed for.
    design: Design
    #: The network it was packed from.
    network: Network
    #: Its layers in order.
    layers: tuple[PackedLayer, ...]
    #: Layer that a run begins with, and the one behind that with which it ends.
    first: int = 0
    stop: int | None = None

    def between(self, first: int, last: int) -> PackedNetwork:
        """Give the same network for runs of some layers: from `first` on, with `last` at the end.

        What goes into the accelerator is the same, so it is the same network there.

        Raises
        ------
        InputError
            If no run may begin with the one or end with the other: names those that may.
        """
        layers = [part.layer for part in self.layers]
        begins = sorted(beginnings(layers))
        ends = [index for index, layer in enumerate(layers) if not layer.accumulate]
        problems = Problems("layers of a run")
        for index, may, what in ((first, begins, "first"), (last, ends, "last")):
            problems.require(
                index in may,
                f"{what} must be one of {', '.join(f'{i} ({layers[i].name})' for i in may)}, not "
                f"{index!r}",
            )
        problems.require(
            not isinstance(first, int) or not isinstance(last, int) or first <= last,
            f"last must not come before first, {first!r}, as {last!r} does",
        )
        problems.raise_as(InputError)
        part = replace(self, first=first, stop=last + 1)
        # It is the same packet that loads it: not made anew for each run.
        identity = {"network_id": self.network_id, "sections": self.sections, "held": self.held}
        part.__dict__.update(identity)
        return part

    @property
    def ran(self) -> tuple[PackedLayer, ...]:
        """The layers that a run goes through."""
        return self.layers[self.first : self.stop]

    @property
    def inputs(self) -> int:
        """Length of a run's input vector."""
        return self.ran[0].layer.columns

    @property
    def outputs(self) -> int:
        """Length of a run's output vector."""
        return self.ran[-1].layer.results

    def on(self, design: Design) -> PackedNetwork:
        """Give the same packing for a design of the same PEs and zero runs, not asking if it fits.

        Where pointers lie depends on whether they are compact.
        """
        layers, pointer_base = [], 0
        for part in self.layers:
            layers.append(replace(part, pointer_base=pointer_base))
            pointer_base += design.pointers_of(part.layer.columns)
        return PackedNetwork(design, self.network, tuple(layers), self.first, self.stop)

    @cached_property
    def held(self) -> HeldMemory:
        """Where held words lie, and how many vectors have a lane of them."""
        return lay_out(self.network, self.design.held_words, self.design.abreast)

    @property
    def input_beats(self) -> int:
        """Beats of an input vector."""
        return -(-self.inputs // ACTIVATIONS_PER_BEAT)

    @property
    def output_beats(self) -> int:
        """Beats of an output vector."""
        return -(-self.outputs // ACTIVATIONS_PER_BEAT)

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
            lanes=self.held.lanes,
            hold=int(INPUT in self.held.bases),
            hold_base=self.held.bases.get(INPUT, 0),
            stride=self.held.stride,
        )
        return build_packet(Kind.LOAD, sequence, np.concatenate([start, self.sections]))

    def run_packet(
        self,
        inputs: npt.NDArray[np.int16],
        sequence: int = 0,
        tags: RunTags | None = None,
    ) -> bytes:
        """Build the packet that runs a batch: int16 codes of shape (batch, inputs)."""
        codes = self.check_codes(inputs)
        size = self.run_packet_bytes(len(codes), tagged=tags is not None)
        buffer = np.empty(size, np.uint8)
        self.write_run_packet(codes, buffer, sequence, tags)
        return buffer.tobytes()

    def check_codes(self, codes: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Check what a run takes: int16 of shape (batch, inputs)."""
        if self.first == 0:
            return self.network.check_inputs(codes)
        shape = getattr(codes, "shape", None)
        if getattr(codes, "dtype", None) != np.int16 or shape != (len(codes), self.inputs):
            raise InputError(
                f"what layer {self.ran[0].layer.name!r} takes must be int16 codes of shape "
                f"(batch, {self.inputs}), not {getattr(codes, 'dtype', type(codes))} of {shape}"
            )
        return codes

    def run_packet_bytes(self, vectors: int, *, tagged: bool = False) -> int:
        """Bytes of the packet that runs `vectors` vectors."""
        beats = self.input_beats + (TAG.beats if tagged else 0)
        return (_RUN_START + vectors * beats + TRAILER.beats) * BEAT_BYTES

    def write_run_packet(
        self,
        codes: npt.NDArray[np.int16],
        buffer: npt.NDArray[np.uint8],
        sequence: int = 0,
        tags: RunTags | None = None,
    ) -> None:
        """Write the packet that runs a batch into `buffer`: where the DMA reads it, for one.

        Parameters
        ----------
        codes
            int16, shape (batch, inputs).
        buffer
            uint8, shape (:meth:`run_packet_bytes` of the batch,), contiguous and aligned to a
            beat.
        sequence
            The packet's number, of which the lowest 16 bits count.
        tags
            Whose the vectors are; None: each stands for itself, and gives an output.

        Raises
        ------
        InputError
            If the tags are not those of a run of these vectors.
        """
        beats = buffer.view("<u8")
        body = beats[_RUN_START : -TRAILER.beats]
        if tags is None:
            lanes = body.view("<i2").reshape(len(codes), self.input_beats * ACTIVATIONS_PER_BEAT)
            self.write_inputs(codes, lanes)
        else:
            if self.design.abreast > 1:
                raise InputError(
                    f"a run with tags must be of a design with abreast 1, not "
                    f"{self.design.abreast}: of a group all vectors share a lane"
                )
            tags.check(len(codes), self.held.lanes)
            rows = body.reshape(len(codes), TAG.beats + self.input_beats)
            rows[:, 0] = tags.beats()
            vectors = np.empty((len(codes), self.input_beats), "<u8")
            self.write_inputs(codes, vectors.view("<i2"))
            rows[:, TAG.beats :] = vectors
        beats[HEADER.beats : _RUN_START] = RUN.build(
            network_id=self.network_id,
            batch=len(codes),
            first=self.first,
            tagged=int(tags is not None),
            layers=len(self.ran),
            outputs=len(codes) if tags is None else tags.given,
        )
        payload = len(beats) - HEADER.beats - TRAILER.beats
        data = buffer.data
        data[: HEADER.beats * BEAT_BYTES] = build_header(Kind.RUN, sequence, payload)
        covered = len(data) - TRAILER.beats * BEAT_BYTES
        data[covered:] = build_trailer(data[:covered])

    def in_order_sent(self, codes: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Put inputs, int16 of shape (batch, inputs), in the order in which they are sent."""
        sent: npt.NDArray[np.int16] = codes[:, self._input_of_lane[: self.inputs]]
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
        for part, size in groups_of(len(codes), self.design.abreast):
            places, spare = self._inputs_sent[size]
            groups = lanes[part].reshape(-1, size * lanes.shape[1])
            given = codes[part].reshape(-1, size * self.inputs)
            np.take(given, places, axis=1, out=groups, mode="clip")
            groups[:, spare] = 0

    @cached_property
    def _input_of_lane(self) -> npt.NDArray[np.intp]:
        """Input that each lane of an input vector carries; 0 where none does."""
        inputs = np.zeros(self.input_beats * ACTIVATIONS_PER_BEAT, np.intp)
        inputs[self.ran[0].slot_of_column] = np.arange(self.inputs)
        return inputs

    @cached_property
    def _inputs_sent(self) -> dict[int, tuple[Indices, Indices | slice]]:
        """What the lanes of a group carry, by its vectors."""
        sizes = range(1, self.design.abreast + 1)
        return {
            size: inputs_sent(self.design, size, self._input_of_lane, self.inputs) for size in sizes
        }

    @cached_property
    def _results_sent(self) -> dict[int, Indices]:
        """Where the results of a group lie, by its vectors."""
        lanes, places = self.output_beats * ACTIVATIONS_PER_BEAT, self.ran[-1].place_of_result
        sizes = range(1, self.design.abreast + 1)
        return {size: results_sent(self.design, size, places, lanes) for size in sizes}

    def answer_beats(self, outputs: int) -> int:
        """Beats of the answer to a run that gives `outputs` outputs, before its status."""
        return outputs * self.output_beats + len(self.ran) * SATURATED.beats

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
            uint64, shape (:meth:`answer_beats` of the vectors that give an output,): the answer's
            payload before its status.
        out
            int16, shape (vectors, outputs), contiguous: where to write them, or None for a new
            array.

        Returns
        -------
        ndarray of int16, shape (vectors, outputs)
        """
        size = len(beats) - self.answer_beats(0)
        if size < 0 or size % self.output_beats:
            raise InputError(
                f"an answer must have whole vectors of {self.output_beats} beats, and "
                f"{self.answer_beats(0)} behind them, not {len(beats)} beats"
            )
        vectors = np.ascontiguousarray(beats[:size], "<u8").view("<i2")
        vectors = vectors.reshape(-1, self.output_beats * ACTIVATIONS_PER_BEAT)
        if out is None:
            out = np.empty((len(vectors), self.outputs), np.int16)
        for part, size in groups_of(len(vectors), self.design.abreast):
            groups = vectors[part].reshape(-1, size * vectors.shape[1])
            results = out[part].reshape(-1, size * self.outputs)
            np.take(groups, self._results_sent[size], axis=1, out=results, mode="clip")
        return out

    def _sections(self) -> list[npt.NDArray[np.uint64]]:
        design = self.design
        beats = [
            _section(
                Section.LAYERS,
                ALL_PES,
                np.concatenate(self.layer_records()),
            ),
            _section(
                Section.CODEBOOKS,
                ALL_PES,
                np.concatenate([p.layer.codebook for p in self.layers]).astype("<i2").view("<u8"),
            ),
        ]
        lane_type = "<u1" if design.entries_per_word == 8 else "<u2"
        biases = [packed.biases() for packed in self.layers]
        pointers = [
            pointer_beats(design, packed.encoded, packed.entry_base) for packed in self.layers
        ]
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

    def layer_records(self) -> list[npt.NDArray[np.uint64]]:
        """uint64 beats of the LAYER record of each layer."""
        begins = beginnings(self.network.layers)
        return [
            layer_record(index, packed, self.design, self.held, begins=index in begins)
            for index, packed in enumerate(self.layers)
        ]

    def _entries_of(self, packed: PackedLayer, pe: int) -> npt.NDArray[np.uint16]:
        starts = packed.encoded.pe_starts
        return packed.encoded.entries[starts[pe] : starts[pe + 1]]


def _section(section: Section, pe: int, body: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    start = SECTION.build(section=int(section), pe=pe, length=len(body))
    return np.concatenate([start, body])
