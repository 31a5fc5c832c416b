"""The packet that puts a sequence's state into a lane of an accelerator."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eie.hls.spec.packets import (
    ACTIVATIONS_PER_WORD,
    STATE,
    STATE_BEATS_PER_WORD,
    Kind,
    build_packet,
)
from eie.host.packing.packed_network import PackedNetwork

__all__ = ["state_packet"]


def state_packet(
    packed: PackedNetwork,
    layer: int,
    lane: int,
    results: npt.NDArray[np.int16],
    cells: npt.NDArray[np.int32],
    sequence: int = 0,
) -> bytes:
    """Build the packet for one recurrent layer: a sequence has a state when all of them have.

    Parameters
    ----------
    packed
        The resident network.
    layer
        Index of the layer.
    lane
        Lane of the sequence.
    results
        int16, shape (units,): h with 15 fraction bits.
    cells
        int32, shape (units,): what the cell keeps, of 24 bits.
    sequence
        The packet's number.
    """
    part = packed.layers[layer]
    words = -(-part.layer.results // ACTIVATIONS_PER_WORD)
    places = part.place_of_result
    h = np.zeros(words * ACTIVATIONS_PER_WORD, "<i2")
    kept = np.zeros(words * ACTIVATIONS_PER_WORD, "<i4")
    h[places], kept[places] = results, cells
    beats = [h.view("<u8").reshape(words, -1), kept.view("<u8").reshape(words, -1)]
    body = np.concatenate(beats, axis=1).reshape(words * STATE_BEATS_PER_WORD)
    start = STATE.build(network_id=packed.network_id, layer=layer, lane=lane)
    return build_packet(Kind.STATE, sequence, np.concatenate([start, body]))
