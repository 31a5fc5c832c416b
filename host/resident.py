"""What a load packet leaves in the accelerator's memories, decoded for computing in numpy."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.design import COMPACT_BASE_BITS, COMPACT_LANE_BITS, Design
from eie.host.encoding import EncodedLayer, decode
from eie.host.fixed_point import write_back
from eie.host.network import CODEBOOK_SIZE
from eie.host.packets import ALL_PES, LAYER, Section, iterate_sections

__all__ = ["ResidentLayer", "ResidentNetwork", "read_sections"]

#: Activations in a 64-bit beat.
_LANES = 4
#: Columns of a dense block in batch products: large enough for BLAS, small enough for caches.
_BLOCK = 512
#: Weights met whose products are in hand at a time, so that second-level caches hold them.
_WEIGHTS_AT_ONCE = 1 << 15


@dataclass(frozen=True, eq=False)
class ResidentLayer:
    """A layer as the PEs hold it."""

    #: Inputs.
    columns: int
    #: Outputs.
    rows: int
    #: Rows that each PE works on.
    local_rows: int
    #: Right shift at write-back.
    shift: int
    #: Whether write-back ends in a ReLU.
    relu: bool
    #: Entries and pointers of every PE.
    encoded: EncodedLayer
    #: int16, shape (16,).
    codebook: npt.NDArray[np.int16]
    #: int64, shape (local_rows * pes,): bias of each slot.
    bias: npt.NDArray[np.int64]
    #: int64, shape (columns + 1,): weights of column j are ``starts[j]:starts[j + 1]`` below.
    starts: npt.NDArray[np.int64]
    #: int64, shape (nonzeros,): slot of each weight, column after column.
    slots: npt.NDArray[np.int64]
    #: float64, shape (nonzeros,): value of each weight, an integer.
    weights: npt.NDArray[np.float64]

    @classmethod
    def build(
        cls,
        fields: dict[str, int],
        encoded: EncodedLayer,
        codebook: npt.NDArray[np.int16],
        bias: npt.NDArray[np.int64],
    ) -> ResidentLayer:
        """Decode the entries once, so that every run is a product with plain arrays."""
        slots, columns, codes = decode(encoded)
        order = np.argsort(columns.astype(np.uint16), kind="stable")
        counts = np.bincount(columns, minlength=encoded.columns)
        return cls(
            columns=fields["columns"],
            rows=fields["rows"],
            local_rows=fields["local_rows"],
            shift=fields["shift"],
            relu=bool(fields["relu"]),
            encoded=encoded,
            codebook=codebook,
            bias=bias,
            starts=np.concatenate([[0], np.cumsum(counts)]),
            slots=slots[order],
            weights=codebook[codes[order]].astype(np.float64),
        )

    def run(self, activations: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Outputs by slot: int16 (batch, columns) to int16 (batch, rows).

        Sums are taken in float64, which is exact here: the packer proved that every partial sum
        fits 48 bits, and float64 holds integers up to 2**53.
        """
        if len(activations) == 1:
            sums = self._sums_of_one(activations[0])[None, :]
        else:
            sums = self._sums_of_batch(activations)
        exact = sums.astype(np.int64) + self.bias[: self.rows]
        return write_back(exact, self.shift, relu=self.relu)

    def _sums_of_one(self, activations: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
        """Only the columns that meet a non-zero activation, a cacheful of weights at a time."""
        active = np.flatnonzero(activations)
        values = activations[active].astype(np.float64)
        begins, ends = self.starts[active], self.starts[active + 1]
        lengths = ends - begins
        met = np.cumsum(lengths)
        cuts = np.searchsorted(met, np.arange(0, lengths.sum(), _WEIGHTS_AT_ONCE))
        sums = np.zeros(self.rows)
        for first, stop in itertools.pairwise([*np.unique(cuts), len(active)]):
            part = slice(first, stop)
            weights: slice | npt.NDArray[np.int64]
            if active[stop - 1] - active[first] == stop - 1 - first:
                weights = slice(begins[first], ends[stop - 1])  # neighbours: nothing to gather
            else:
                before = met[part] - lengths[part]
                weights = np.repeat(begins[part] - before, lengths[part])
                weights += np.arange(before[0], met[stop - 1])
            products = np.repeat(values[part], lengths[part])
            products *= self.weights[weights]
            sums += np.bincount(self.slots[weights], products, self.rows)
        return sums

    def _sums_of_batch(self, activations: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
        """Dense blocks of columns, for BLAS."""
        sums = np.zeros((len(activations), self.rows))
        for start in range(0, self.columns, _BLOCK):
            stop = min(start + _BLOCK, self.columns)
            first, last = self.starts[start], self.starts[stop]
            if first == last:
                continue
            column = np.repeat(np.arange(stop - start), np.diff(self.starts[start : stop + 1]))
            block = np.zeros((stop - start, self.rows))
            block[column, self.slots[first:last]] = self.weights[first:last]
            sums += activations[:, start:stop].astype(np.float64) @ block
        return sums


@dataclass(frozen=True, eq=False)
class ResidentNetwork:
    """A network in the accelerator's memories."""

    network_id: int
    input_beats: int
    output_beats: int
    layers: tuple[ResidentLayer, ...]

    def run(self, inputs: npt.NDArray[np.int16]) -> list[npt.NDArray[np.int16]]:
        """Activations before each layer and after the last: int16 (batch, ...) each."""
        activations = [inputs[:, : self.layers[0].columns]]
        for layer in self.layers:
            activations.append(layer.run(activations[-1]))
        return activations


def read_sections(design: Design, beats: npt.NDArray[np.uint64]) -> tuple[ResidentLayer, ...]:
    """Decode the sections of a load whose lengths and CRC were right.

    Parameters
    ----------
    design
        The accelerator's design.
    beats
        The payload behind its NETWORK record.
    """
    shared: dict[int, npt.NDArray[np.uint64]] = {}
    of_pe: dict[tuple[int, int], npt.NDArray[np.uint64]] = {}
    for fields, body in iterate_sections(beats):
        if fields["pe"] == ALL_PES:
            shared[fields["section"]] = body
        else:
            of_pe[fields["section"], fields["pe"]] = body
    records = shared[Section.LAYERS].reshape(-1, LAYER.beats)
    codebooks = shared[Section.CODEBOOKS].view("<i2").reshape(-1, CODEBOOK_SIZE).astype(np.int16)
    pes = range(design.pes)
    lane = "<u1" if design.entries_per_word == 8 else "<u2"
    entries = [of_pe[Section.ENTRIES, pe].view(lane).astype(np.uint16) for pe in pes]
    pointers = np.stack([of_pe[Section.POINTERS, pe] for pe in pes])
    biases = np.stack([of_pe[Section.BIASES, pe].view("<i8") for pe in pes])
    layers = []
    for record, codebook in zip(records, codebooks, strict=True):
        fields = LAYER.parse(record)
        of_layer = _pointers_of_layer(design, pointers, fields)
        base, end = of_layer[:, 0], of_layer[:, -1]
        if (np.diff(of_layer, axis=1) < 0).any():
            raise ValueError("pointers fall")
        if any(end[pe] > len(entries[pe]) for pe in pes):
            raise ValueError("pointers reach beyond the entries")
        encoded = EncodedLayer(
            index_bits=design.index_bits,
            entries=np.concatenate([entries[pe][base[pe] : end[pe]] for pe in pes]),
            pe_starts=np.concatenate([[0], np.cumsum(end - base)]),
            pointers=of_layer - base[:, None],
        )
        rows = slice(fields["bias_base"], fields["bias_base"] + fields["local_rows"])
        bias = np.ascontiguousarray(biases[:, rows].T).ravel()
        layers.append(ResidentLayer.build(fields, encoded, codebook, bias))
    return tuple(layers)


def _pointers_of_layer(
    design: Design, beats: npt.NDArray[np.uint64], fields: dict[str, int]
) -> npt.NDArray[np.int64]:
    """int64, shape (pes, columns + 1): a layer's pointers out of the beats of every PE."""
    columns = fields["columns"]
    words = -(-design.pointers_of(columns) // design.columns_per_pointer_word)
    first, count = (n * design.beats_per_pointer_word for n in (fields["pointer_base"], words))
    of_layer = np.ascontiguousarray(beats[:, first : first + count])
    if of_layer.shape[1] < count:
        raise ValueError(f"pointers end before beat {first + count}")
    if not design.length_bits:
        plain: npt.NDArray[np.int64] = of_layer.view("<u4")[:, : columns + 1].astype(np.int64)
        return plain
    pes = len(of_layer)
    if design.beats_per_pointer_word == 2:
        bases = of_layer[:, 0::2].astype("<u4").astype(np.int64)
        lengths = np.ascontiguousarray(of_layer[:, 1::2]).view(np.uint8).reshape(pes, -1, 8)
    else:
        bases = (of_layer & np.uint64((1 << COMPACT_BASE_BITS) - 1)).astype(np.int64)
        shifts = COMPACT_BASE_BITS + COMPACT_LANE_BITS * np.arange(8, dtype=np.uint64)
        lanes = of_layer[:, :, None] >> shifts & np.uint64((1 << COMPACT_LANE_BITS) - 1)
        lengths = lanes.astype(np.uint8)
    ends = np.cumsum(lengths, axis=2, dtype=np.int64) + bases[:, :, None]
    pointers: npt.NDArray[np.int64] = np.concatenate([bases[:, :1], ends.reshape(pes, -1)], axis=1)[
        :, : columns + 1
    ]
    # Each word starts where the one before it ends; and no entries lie behind the last column.
    if (
        not np.array_equal(bases[:, 1:], ends[:, :-1, -1])
        or lengths.reshape(pes, -1)[:, columns:].any()
    ):
        raise ValueError("pointers and lengths do not follow one another")
    if (lengths >> design.length_bits).any():
        raise ValueError(f"a length takes more than {design.length_bits} bits")
    return pointers
