"""What a load packet leaves in the accelerator's memories, decoded for computing in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.model.sparse_product import SparseProduct
from eie.hls.spec.design import COMPACT_BASE_BITS, COMPACT_LANE_BITS, Design
from eie.hls.spec.fixed_point import write_back
from eie.hls.spec.matrix_format import CODEBOOK_SIZE, EncodedLayer, decode
from eie.hls.spec.packets import ALL_PES, LAYER, Section, iterate_sections

__all__ = ["ResidentLayer", "ResidentNetwork", "read_sections"]

#: Activations in a 64-bit beat.
_LANES = 4


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
    #: Its weights by slot, for computing with.
    product: SparseProduct

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
        if slots.max(initial=-1) >= fields["rows"]:
            raise ValueError(f"entries reach beyond the layer's {fields['rows']} rows")
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
            product=SparseProduct(
                rows=fields["rows"],
                starts=np.concatenate([[0], np.cumsum(counts)]),
                row_of=slots[order],
                weights=codebook[codes[order]].astype(np.float64),
            ),
        )

    def run(self, activations: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Outputs by slot: int16 (batch, columns) to int16 (batch, rows)."""
        sums = self.product(activations) + self.bias[: self.rows]
        return write_back(sums, self.shift, relu=self.relu)


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
