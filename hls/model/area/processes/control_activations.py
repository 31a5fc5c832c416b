"""Parts of ``control_activations``: control_activations.h."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.area.memories import layer_bits, memory_part
from eie.hls.model.area.part import Block, Part, control, part, register
from eie.hls.model.area.processes.group_order import group_order
from eie.hls.model.area.processes.widths import (
    COUNTER,
    ROW,
    TOKEN,
    WORD,
    address_bits,
    element_bits,
    held_bits,
    lane_bits,
    section_bits,
)
from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    ACTIVATION_BITS,
    ACTIVATIONS_PER_WORD,
    BEAT_BITS,
    LAYER,
    MAX_COLUMNS,
)

__all__ = ["control_activations"]

#: How many words of held activations a layer takes.
_HELD_WORDS = address_bits(MAX_COLUMNS // ACTIVATIONS_PER_WORD + 1)
#: Rows of a layer: layer_rows_t.
_ROWS = 25
#: A number of layers.
_LAYERS = 9
#: Stages of the loop that sends words: poll, word, layer's record, lanes, word token.
_RUN_STAGES = 5


def control_activations(design: Design) -> Block:
    """List the parts of the one ``control_activations``."""
    parts = (
        *_layers(design),
        *_turn(design),
        *_word(design),
        *_held(design),
        *_pass(design),
    )
    return Block("control_activations", 1, parts)


def _layers(design: Design) -> Iterator[Part]:
    yield memory_part(design, "layers", 1)
    yield register("a layer's record as it arrives", LAYER.beats * BEAT_BITS)
    yield part("beats of layers", "increment", width=section_bits(design))
    yield part("beats of layers: end", "less", width=section_bits(design))
    yield part("layers", "increment", width=_LAYERS)
    yield part("words of its columns", "add", width=_ROWS)
    words = address_bits(design.hidden_words + 1)
    yield part("longest hidden vector", "less", width=words)
    yield register("layers, longest hidden vector", _LAYERS + words)


def _turn(design: Design) -> Iterator[Part]:
    words, layer = address_bits(design.hidden_words + 1), address_bits(design.layers)
    yield part("vectors to start, to end", "add", 2, width=COUNTER)
    yield part("vectors to start, to end: one, two, none", "equal_constant", 4, width=COUNTER)
    yield part("room: enough for one more", "less", width=words + 1)
    yield part("room, with a vector less or more", "add", width=words)
    yield part("turns, or as many as hidden layers", "add", width=_LAYERS)
    yield part("turns: none", "any", width=_LAYERS)
    yield part("whose turn, and what it ends", "logic2", width=12)
    yield part("layer behind that of the word", "increment", width=layer)
    yield part("layer, or that under way", "select", width=layer, ways=3)
    yield part(
        "layer is the last, of the run, of all, of those that recur", "equal", 3, width=layer
    )
    yield part("last layer of the run", "add", width=layer)
    yield register("vectors, room, turns, layers", 2 * COUNTER + words + 2 * _LAYERS + layer)
    yield register("flags: more, waiting, room, within", 8)


def _word(design: Design) -> Iterator[Part]:
    lanes, address = ACTIVATIONS_PER_WORD, address_bits(design.pointers_per_pe)
    yield part("word of the packet, or a hidden one", "select", width=WORD, ways=2)
    yield part("which lanes are not zero", "any", lanes, width=ACTIVATION_BITS)
    yield part("spare lanes", "add", width=4)
    yield part("lanes that hold activations", "shift_right", width=lanes)
    yield part("lanes that count", "mask", width=lanes)
    yield part("place of the pointer, or the layer's first", "add", width=address)
    yield part("words of rows", "add", width=_ROWS)
    yield part("spare lanes of rows", "add", width=4)
    yield register("word in its pipeline", WORD + lanes, _RUN_STAGES - 2)
    yield register("layer's record", layer_bits(design))
    yield register("rows of the layer", 2 * ROW)
    yield register("place of the pointer", address)
    yield from group_order(design, design.block_words, address)


def _held(design: Design) -> Iterator[Part]:
    """What only a design that holds words has."""
    if not design.held_activations:
        return
    place, lane = held_bits(design), lane_bits(design)
    yield memory_part(design, "held vectors", 1)
    yield memory_part(design, "lanes", 1)
    yield part("lane under way: any, set, cleared", "select", 3, width=1, ways=1 << lane)
    yield part("next lane", "increment", width=lane)
    yield part("next lane: beyond the last", "less", width=lane + 1)
    yield part("next vector: tag, or the lane behind", "select", width=lane + 2, ways=3)
    yield part("vector: next, or that of the word", "select", width=lane + 2, ways=2)
    yield part("base of the lane + place", "add", 3, width=place)
    yield part("place to hold, to take", "increment", 2, width=place)
    yield part("place to hold, to take: first or next", "select", 2, width=place, ways=2)
    yield part("columns left", "add", width=17)
    yield part("columns left: a word's", "less", width=17)
    yield part("columns left, or the layer's", "select", width=17, ways=2)
    yield part("word held, or that which arrives", "select", width=WORD, ways=2)
    yield part("iterations until it may be read", "add", width=2)
    yield part("what the turn does", "logic2", width=16)
    yield register(
        "lanes under way, tags, places, columns", (1 << lane) + 3 * lane + 3 * place + 17
    )
    yield register("word held", WORD)
    if design.abreast > 1:
        yield part("place to hold, to take: of its vector", "add", 2, width=place)
        yield part("place to hold, to take: the block's first", "select", 2, width=place, ways=2)
        yield part("held words of the vectors before", "add", width=place)
        yield part("words left, or the block's", "select", width=_HELD_WORDS, ways=2)
        yield register("block's first, of the vectors before", 3 * place + _HELD_WORDS)
    of_layer = 3 + _HELD_WORDS
    yield part("what of the layer decides the turn", "select", width=of_layer, ways=design.layers)
    yield register("what of layers decides the turn", design.layers * of_layer)
    yield register("stride, lanes, place behind the last layer", 2 * place + 5)


def _pass(design: Design) -> Iterator[Part]:
    rest = element_bits(design)["WordToken"] - TOKEN - (WORD - BEAT_BITS)
    yield part("word token from wherever: low", "select", width=TOKEN, ways=5)
    # Only a word of activations has these: what passes has zeros.
    yield part("word token: lanes, layer, place", "mask", width=rest)
    yield part("command from wherever", "select", width=element_bits(design)["Command"], ways=4)
    yield part("kinds of tokens", "equal_constant", 5, width=8)
    yield part("beats of a section", "increment", width=section_bits(design))
    yield part("beats of a section: end", "less", width=section_bits(design))
    yield register("token taken", TOKEN)
    yield register("section: beats", 2 * section_bits(design))
    yield from control(11, {"layers": 3, "section": 2, "run": _RUN_STAGES})
