"""What a load packet leaves in the accelerator's memories, decoded for computing in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.progress import tell
from eie.hls.model.load_sections import LoadSections
from eie.hls.model.sparse_product import SparseProduct
from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import write_back_counted
from eie.hls.spec.matrix_format import EncodedLayer, decode
from eie.hls.spec.packets import ACTIVATIONS_PER_BEAT
from eie.hls.spec.pointers import compact_pointers, plain_pointers
from eie.hls.spec.record import Beats

__all__ = ["ResidentLayer", "ResidentNetwork", "ResidentRun", "read_sections"]

#: Accumulators of this width wrap around no sum that a layer can have.
_WIDE = 62


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
    #: Its weights by slot, padding rows included, for computing with.
    product: SparseProduct
    #: Width of an accumulator, in which sums wrap around. The packer proves that none does.
    accumulator_bits: int = _WIDE

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
            shift=fields["shift"],
            relu=bool(fields["relu"]),
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

    def run(self, activations: npt.NDArray[np.int16]) -> tuple[npt.NDArray[np.int16], int]:
        """Outputs by slot, those of padding rows behind, and how many were saturated.

        Padding rows give 0, but for loads that no packer makes. They do not count.

        Parameters
        ----------
        activations
            int16, shape (batch, columns).

        Returns
        -------
        tuple of ndarray and int
            int16, shape (batch, slots), and the count.
        """
        sums = self.product(activations) + self.bias
        relu = self.relu
        half = (1 << self.shift) >> 1
        limit = 1 << (self.accumulator_bits - 1)
        if sums.min(initial=0) < -limit or sums.max(initial=0) >= limit - half:
            # The steps of write-back in an accumulator that is too narrow for them.
            sums = self._wrapped(sums)
            if relu:
                sums = np.maximum(sums, 0)
            sums, relu = self._wrapped(sums + half) - half, False
        outputs, saturated = write_back_counted(sums, self.shift, relu=relu)
        _, spare = write_back_counted(sums[:, self.rows :], self.shift, relu=relu)
        return outputs, saturated - spare

    def _wrapped(self, sums: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """What an accumulator holds of `sums`."""
        limit = 1 << (self.accumulator_bits - 1)
        wrapped: npt.NDArray[np.int64] = (sums + limit) % (2 * limit) - limit
        return wrapped


@dataclass(frozen=True, eq=False)
class ResidentRun:
    """What a batch gave, layer by layer."""

    #: int16, shape (batch, ...) each: activations before each layer, and whole output vectors. The
    #: last beat of these is filled up with the results of padding rows, 0 but for loads that no
    #: packer makes.
    activations: list[npt.NDArray[np.int16]]
    #: Results of each layer that were saturated.
    saturated: list[int]


@dataclass(frozen=True, eq=False)
class ResidentNetwork:
    """A network in the accelerator's memories."""

    network_id: int
    input_beats: int
    output_beats: int
    layers: tuple[ResidentLayer, ...]

    def run(self, inputs: npt.NDArray[np.int16]) -> ResidentRun:
        """Take a batch through all layers."""
        activations = [inputs]
        saturated = []
        for number, layer in enumerate(self.layers):
            tell(f"computing {len(inputs)} vectors", number, len(self.layers), "layers")
            activations[-1] = activations[-1][:, : layer.columns]
            outputs, count = layer.run(activations[-1])
            activations.append(outputs)
            saturated.append(count)
        activations[-1] = activations[-1][:, : self.output_beats * ACTIVATIONS_PER_BEAT]
        return ResidentRun(activations, saturated)


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
        rows = slice(fields["bias_base"], fields["bias_base"] + fields["local_rows"])
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
