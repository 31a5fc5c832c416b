"""Where the values of vectors that go abreast lie in packets: a group at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eie.hls.spec.design import Design
from eie.hls.spec.group_order import sent_beats
from eie.hls.spec.packets import ACTIVATIONS_PER_BEAT

__all__ = ["inputs_sent", "results_sent"]

Indices = npt.NDArray[np.intp]


def inputs_sent(
    design: Design, vectors: int, input_of_lane: Indices, inputs: int
) -> tuple[Indices, Indices | slice]:
    """Say which input of which vector each lane of a group carries.

    Parameters
    ----------
    design
        The accelerator's design.
    vectors
        Vectors of the group.
    input_of_lane
        Input that each lane of a vector carries, anything behind the last one.
    inputs
        Inputs of a vector.

    Returns
    -------
    tuple of ndarray of intp and ndarray or slice
        Indices of the inputs of the vectors one behind the other, and the lanes that carry none.
    """
    if vectors == 1:
        return input_of_lane, slice(inputs, None)
    vector, lane = np.divmod(_sent_lanes(design, len(input_of_lane), vectors), len(input_of_lane))
    return vector * inputs + input_of_lane[lane], np.flatnonzero(lane >= inputs)


def results_sent(design: Design, vectors: int, place_of_result: Indices, lanes: int) -> Indices:
    """Say in which lane of a group's outputs each result of each vector is.

    Parameters
    ----------
    design, vectors
        As for :func:`inputs_sent`.
    place_of_result
        Lane of each result in a vector of `lanes` lanes.
    """
    if vectors == 1:
        return place_of_result
    place = np.argsort(_sent_lanes(design, lanes, vectors))
    found: Indices = place.reshape(vectors, lanes)[:, place_of_result].ravel()
    return found


def _sent_lanes(design: Design, lanes: int, vectors: int) -> Indices:
    """Lanes of vectors of so many in the order in which they travel."""
    beats = sent_beats(design, lanes // ACTIVATIONS_PER_BEAT, vectors)
    return (beats[:, None] * ACTIVATIONS_PER_BEAT + np.arange(ACTIVATIONS_PER_BEAT)).ravel()
