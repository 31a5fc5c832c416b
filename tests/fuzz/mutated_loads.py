"""Loads that contradict themselves or the design, with right CRCs: each made from its number.

:func:`mutated_load` knows the structure of a load: it changes fields of every record to values at
their limits, near the right one, of a neighbour or random; sections in order, number and length;
pointers that fall or lead beyond the entries; biases, weights and entries; what layers hold, take,
add and give, and the lanes for it. A part of the changes leaves the load sound, as another network,
so that what runs is compared as well: all layers or some, with tags and without.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    HEADER,
    LAYER,
    NETWORK,
    RUN,
    SECTION,
    TRAILER,
    Kind,
    Section,
    build_packet,
    iterate_sections,
)
from eie.hls.spec.record import Record
from eie.host.packing.packed_network import PackedNetwork

__all__ = ["mutated_load", "run_after"]

Beats = npt.NDArray[np.uint64]
#: Most beats of vectors in a run after a load, whatever the load says of its inputs.
_MOST_BEATS = 300


@dataclass
class _Load:
    """A load under change."""

    design: Design
    network: dict[str, int]
    #: Fields and beats of each section.
    sections: list[tuple[dict[str, int], Beats]]
    #: What was done to it.
    story: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, packed: PackedNetwork) -> _Load:
        payload = np.frombuffer(packed.load_packet(), "<u8")[HEADER.beats : -TRAILER.beats]
        sections = iterate_sections(payload[NETWORK.beats :])
        return cls(
            packed.design,
            dict(NETWORK.parse(payload)),
            [(dict(fields), body.copy()) for fields, body in sections],
        )

    def payload(self) -> Beats:
        beats = [NETWORK.build(**self.network)]
        for fields, body in self.sections:
            # A length that was not changed on purpose is that of the beats.
            beats += [SECTION.build(**{"length": len(body)} | fields), body]
        return np.concatenate(beats)

    def of_kind(self, kind: Section) -> list[int]:
        """Places of the sections of a kind that hold anything."""
        return [
            place
            for place, (fields, body) in enumerate(self.sections)
            if fields["section"] == kind and len(body)
        ]

    def set_body(self, place: int, body: Beats) -> None:
        """Give a section other beats, and the length that they have."""
        self.sections[place] = (self.sections[place][0] | {"length": len(body)}, body)

    def layers(self) -> list[dict[str, int]]:
        """Fields of the LAYER records, whole ones."""
        (place, *_) = [*self.of_kind(Section.LAYERS), None]
        if place is None:
            return []
        body = self.sections[place][1]
        whole = body[: len(body) // LAYER.beats * LAYER.beats].reshape(-1, LAYER.beats)
        return [dict(LAYER.parse(record)) for record in whole]

    def set_layers(self, layers: Sequence[dict[str, int]]) -> None:
        """Write the LAYER records anew."""
        places = self.of_kind(Section.LAYERS)
        if places and layers:
            self.set_body(places[0], np.concatenate([LAYER.build(**each) for each in layers]))


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
    load = _Load.of(packed)
    for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 5))):
        dice.choice(_WAYS)(dice, load)
    payload = load.payload()
    if dice.random() < 0.04:
        payload = _anywhere(dice, load, payload)
    return build_packet(Kind.LOAD, number, payload), ", ".join(load.story)


def run_after(load: bytes, number: int) -> bytes:
    """Make a run for the network of a mutated load, were it accepted.

    Parameters
    ----------
    load
        The load packet.
    number
        Seeds the run: the vectors are sparse, dense or of extremes; a third of the runs has tags, a
        sixth goes through a part of the layers, and some say what cannot be.
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
    tagged = dice.random() < 1 / 3 and fields["lanes"] != 0
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
        tags = _tags(dice, batch, fields["lanes"])
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


def _tags(dice: random.Random, batch: int, lanes: int) -> list[int]:
    """Tags of a run: of sequences in turn or in any lanes, most of them right."""
    lanes = min(lanes, 16)
    width = dice.choice((1, lanes))
    started: set[int] = set()
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


# Values ----------------------------------------------------------------------------------------


def _other(dice: random.Random, value: int, bits: int, neighbours: Sequence[int] = ()) -> int:
    """Give a value for a field: near the right one, at a limit, a neighbour's, or any."""
    most = (1 << bits) - 1
    limit = dice.choice((0, 1, 2, 16, 256, 1 << 16, 1 << 17, 1 << bits // 2, most, 1 << bits - 1))
    ways = (
        value + dice.choice((-2, -1, 1, 2, 4, 16)),
        value ^ 1 << dice.randrange(bits),
        limit + dice.choice((-1, 0, 1)),
        dice.choice(neighbours) if neighbours else 2 * value,
        dice.randrange(most + 1),
    )
    return dice.choice(ways) & most


def _change(dice: random.Random, record: Record, values: dict[str, int], name: str) -> str:
    """Change a field of a record's values, in place."""
    described = next(each for each in record.fields if each.name == name)
    values[name] = _other(dice, values[name], described.bits, list(values.values()))
    return f"{name} = {values[name]}"


# Ways to change a load, in place ---------------------------------------------------------------


def _network(dice: random.Random, load: _Load) -> None:
    name = dice.choice(NETWORK.fields).name
    load.story.append(f"network: {_change(dice, NETWORK, load.network, name)}")


def _layer(dice: random.Random, load: _Load) -> None:
    layers = load.layers()
    if not layers:
        return
    number = dice.randrange(len(layers))
    name = dice.choice(LAYER.fields).name
    load.story.append(f"layer {number}: {_change(dice, LAYER, layers[number], name)}")
    load.set_layers(layers)


def _layer_of_another(dice: random.Random, load: _Load) -> None:
    layers = load.layers()
    if len(layers) < 2:
        return
    first, second = dice.sample(range(len(layers)), 2)
    layers[first], layers[second] = layers[second], layers[first]
    load.story.append(f"layers {first} and {second} swapped")
    load.set_layers(layers)


def _write_back(dice: random.Random, load: _Load) -> None:
    """Another write-back: sound if the accumulator has the bits."""
    layers = load.layers()
    if not layers:
        return
    layer = dice.choice(layers)
    bits = load.design.accumulator_bits
    layer["shift"] = dice.choice((0, 1, 15, bits - 2, bits - 1, bits, 47, 63, 64, 65))
    layer["rounding"] = dice.choice((0, 1, 0, 1, 2, 0x80))
    low, high = dice.choice(
        ((0x8000, 0x7FFF), (0, 0x7FFF), (0, 6), (0xFF80, 127), (0x8000,) * 2, (1, 0), (0, 0xFFFF))
    )
    layer["low"], layer["high"] = low, high
    load.story.append(f"shift {layer['shift']}, rounding {layer['rounding']}, {low} to {high}")
    load.set_layers(layers)


def _fewer_rows(dice: random.Random, load: _Load) -> None:
    """Other rows of the last layer: sound if the local rows stay the same."""
    layers = load.layers()
    if not layers:
        return
    last = layers[-1]
    last["rows"] = max(0, last["rows"] + dice.randrange(-40, 12)) & 0xFFFFFFFF
    if dice.random() < 0.7:
        # Rows near 2^32 round up to more than the field holds.
        local = min(load.design.local_rows(last["rows"]), 0xFFFFFFFF)
        for place in load.of_kind(Section.BIASES):
            body = load.sections[place][1]
            kept = max(0, len(body) - max(0, last["local_rows"] - local))
            load.set_body(place, body[:kept])
        last["local_rows"] = local
    load.story.append(f"rows {last['rows']}, local rows {last['local_rows']}")
    load.set_layers(layers)


def _fewer_columns(dice: random.Random, load: _Load) -> None:
    """Other inputs: sound if the pointers take the same words."""
    layers = load.layers()
    if not layers:
        return
    layers[0]["columns"] = max(0, layers[0]["columns"] + dice.randrange(-9, 4))
    load.story.append(f"columns {layers[0]['columns']}")
    load.set_layers(layers)


def _longer_chain(dice: random.Random, load: _Load) -> None:
    """Another size of a hidden vector in both of its layers."""
    layers = load.layers()
    if len(layers) < 2:
        return
    number = dice.randrange(len(layers) - 1)
    size = max(1, layers[number]["rows"] + dice.choice((-20, -5, -1, 1, 3, 10, 1000, 70000)))
    layers[number]["rows"] = layers[number + 1]["columns"] = size
    if dice.random() < 0.3:
        layers[number]["local_rows"] = load.design.local_rows(size)
    load.story.append(f"{size} activations behind layer {number}")
    load.set_layers(layers)


def _lanes(dice: random.Random, load: _Load) -> None:
    """Other lanes: sound while they hold what layers hold, and lie within the held words."""
    network, words = load.network, load.design.held_activations // 16
    way = dice.choice(("fewer", "longer", "as many as fit", "inputs", "any"))
    if way == "fewer":
        network["lanes"] = dice.randrange(0, max(network["lanes"], 1) + 1)
    elif way == "longer":
        network["stride"] = (network["stride"] + dice.choice((-2, -1, 1, 2))) & 0xFFFF
        if network["stride"] and dice.random() < 0.7:
            network["lanes"] = min(16, words // network["stride"])
    elif way == "as many as fit" and network["stride"]:
        network["lanes"] = words // network["stride"] + dice.choice((0, 0, 1))
    elif way == "inputs":
        network["hold"] = dice.choice((0, 1, 1, 2))
        network["hold_base"] = dice.randrange(max(network["stride"], 1)) * (network["hold"] != 0)
    else:
        network["lanes"], network["stride"] = dice.randrange(20), dice.randrange(words + 3)
    load.story.append(
        f"{network['lanes']} lanes of {network['stride']}, inputs {network['hold']} at "
        f"{network['hold_base']}"
    )


def _holding(dice: random.Random, load: _Load) -> None:
    """Other words that are held and taken: sound while they lie within a lane."""
    layers = load.layers()
    if not layers:
        return
    number = dice.randrange(len(layers))
    layer, stride = layers[number], max(load.network["stride"], 1)
    way = dice.choice(("source_base", "hold_base", "source", "hold", "begins", "ends", "both"))
    if way == "both":  # another place of a state
        layer["source_base"] = layer["hold_base"] = dice.randrange(stride)
    elif way in ("source_base", "hold_base"):
        layer[way] = dice.randrange(stride + 1)
    else:
        layer[way] = dice.choice((0, 1, 1, 1 - min(layer[way], 1), 2))
        base = f"{way}_base"
        if base in layer and dice.random() < 0.8:
            layer[base] = dice.randrange(stride) if layer[way] == 1 else 0
    load.story.append(f"layer {number}: other {way}, {layer}")
    load.set_layers(layers)


def _adding(dice: random.Random, load: _Load) -> None:
    """A layer that accumulates, or no longer does; with the biases to match, at times."""
    layers = load.layers()
    if not layers:
        return
    number = dice.randrange(len(layers))
    layer = layers[number]
    layer["accumulate"] = dice.choice((1 - min(layer["accumulate"], 1),) * 4 + (2,))
    if dice.random() < 0.8:
        layer["ends"] = int(layer["accumulate"] == 0)
    if dice.random() < 0.8:
        step = -layer["local_rows"] if layer["accumulate"] else layer["local_rows"]
        at = layer["bias_base"]
        for later in layers[number + 1 :]:
            later["bias_base"] = max(0, later["bias_base"] + step)
        for place in load.of_kind(Section.BIASES):
            body = load.sections[place][1]
            more = np.zeros(min(max(step, 0), 300), "<u8")
            behind = body[at + max(-step, 0) :]
            load.set_body(place, np.concatenate([body[:at], more, behind]))
    load.story.append(f"layer {number}: accumulate {layer['accumulate']}")
    load.set_layers(layers)


def _function(dice: random.Random, load: _Load) -> None:
    """Another function: sound if the design has a cell unit and the layer no state."""
    layers = load.layers()
    if not layers:
        return
    layer = dice.choice(layers)
    layer["function"] = dice.choice((0, 1, 2, 3, 9 - min(layer["function"], 9), 4, 5, 6))
    layer["slope"] = dice.choice((0, 1, 6554, 65535))
    load.story.append(f"function {layer['function']}, slope {layer['slope']}")
    load.set_layers(layers)


def _section_head(dice: random.Random, load: _Load) -> None:
    place = dice.randrange(len(load.sections))
    fields, body = load.sections[place]
    fields = {"length": len(body)} | fields
    name = dice.choice(SECTION.fields).name
    load.story.append(f"section {place}: {_change(dice, SECTION, fields, name)}")
    load.sections[place] = (fields, body)


def _section_length(dice: random.Random, load: _Load) -> None:
    """Make a section longer or shorter, and let it say so."""
    place = dice.randrange(len(load.sections))
    _, body = load.sections[place]
    step = dice.choice((-len(body), -3, -2, -1, 1, 2, 3, 8, 200))
    size = max(0, len(body) + step)
    longer = np.array([dice.choice((0, dice.getrandbits(64))) for _ in range(size)], "<u8")
    longer[: len(body)] = body[:size]
    load.set_body(place, longer)
    load.story.append(f"section {place}: {size} beats")


def _sections(dice: random.Random, load: _Load) -> None:
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


def _some(dice: random.Random, load: _Load, kind: Section) -> tuple[int, Beats] | None:
    """A section of a kind, and a copy of its beats."""
    places = load.of_kind(kind)
    if not places:
        return None
    place = dice.choice(places)
    return place, load.sections[place][1].copy()


def _pointers(dice: random.Random, load: _Load) -> None:
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
            halves[spot] = _other(dice, int(halves[spot]), 32, halves[:9].tolist())
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


def _compact(dice: random.Random, load: _Load, body: Beats) -> str:
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
        body[at] = int(body[at]) & ~0xFFFFFF | _other(dice, int(body[at]) & 0xFFFFFF, 24)
        if dice.random() < 0.2:
            body[at] = int(body[at]) ^ 1 << dice.randrange(64)
        return f"base of word {word}"
    if way == "length":
        lengths[0] = _other(dice, lengths[0], lane)
    elif way == "swap":  # sound
        lengths.reverse()
    elif lengths[0]:  # one entry of a column to another: sound while the length has the bits
        step = dice.randrange(1, lengths[0] + 1)
        lengths = [lengths[0] - step, lengths[1] + step & (1 << lane) - 1]
    for at, length in zip((low, other), lengths, strict=True):
        value = value & ~((1 << lane) - 1 << at) | length << at
    body[beat] = value
    return f"{way} of lengths {first} and {second} of word {word}"


def _entries(dice: random.Random, load: _Load) -> None:
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


def _biases(dice: random.Random, load: _Load) -> None:
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


def _weights(dice: random.Random, load: _Load) -> None:
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


def _contents(dice: random.Random, load: _Load) -> None:
    """Any beat of any section."""
    place = dice.randrange(len(load.sections))
    body = load.sections[place][1].copy()
    if not len(body):
        return
    for _ in range(dice.choice((1, 1, 2, 5))):
        spot = dice.randrange(len(body))
        body[spot] = _other(dice, int(body[spot]), 64, body[:9].tolist())
    load.set_body(place, body)
    load.story.append(f"contents of section {place}")


def _anywhere(dice: random.Random, load: _Load, payload: Beats) -> Beats:
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


_WAYS: tuple[Callable[[random.Random, _Load], None], ...] = (
    _network,
    _layer,
    _layer,
    _layer_of_another,
    _write_back,
    _fewer_rows,
    _fewer_columns,
    _longer_chain,
    _lanes,
    _holding,
    _holding,
    _adding,
    _function,
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
