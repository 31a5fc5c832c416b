"""Changes of a load's sections: heads, order, lengths, and what they hold."""

from __future__ import annotations

import copy
import random

import numpy as np

from eie.hls.spec.packets import SECTION, Section
from fuzz.load_under_change import Beats, LoadUnderChange, Way
from fuzz.other_values import change_field, other_value


def _section_head(dice: random.Random, load: LoadUnderChange) -> None:
    place = dice.randrange(len(load.sections))
    fields, body = load.sections[place]
    fields = {"length": len(body)} | fields
    name = dice.choice(SECTION.fields).name
    load.story.append(f"section {place}: {change_field(dice, SECTION, fields, name)}")
    load.sections[place] = (fields, body)


def _section_length(dice: random.Random, load: LoadUnderChange) -> None:
    """Make a section longer or shorter, and let it say so."""
    place = dice.randrange(len(load.sections))
    _, body = load.sections[place]
    step = dice.choice((-len(body), -3, -2, -1, 1, 2, 3, 8, 200))
    size = max(0, len(body) + step)
    longer = np.array([dice.choice((0, dice.getrandbits(64))) for _ in range(size)], "<u8")
    longer[: len(body)] = body[:size]
    load.set_body(place, longer)
    load.story.append(f"section {place}: {size} beats")


def _sections(dice: random.Random, load: LoadUnderChange) -> None:
    """Swap, drop, repeat or replace sections, or exchange what two of them hold."""
    if len(load.sections) < 2:
        return
    sections = load.sections
    first, second = dice.sample(range(len(sections)), 2)
    way = dice.choice(("swap", "drop", "repeat", "replace", "exchange", "exchange of a kind"))
    if way == "exchange of a kind":
        alike = [
            n
            for n, (each, _) in enumerate(sections)
            if each["section"] == sections[first][0]["section"]
        ]
        second = dice.choice(alike)
    if way == "swap":
        sections[first], sections[second] = sections[second], sections[first]
    elif way == "drop":
        del sections[first]
    elif way == "repeat":
        sections.insert(second, copy.deepcopy(sections[first]))
    elif way == "replace":
        sections[first] = copy.deepcopy(sections[second])
    else:
        bodies = sections[first][1], sections[second][1]
        load.set_body(first, bodies[1])
        load.set_body(second, bodies[0])
    load.story.append(f"{way} of sections {first} and {second}")


def _some(dice: random.Random, load: LoadUnderChange, kind: Section) -> tuple[int, Beats] | None:
    """A section of a kind, and a copy of its beats."""
    places = load.of_kind(kind)
    if not places:
        return None
    place = dice.choice(places)
    return place, load.sections[place][1].copy()


def _pointers(dice: random.Random, load: LoadUnderChange) -> None:
    """Pointers that fall, jump, or lie elsewhere."""
    found = _some(dice, load, Section.POINTERS)
    if found is None:
        return
    place, body = found
    if load.design.length_bits:
        done = _compact(dice, load, body)
    else:
        halves = body.view("<u4")
        spot = dice.randrange(len(halves))
        way = dice.choice(("value", "swap", "shift", "level", "rise"))
        if way == "value":
            halves[spot] = other_value(dice, int(halves[spot]), 32, halves[:9].tolist())
        elif way == "swap":
            other = dice.randrange(len(halves))
            halves[[spot, other]] = halves[[other, spot]]
        elif way == "shift":
            halves[spot:] += np.uint32(dice.choice((1, 2, 8, 1 << 16, (1 << 32) - 1)))
        elif way == "level":  # sound if nothing lies behind it
            halves[spot:] = halves[spot]
        else:  # columns take entries from their neighbours: sound
            middle = halves[spot : spot + dice.randrange(1, 9)]
            middle[:] = dice.choice((middle[0], middle[-1]))
        done = f"{way} at {spot}"
    load.set_body(place, body)
    load.story.append(f"pointers in section {place}: {done}")


def _compact(dice: random.Random, load: LoadUnderChange, body: Beats) -> str:
    design = load.design
    size = design.beats_per_pointer_word
    word = dice.randrange(max(1, len(body) // size))
    beat = size * word + size - 1
    if beat >= len(body):
        return "nothing"
    base_bits, lane = (24, 5) if size == 1 else (0, 8)
    value = int(body[beat])
    first, second = dice.sample(range(8), 2)
    low, other = base_bits + lane * first, base_bits + lane * second
    way = dice.choice(("length", "base", "move", "swap"))
    lengths = [value >> at & (1 << lane) - 1 for at in (low, other)]
    if way == "base":
        at = size * word
        body[at] = int(body[at]) & ~0xFFFFFF | other_value(dice, int(body[at]) & 0xFFFFFF, 24)
        if dice.random() < 0.2:
            body[at] = int(body[at]) ^ 1 << dice.randrange(64)
        return f"base of word {word}"
    if way == "length":
        lengths[0] = other_value(dice, lengths[0], lane)
    elif way == "swap":  # sound
        lengths.reverse()
    elif lengths[0]:  # one entry of a column to another: sound while the length has the bits
        step = dice.randrange(1, lengths[0] + 1)
        lengths = [lengths[0] - step, lengths[1] + step & (1 << lane) - 1]
    for at, length in zip((low, other), lengths, strict=True):
        value = value & ~((1 << lane) - 1 << at) | length << at
    body[beat] = value
    return f"{way} of lengths {first} and {second} of word {word}"


def _entries(dice: random.Random, load: LoadUnderChange) -> None:
    """Other entries: sound if they have the bits, whatever rows they lead to."""
    found = _some(dice, load, Section.ENTRIES)
    if found is None:
        return
    place, body = found
    lanes = body.view("<u1" if load.design.entries_per_word == 8 else "<u2")
    bits = load.design.entry_bits
    way = dice.choice(("random", "all", "zeros", "any", "one"))
    first = dice.randrange(len(lanes))
    stop = dice.randrange(first, len(lanes)) + 1
    if way == "all":
        first, stop = 0, len(lanes)
    for spot in range(first, stop if way != "one" else first + 1):
        if way == "zeros":  # the longest runs of zeros, with weights or as padding
            code = dice.randrange(16)
            lanes[spot] = code << load.design.index_bits | (1 << load.design.index_bits) - 1
        elif way == "any":
            lanes[spot] = dice.getrandbits(8 * lanes.itemsize)
        else:
            lanes[spot] = dice.getrandbits(bits)
    load.set_body(place, body)
    load.story.append(f"entries {first} to {stop} in section {place}: {way}")


def _biases(dice: random.Random, load: LoadUnderChange) -> None:
    """Biases at the ends of the accumulator and beyond, of padding rows, too."""
    found = _some(dice, load, Section.BIASES)
    if found is None:
        return
    place, body = found
    limit = 1 << load.design.accumulator_bits - 1
    inside = dice.random() < 0.6
    for _ in range(dice.choice((1, 1, len(body)))):
        spot = dice.randrange(len(body))
        values = [-limit, limit - 1, 1 - limit, dice.randrange(-limit, limit)]
        if not inside:
            values += [limit, -limit - 1, 1 << 62, -(1 << 63), dice.getrandbits(63)]
        body.view("<i8")[spot] = dice.choice(values)
    load.set_body(place, body)
    load.story.append(f"biases in section {place}{'' if inside else ', beyond'}")


def _weights(dice: random.Random, load: LoadUnderChange) -> None:
    """Other codebooks: sound if code 0 stays 0."""
    found = _some(dice, load, Section.CODEBOOKS)
    if found is None:
        return
    place, body = found
    weights = body.view("<i2")
    extreme = dice.random() < 0.4
    for spot in range(len(weights)):
        if spot % 16:
            weights[spot] = dice.choice((-32768, 32767)) if extreme else dice.randrange(-500, 500)
    if dice.random() < 0.15:
        weights[dice.randrange(0, len(weights), 16)] = dice.choice((1, -1, -32768))
    load.set_body(place, body)
    load.story.append("other weights")


def _contents(dice: random.Random, load: LoadUnderChange) -> None:
    """Any beat of any section."""
    place = dice.randrange(len(load.sections))
    body = load.sections[place][1].copy()
    if not len(body):
        return
    for _ in range(dice.choice((1, 1, 2, 5))):
        spot = dice.randrange(len(body))
        body[spot] = other_value(dice, int(body[spot]), 64, body[:9].tolist())
    load.set_body(place, body)
    load.story.append(f"contents of section {place}")


#: As often as each stands here.
SECTION_CHANGES: tuple[Way, ...] = (
    _section_head,
    _section_length,
    _sections,
    _pointers,
    _pointers,
    _pointers,
    _entries,
    _entries,
    _entries,
    _biases,
    _biases,
    _weights,
    _contents,
)
