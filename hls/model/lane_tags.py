"""The tags of a run: whose its vectors are, and whether their states are there."""

from __future__ import annotations

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


def states_behind(tags: Tags, states: frozenset[int]) -> tuple[bool, frozenset[int]]:
    """Say whether a step goes on where no state is; and in which lanes there is one afterwards."""
    known, missing = set(states), False
    for lane, start in zip(tags.lanes.tolist(), tags.starts.tolist(), strict=True):
        missing |= not start and lane not in known
        if start:
            known.add(lane)
    return missing, frozenset(known)
