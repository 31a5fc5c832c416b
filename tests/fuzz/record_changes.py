"""Changes of a load's NETWORK and LAYER records: to anything, or to another sound network."""

from __future__ import annotations

import random

import numpy as np

from eie.hls.spec.packets import LAYER, NETWORK, Function, Section
from fuzz.load_under_change import LoadUnderChange, Way
from fuzz.other_values import change_field


def _network(dice: random.Random, load: LoadUnderChange) -> None:
    name = dice.choice(NETWORK.fields).name
    load.story.append(f"network: {change_field(dice, NETWORK, load.network, name)}")


def _layer(dice: random.Random, load: LoadUnderChange) -> None:
    layers = load.layers()
    if not layers:
        return
    number = dice.randrange(len(layers))
    name = dice.choice(LAYER.fields).name
    load.story.append(f"layer {number}: {change_field(dice, LAYER, layers[number], name)}")
    load.set_layers(layers)


def _layer_of_another(dice: random.Random, load: LoadUnderChange) -> None:
    layers = load.layers()
    if len(layers) < 2:
        return
    first, second = dice.sample(range(len(layers)), 2)
    layers[first], layers[second] = layers[second], layers[first]
    load.story.append(f"layers {first} and {second} swapped")
    load.set_layers(layers)


def _write_back(dice: random.Random, load: LoadUnderChange) -> None:
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


def _fewer_rows(dice: random.Random, load: LoadUnderChange) -> None:
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


def _fewer_columns(dice: random.Random, load: LoadUnderChange) -> None:
    """Other inputs: sound if the pointers take the same words."""
    layers = load.layers()
    if not layers:
        return
    layers[0]["columns"] = max(0, layers[0]["columns"] + dice.randrange(-9, 4))
    load.story.append(f"columns {layers[0]['columns']}")
    load.set_layers(layers)


def _longer_chain(dice: random.Random, load: LoadUnderChange) -> None:
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


def _lanes(dice: random.Random, load: LoadUnderChange) -> None:
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


def _holding(dice: random.Random, load: LoadUnderChange) -> None:
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


def _adding(dice: random.Random, load: LoadUnderChange) -> None:
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
            later["bias_base"] = min(max(0, later["bias_base"] + step), 0xFFFFFFFF)
        for place in load.of_kind(Section.BIASES):
            body = load.sections[place][1]
            more = np.zeros(min(max(step, 0), 300), "<u8")
            behind = body[at + max(-step, 0) :]
            load.set_body(place, np.concatenate([body[:at], more, behind]))
    load.story.append(f"layer {number}: accumulate {layer['accumulate']}")
    load.set_layers(layers)


def _function(dice: random.Random, load: LoadUnderChange) -> None:
    """Another function, mostly with a slope it may have: sound if the design has a cell unit."""
    layers = load.layers()
    if not layers:
        return
    layer = dice.choice(layers)
    layer["function"] = dice.choice((0, 1, 2, 3, 9 - min(layer["function"], 9), 4, 5, 6))
    leaks = layer["function"] == Function.LEAKY_RELU
    if dice.random() < 0.2:
        leaks = not leaks
    layer["slope"] = dice.choice((0, 1, 6554, 65535)) if leaks else 0
    load.story.append(f"function {layer['function']}, slope {layer['slope']}")
    load.set_layers(layers)


#: As often as each stands here.
RECORD_CHANGES: tuple[Way, ...] = (
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
)
