"""One layer packed for a design, and the record that says to the accelerator what it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN
from eie.hls.spec.matrix_format import EncodedLayer
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD, LAYER, Function
from eie.host.network import Layer
from eie.host.packing.held_memory import HeldMemory

__all__ = ["PackedLayer", "layer_record", "needs_bounds", "needs_cell", "waiting_activations"]

_FUNCTIONS = {
    "none": Function.LINEAR,
    "relu": Function.LINEAR,
    "leaky_relu": Function.LEAKY_RELU,
    "sigmoid": Function.SIGMOID,
    "tanh": Function.TANH,
    "lstm": Function.LSTM,
    "gru": Function.GRU,
}


@dataclass(frozen=True, eq=False)
class PackedLayer:
    """One layer, packed for a design."""

    #: The layer as the model says it.
    layer: Layer
    #: Its entries and pointers.
    encoded: EncodedLayer
    #: int64, shape (rows,): slot of each row; the same in all layers that share their sums.
    slot_of_row: npt.NDArray[np.int64]
    #: int64, shape (columns,): the column that each input travels as (the order of the layer that
    #: gives them, or that in which the host sends the network's inputs).
    slot_of_column: npt.NDArray[np.int64]
    #: int64, shape (results,): place of each result among those that leave the array: the slot of
    #: its row or, of an LSTM or a GRU, the number of its unit in the order of units.
    place_of_result: npt.NDArray[np.int64]
    #: First pointer of the layer in every PE.
    pointer_base: int
    #: First bias of the layer in every PE; those of the next one for a layer that accumulates.
    bias_base: int
    #: Rows that each PE works on, padding included.
    local_rows: int
    #: int64, shape (pes,): entries of earlier layers in each PE.
    entry_base: npt.NDArray[np.int64]

    @property
    def local_biases(self) -> int:
        """Biases that each PE holds: none for a layer that accumulates."""
        return 0 if self.layer.accumulate else self.local_rows

    def biases(self) -> npt.NDArray[np.int64]:
        """int64, shape (pes, local_biases): each PE's biases, 0 for padding rows."""
        pes = self.encoded.pes
        by_slot = np.zeros(self.local_biases * pes, np.int64)
        if self.local_biases:
            by_slot[self.slot_of_row] = self.layer.bias
        return np.ascontiguousarray(by_slot.reshape(self.local_biases, pes).T)


def needs_cell(layer: Layer) -> bool:
    """Whether a design without cell units cannot compute a layer."""
    return _FUNCTIONS[layer.activation] != Function.LINEAR


def needs_bounds(layer: Layer) -> bool:
    """Whether a design without bounds cannot compute a layer."""
    lowest = 0 if layer.relu else CODE_MIN
    bounded = (layer.low, layer.high) != (lowest, CODE_MAX)
    return not layer.accumulate and (bounded or layer.half_even)


def waiting_activations(layer: Layer, design: Design) -> int:
    """Activations that a layer's results take where they wait, of a group of vectors.

    Padding is included.
    """
    if layer.recurrent:
        return -(-layer.results // ACTIVATIONS_PER_WORD) * ACTIVATIONS_PER_WORD
    return design.local_rows(layer.rows) * design.pes * design.abreast


def layer_record(
    index: int, packed: PackedLayer, design: Design, held: HeldMemory, *, begins: bool
) -> npt.NDArray[np.uint64]:
    """Build the LAYER record of the layer at `index`, where a run may begin or not."""
    layer = packed.layer
    rule, source = layer.write_back, layer.source
    return LAYER.build(
        columns=layer.columns,
        rows=layer.rows,
        pointer_base=packed.pointer_base // design.columns_per_pointer_word,
        bias_base=packed.bias_base,
        local_rows=packed.local_rows,
        shift=rule.shift,
        rounding=int(rule.half_even),
        function=_FUNCTIONS[layer.activation],
        accumulate=int(layer.accumulate),
        low=rule.low & 0xFFFF,
        high=rule.high & 0xFFFF,
        slope=layer.slope,
        source=int(source is not None),
        hold=int(index in held.bases),
        begins=int(begins),
        ends=int(not layer.accumulate),
        source_base=0 if source is None else held.bases[source],
        hold_base=held.bases.get(index, 0),
    )
