"""The order in which what belongs to vectors that go abreast travels.

Vectors go through the layers in *groups* of ``Design.abreast``, the last of a batch with what is
left. Wherever words of a group travel, they alternate: as many of the first vector as the array
works on at once (``Design.block_words``), then the same of the second, and so on; behind the last
vector's the next block of the first. So they lie in packets, beat by beat.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATIONS_PER_BEAT, ACTIVATIONS_PER_WORD

__all__ = ["as_sent", "groups_of", "in_vectors", "nonzero_of_groups", "sent_beats"]

_BEATS_PER_WORD = ACTIVATIONS_PER_WORD // ACTIVATIONS_PER_BEAT


def groups_of(vectors: int, abreast: int) -> Iterator[tuple[slice, int]]:
    """Cut a batch into groups: slices of vectors in groups of the same size, and that size."""
    whole = vectors // abreast * abreast
    if whole:
        yield slice(0, whole), abreast
    if whole < vectors:
        yield slice(whole, vectors), vectors - whole


def sent_beats(design: Design, beats: int, vectors: int) -> npt.NDArray[np.intp]:
    """Places of a group's beats in the order in which they travel.

    Parameters
    ----------
    design
        The accelerator's design.
    beats
        Beats of a vector.
    vectors
        Vectors of the group.

    Returns
    -------
    ndarray of intp, shape (vectors * beats,)
        Indices of beats of the vectors one behind the other.
    """
    block = design.block_words * _BEATS_PER_WORD
    parts = [
        vector * beats + np.arange(start, min(start + block, beats))
        for start in range(0, beats, block)
        for vector in range(vectors)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.intp)


def in_vectors(design: Design, sent: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Put beats of a batch as they travel, shape (vectors, beats of each), vector by vector."""
    vectors, beats = sent.shape
    if design.abreast == 1:
        return sent
    ordered = np.empty_like(sent)
    for part, size in groups_of(vectors, design.abreast):
        places = sent_beats(design, beats, size)
        groups = sent[part].reshape(-1, size * beats)
        of_part = np.empty_like(groups)
        of_part[:, places] = groups
        ordered[part] = of_part.reshape(-1, beats)
    return ordered


def as_sent(design: Design, vectors: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Put beats of a batch vector by vector as they travel: what :func:`in_vectors` undoes."""
    count, beats = vectors.shape
    if design.abreast == 1:
        return vectors
    sent = np.empty_like(vectors)
    for part, size in groups_of(count, design.abreast):
        groups = vectors[part].reshape(-1, size * beats)
        sent[part] = groups[:, sent_beats(design, beats, size)].reshape(-1, beats)
    return sent


def nonzero_of_groups(activations: npt.NDArray[np.int16], abreast: int) -> npt.NDArray[np.bool_]:
    """Say which columns each group meets: those that are not zero in one of its vectors.

    Parameters
    ----------
    activations
        Of shape (vectors, columns).
    abreast
        Vectors of a group.

    Returns
    -------
    ndarray of bool, shape (groups, columns)
    """
    vectors, columns = activations.shape
    groups = -(-vectors // abreast)
    filled = np.zeros((groups * abreast, columns), np.bool_)
    filled[:vectors] = activations != 0
    met: npt.NDArray[np.bool_] = filled.reshape(groups, abreast, columns).any(axis=1)
    return met
