"""Loads that contradict themselves or the design, with right CRCs: each made from its number.

:func:`mutated_load` knows the structure of a load: it changes fields of every record to values at
their limits, near the right one, of a neighbour or random; sections in order, number and length;
pointers that fall or lead beyond the entries; biases, weights and entries; what layers hold, take,
add and give, and the lanes for it. A part of the changes leaves the load sound, as another network,
so that what runs is compared as well: all layers or some, with tags and without.
"""

from __future__ import annotations

import random

import numpy as np

from eie.hls.spec.packets import NETWORK, Kind, build_packet
from eie.host.packing.packed_network import PackedNetwork
from fuzz.load_under_change import Beats, LoadUnderChange
from fuzz.record_changes import RECORD_CHANGES
from fuzz.section_changes import SECTION_CHANGES

_WAYS = RECORD_CHANGES + SECTION_CHANGES


def mutated_load(packed: PackedNetwork, number: int) -> tuple[bytes, str]:
    """Make a mutated load.

    Parameters
    ----------
    packed
        The network from whose load it is made.
    number
        Seeds everything about it: the same number gives the same load.

    Returns
    -------
    packet
        A load packet with right length and CRCs.
    story
        What was changed.
    """
    dice = random.Random(f"load {number}")
    load = LoadUnderChange.of(packed)
    for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 5))):
        dice.choice(_WAYS)(dice, load)
    payload = load.payload()
    if dice.random() < 0.04:
        payload = _anywhere(dice, load, payload)
    return build_packet(Kind.LOAD, number, payload), ", ".join(load.story)


def _anywhere(dice: random.Random, load: LoadUnderChange, payload: Beats) -> Beats:
    """Change, drop or insert beats of the payload, whatever they mean."""
    spot = dice.randrange(len(payload))
    way = dice.choice(("bit", "value", "drop", "insert", "cut"))
    load.story.append(f"{way} at beat {spot}")
    if way == "bit":
        payload[spot] = int(payload[spot]) ^ 1 << dice.randrange(64)
    elif way == "value":
        payload[spot] = dice.getrandbits(64)
    elif way == "drop":
        return np.delete(payload, spot)
    elif way == "insert":
        return np.insert(payload, spot, np.uint64(dice.getrandbits(64)))
    else:
        return payload[: max(NETWORK.beats, spot)]
    return payload
