"""Runs and states for the network of a mutated load, whatever the load says of its layers."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np

from eie.hls.spec.packets import (
    ACTIVATIONS_PER_WORD,
    HEADER,
    LAYER,
    NETWORK,
    RUN,
    SECTION,
    STATE,
    STATE_BEATS_PER_WORD,
    Function,
    Kind,
    Section,
    build_packet,
)
from fuzz.load_under_change import Beats

#: Most beats of vectors in a run, or of a state, whatever the load says of its layers.
_MOST_BEATS = 300
_RECURRENT = (Function.LSTM, Function.GRU)


def run_after(load: bytes, number: int, *, goes_on: bool = False) -> bytes:
    """Make a run for the network of a mutated load, were it accepted.

    Parameters
    ----------
    load
        The load packet.
    number
        Seeds the run: the vectors are sparse, dense or of extremes; a third of the runs has tags,
        with recurrent layers most of them, a sixth goes through a part of the layers, and some say
        what cannot be.
    goes_on
        Whether lanes may have a state already, with which sequences go on.
    """
    numbers = np.random.default_rng(number)
    dice = random.Random(f"run {number}")
    payload = np.frombuffer(load, "<u8")[HEADER.beats :]
    fields = NETWORK.parse(payload)
    layers = _layers_of(payload)
    batch = dice.choice((1, 2, 3, 6, 9))
    first, count = 0, len(layers)
    if dice.random() < 1 / 6:
        first = dice.randrange(len(layers))
        count = dice.randrange(0, len(layers) + 1 - first)
    recurrent = any(layer["function"] in _RECURRENT for layer in layers)
    tagged = dice.random() < (0.9 if recurrent else 1 / 3) and fields["lanes"] != 0
    beats = -(-layers[first]["columns"] // 4)
    batch = max(1, min(batch, _MOST_BEATS // (beats + tagged))) if beats else batch
    size = (batch, 4 * min(beats, _MOST_BEATS))
    if number % 4 == 0:
        values = numbers.choice(np.array([-32768, 32767], "<i2"), size)
    else:
        values = numbers.integers(-32768, 32768, size, "<i2")
        values *= numbers.random(size) < (0.2, 0.6, 1.0)[number % 3]
    vectors = values.view("<u8")
    outputs = batch
    if tagged:
        tags = _tags(dice, batch, fields["lanes"], goes_on=goes_on)
        vectors = np.concatenate([np.array(tags, "<u8")[:, None], vectors], axis=1)
        outputs = sum(tag >> 16 & 1 for tag in tags)
    if dice.random() < 0.03:
        outputs += dice.choice((-1, 1))
    start = RUN.build(
        network_id=fields["network_id"],
        batch=batch,
        first=first,
        tagged=int(tagged),
        layers=count,
        outputs=max(0, outputs),
    )
    return build_packet(Kind.RUN, number, np.concatenate([start, vectors.ravel()]))


def state_after(load: bytes, number: int) -> bytes:
    """Make a state for the network of a mutated load, were it accepted.

    Parameters
    ----------
    load
        The load packet.
    number
        Seeds the state: mostly of a recurrent layer and a lane that is there, with values of all
        bits, of extremes or of a GRU's range; some say what cannot be.
    """
    numbers = np.random.default_rng(number)
    dice = random.Random(f"state {number}")
    payload = np.frombuffer(load, "<u8")[HEADER.beats :]
    fields = NETWORK.parse(payload)
    layers = _layers_of(payload)
    places = [n for n, layer in enumerate(layers) if layer["function"] in _RECURRENT]
    if not places or dice.random() < 0.05:
        places = [dice.randrange(len(layers) + 1)]
    place = dice.choice(places)
    lane = dice.randrange(max(1, fields["lanes"])) if dice.random() < 0.95 else dice.randrange(256)
    units = layers[min(place, len(layers) - 1)]["rows"] // 4
    words = -(-units // ACTIVATIONS_PER_WORD)
    beats = words * STATE_BEATS_PER_WORD + (dice.random() < 0.03)
    size = min(beats, _MOST_BEATS)
    body = numbers.integers(0, 1 << 64, size, "<u8")
    if number % 4 == 0:
        body = numbers.choice(np.array([0, 0x7FFFFFFF80000000, (1 << 64) - 1], "<u8"), size)
    elif number % 4 == 1:  # positive numbers below 1, whatever they are
        body &= np.uint64(0x003FFFFF003FFFFF)
    start = STATE.build(network_id=fields["network_id"], layer=min(place, 255), lane=lane)
    return build_packet(Kind.STATE, number, np.concatenate([start, body]))


def _layers_of(payload: Beats) -> list[Mapping[str, int]]:
    """LAYER records of a load's payload, or one of zeros where none are found."""
    found = []
    if len(payload) > NETWORK.beats:
        section = SECTION.parse(payload[NETWORK.beats :])
        body = payload[NETWORK.beats + SECTION.beats :][: min(section["length"], 2048)]
        if section["section"] == Section.LAYERS:
            whole = body[: len(body) // LAYER.beats * LAYER.beats].reshape(-1, LAYER.beats)
            found = [LAYER.parse(record) for record in whole]
    return found or [LAYER.parse(np.zeros(LAYER.beats, "<u8"))]


def _tags(dice: random.Random, batch: int, lanes: int, *, goes_on: bool) -> list[int]:
    """Tags of a run: of sequences in turn or in any lanes, most of them right."""
    lanes = min(lanes, 16)
    width = dice.choice((1, lanes))
    started = set(range(lanes)) if goes_on else set()
    silent = dice.random() < 0.5
    tags = []
    for number in range(batch):
        lane = number % width if dice.random() < 0.8 else dice.randrange(lanes)
        start = lane not in started or dice.random() < 0.2
        started.add(lane)
        output = not (silent and dice.random() < 0.5)
        tags.append(lane | start << 8 | output << 16)
    if dice.random() < 0.1:
        spot = dice.randrange(batch)
        tags[spot] ^= 1 << dice.randrange(25)
    return tags
