"""Column pointers in the beats of a load: what the packer writes, and how it is read.

The kernel reads the same in ``pointers.h``, of which a project gets ``pointers_plain.h`` or
``pointers_compact.h``.

Plain: two uint32 a beat. Compact: for each eight columns the pointer of the first, the base, and
the lengths of all of them, in one beat or two (:attr:`Design.beats_per_pointer_word`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eie.hls.spec.design import COMPACT_BASE_BITS, COMPACT_LANE_BITS, Design
from eie.hls.spec.matrix_format import EncodedLayer
from eie.hls.spec.record import Beats

__all__ = ["compact_pointers", "plain_pointers", "pointer_beats"]


def pointer_beats(
    design: Design, encoded: EncodedLayer, entry_base: npt.NDArray[np.int64]
) -> Beats:
    """Put a layer's pointers into the beats of a load.

    Parameters
    ----------
    design
        The accelerator's design.
    encoded
        The layer.
    entry_base
        int64, shape (pes,): entries of earlier layers in each PE.

    Returns
    -------
    ndarray of uint64, shape (pes, beats)
        Of plain pointers the last one comes once more where it would have a beat to itself.
    """
    pointers = encoded.pointers
    pes, count = pointers.shape
    size = design.pointers_of(count - 1)
    if not design.length_bits:
        absolute = np.empty((pes, size), "<u4")
        absolute[:, :count] = pointers + entry_base[:, None]
        absolute[:, count:] = absolute[:, count - 1 : count]
        return absolute.view("<u8")
    word = design.columns_per_pointer_word
    lengths = np.zeros((pes, size), np.uint8)
    lengths[:, : count - 1] = encoded.lengths()
    beats: Beats
    bases = (pointers[:, :-1:word] + entry_base[:, None]).astype("<u8")
    if design.beats_per_pointer_word == 2:
        beats = np.stack([bases, lengths.view("<u8")], axis=2).reshape(pes, -1)
        return beats
    lanes = lengths.reshape(pes, -1, word).astype(np.uint64) << _shifts(word)
    beats = (bases | np.bitwise_or.reduce(lanes, axis=2)).astype("<u8")
    return beats


def plain_pointers(beats: Beats) -> npt.NDArray[np.int64]:
    """Pointers of a PE, two a beat: int64, shape (2 * beats,)."""
    pointers: npt.NDArray[np.int64] = np.ascontiguousarray(beats).view("<u4").astype(np.int64)
    return pointers


def compact_pointers(
    design: Design, beats: Beats
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Bases and lengths of a PE's whole words of compact pointers.

    Returns
    -------
    bases
        uint64, shape (words,).
    lengths
        int64, shape (words, 8).
    """
    if design.beats_per_pointer_word == 2:
        pairs = np.ascontiguousarray(beats[: len(beats) // 2 * 2]).reshape(-1, 2)
        lengths = np.ascontiguousarray(pairs[:, 1]).view(np.uint8).reshape(-1, 8)
        return pairs[:, 0], lengths.astype(np.int64)
    bases = beats & np.uint64((1 << COMPACT_BASE_BITS) - 1)
    lanes = beats[:, None] >> _shifts(8) & np.uint64((1 << COMPACT_LANE_BITS) - 1)
    return bases, lanes.astype(np.int64)


def _shifts(columns: int) -> npt.NDArray[np.uint64]:
    """Where the length of each column is in a beat that it shares with its base."""
    lanes = np.arange(columns, dtype=np.uint64)
    return np.uint64(COMPACT_BASE_BITS) + np.uint64(COMPACT_LANE_BITS) * lanes
