"""The tags of a run: whose its vectors are, and whether their states are there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eie.hls.model.resident_network import Tags
from eie.hls.spec.packets import TAG
from eie.hls.spec.record import Beats

__all__ = ["read_tags", "states_behind"]


def read_tags(beats: Beats, lanes: int, outputs: int) -> tuple[Tags, bool]:
    """Read a run's tags; also whether one of them was not right, and had to be made so."""
    bad = False
    read: list[tuple[int, bool, bool]] = []
    for number, beat in enumerate(beats):
        fields = TAG.parse(beats[number : number + 1])
        left = len(beats) - number
        # As many outputs as were announced.
        gives = outputs == left or (outputs != 0 and fields["output"] == 1)
        bad |= fields["lane"] >= lanes or fields["start"] > 1 or fields["output"] > 1
        bad |= int(beat) != int(TAG.build(**fields)[0]) or gives != (fields["output"] == 1)
        lane = fields["lane"] if fields["lane"] < lanes else 0
        read.append((lane, fields["start"] == 1, gives))
        outputs -= gives
    columns = [np.array([tag[place] for tag in read]) for place in range(3)]
    return Tags(
        columns[0].astype(np.int64), columns[1].astype(np.bool_), columns[2].astype(np.bool_)
    ), bad


def states_behind(tags: Tags, states: frozenset[int]) -> tuple[Tags, frozenset[int]]:
    """Give tags with a state for every one that goes on, and the lanes that have one afterwards.

    A step whose state is missing starts from zeros, so that what its run gives, though it is void,
    is nothing of what another sequence left there.
    """
    known, starts = set(states), tags.starts.copy()
    for step, lane in enumerate(tags.lanes.tolist()):
        starts[step] |= lane not in known
        known.add(lane)
    return replace(tags, starts=starts), frozenset(known)
