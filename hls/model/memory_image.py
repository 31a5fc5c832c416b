"""What a load packet leaves in the accelerator's memories, decoded for computing in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.model.load_sections import LoadSections
from eie.hls.model.sparse_product import SparseProduct
from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import WriteBack
from eie.hls.spec.matrix_format import EncodedLayer, decode
from eie.hls.spec.packets import Function
from eie.hls.spec.pointers import compact_pointers, plain_pointers
from eie.hls.spec.record import Beats

__all__ = ["GATES", "ResidentLayer", "read_sections"]

#: Accumulators of this width wrap around no sum that a layer can have.
_WIDE = 62
#: Rows of a recurrent layer that make a result.
GATES = 4


@dataclass(frozen=True, eq=False)
class ResidentLayer:
    """A layer as the accelerator holds it."""

    #: Inputs.
    columns: int
    #: Rows of its matrix.
    rows: int
    #: Rows that each PE works on.
    local_rows: int
    #: How its sums become codes, in the PEs.
    rule: WriteBack
    #: What becomes of these, and what a LeakyReLU multiplies by.
    function: Function
    slope: int
    #: Whether the next layer adds to the same sums.
    accumulates: bool
    #: Held word of a lane in which what it takes begins; None if it takes what arrives.
    source: int | None
    #: Held word of a lane in which its results begin; None if they are not held.
    hold: int | None
    #: Whether a run may begin and end with it.
    begins: bool
    ends: bool
    #: Entries and pointers of every PE.
    encoded: EncodedLayer
    #: int16, shape (16,).
    codebook: npt.NDArray[np.int16]
    #: int64, shape (local_rows * pes,): bias of each slot; 0 for a layer that accumulates.
    bias: npt.NDArray[np.int64]
    #: Its weights by slot, padding rows included, for computing with.
    product: SparseProduct
    #: Width of an accumulator, in which sums wrap around. The packer proves that none does.
    accumulator_bits: int = _WIDE

    @property
    def recurrent(self) -> bool:
        """Whether its results are the state that it takes a step later."""
        return self.function in (Function.LSTM, Function.GRU)

    @property
    def results(self) -> int:
        """Codes that it gives."""
        return self.rows // GATES if self.recurrent else self.rows

    @classmethod
    def build(
        cls,
        fields: Mapping[str, int],
        encoded: EncodedLayer,
        codebook: npt.NDArray[np.int16],
        bias: npt.NDArray[np.int64],
        accumulator_bits: int = _WIDE,
    ) -> ResidentLayer:
        """Decode the entries once, so that every run is a product with plain arrays.

        Entries that lead out of the PE's rows, of which a packer makes none, are dropped as the
        PEs do.

        Parameters
        ----------
        fields
            Of the LAYER record.
        encoded, codebook, bias, accumulator_bits
            As the attributes.
        """
        slots, columns, codes = decode(encoded)
        held = fields["local_rows"] * encoded.pes
        if slots.max(initial=-1) >= held:
            kept = slots < held
            slots, columns, codes = slots[kept], columns[kept], codes[kept]
        order = np.argsort(columns.astype(np.uint16), kind="stable")
        counts = np.bincount(columns, minlength=encoded.columns)
        return cls(
            columns=fields["columns"],
            rows=fields["rows"],
            local_rows=fields["local_rows"],
            rule=WriteBack(
                fields["shift"],
                _signed(fields["low"]),
                _signed(fields["high"]),
                half_even=bool(fields["rounding"]),
            ),
            function=Function(fields["function"]),
            slope=fields["slope"],
            accumulates=bool(fields["accumulate"]),
            source=fields["source_base"] if fields["source"] else None,
            hold=fields["hold_base"] if fields["hold"] else None,
            begins=bool(fields["begins"]),
            ends=bool(fields["ends"]),
            encoded=encoded,
            codebook=codebook,
            bias=bias,
            product=SparseProduct(
                rows=held,
                starts=np.concatenate([[0], np.cumsum(counts)]),
                row_of=slots[order],
                weights=codebook[codes[order]].astype(np.float64),
            ),
            accumulator_bits=accumulator_bits,
        )


def _signed(code: int) -> int:
    """Read an int16 out of 16 bits."""
    return code - ((code & 0x8000) << 1)


def read_sections(design: Design, sections: LoadSections) -> tuple[ResidentLayer, ...]:
    """Decode the sections of a load that :func:`~eie.hls.model.load_check.check_load` takes."""
    pointers = [_pointers_of_layers(design, beats, sections) for beats in sections.pointers]
    pes = range(design.pes)
    layers = []
    for number, fields in enumerate(sections.layers):
        of_layer = np.stack([pointers[pe][number] for pe in pes])
        base, end = of_layer[:, 0], of_layer[:, -1]
        encoded = EncodedLayer(
            index_bits=design.index_bits,
            entries=np.concatenate([sections.entries[pe][base[pe] : end[pe]] for pe in pes]),
            pe_starts=np.concatenate([[0], np.cumsum(end - base)]),
            pointers=of_layer - base[:, None],
        )
        first, count = fields["bias_base"], fields["local_rows"]
        if fields["accumulate"]:
            bias = np.zeros(count * design.pes, np.int64)
        else:
            rows = slice(first, first + count)
            bias = np.stack([of_pe[rows] for of_pe in sections.biases], axis=1).ravel()
        layers.append(
            ResidentLayer.build(
                fields, encoded, sections.codebooks[number], bias, design.accumulator_bits
            )
        )
    return tuple(layers)


def _pointers_of_layers(
    design: Design, beats: Beats, sections: LoadSections
) -> list[npt.NDArray[np.int64]]:
    """int64, shape (columns + 1,) for each layer: pointers out of the beats of one PE."""
    if design.length_bits:
        _, lengths = compact_pointers(design, beats)
        # A word starts where the one before it ends.
        ends = np.concatenate([[0], np.cumsum(lengths.ravel())])
    else:
        ends = plain_pointers(beats)
    found = []
    for fields in sections.layers:
        first = fields["pointer_base"] * design.columns_per_pointer_word
        found.append(ends[first : first + fields["columns"] + 1])
    return found
