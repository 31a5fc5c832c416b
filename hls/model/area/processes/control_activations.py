"""Parts of ``control_activations``: control_activations.h."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.area.memories import memory_part
from eie.hls.model.area.part import Block, Part, control, part, register
from eie.hls.model.area.processes.widths import (
    COUNTER,
    ELEMENTS,
    ROW,
    TOKEN,
    WORD,
    WORD_COUNT,
    address_bits,
)
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATION_BITS, ACTIVATIONS_PER_WORD, BEAT_BITS

__all__ = ["control_activations"]

#: Rows of a layer: layer_rows_t.
_ROWS = 25


def control_activations(design: Design) -> Block:
    """List the parts of the one ``control_activations``."""
    parts = (*_layers(design), *_input(), *_hidden(design), *_run(), *_pass())
    return Block("control_activations", 1, parts)


def _layers(design: Design) -> Iterator[Part]:
    yield memory_part(design, "layers", 1)
    yield register("a layer's record as it arrives", 3 * BEAT_BITS)
    yield part("beats of layers", "increment", width=COUNTER)
    yield part("beats of layers: end", "less", width=COUNTER)
    yield part("layer", "increment", 2, width=9)
    yield register("layer under way", 2 * 9 + 107)


def _input() -> Iterator[Part]:
    yield part("beats of an input", "add", width=17)
    yield part("beat", "increment", width=17)
    yield part("beat: end, last", "less", width=17)
    yield part("beat: last", "equal", width=17)
    yield part("lanes that hold inputs", "mask", width=BEAT_BITS)
    yield part("word so far with the beat in its place", "logic2", width=WORD)
    yield register("word so far", WORD)
    yield register("beat, and how many", 2 * 17 + BEAT_BITS)


def _hidden(design: Design) -> Iterator[Part]:
    words = design.hidden_activations // ACTIVATIONS_PER_WORD
    yield memory_part(design, "hidden vectors", 1)
    yield part("words of columns, of rows", "add", 2, width=_ROWS)
    yield part("word read, word written", "increment", 2, width=WORD_COUNT)
    yield part("words: end", "less", 2, width=WORD_COUNT)
    yield part("word: last", "equal", width=WORD_COUNT)
    yield part("word of the source memory", "select", width=WORD, ways=2)
    yield part("address of either memory", "select", 2, width=address_bits(words), ways=2)
    yield part("lanes that hold rows", "shift_right", width=ACTIVATIONS_PER_WORD)
    yield part("lanes that count", "mask", width=ACTIVATIONS_PER_WORD)
    yield register("words in their pipelines", WORD, 2)
    yield register("counts of words", 4 * WORD_COUNT)


def _run() -> Iterator[Part]:
    lanes = 2 * ACTIVATIONS_PER_WORD  # of an input word and of a hidden one
    yield part("which lanes are not zero", "any", lanes, width=ACTIVATION_BITS)
    yield part("vector", "increment", width=COUNTER)
    yield part("vector: end", "less", width=COUNTER)
    yield part("vector, layer: first, last", "equal", 2, width=9)
    yield part("first vector", "any", width=COUNTER)
    yield part("kinds of tokens", "equal_constant", 5, width=8)
    yield register("batch, vector", 2 * COUNTER)
    yield register("rows of the layer", 2 * ROW)


def _pass() -> Iterator[Part]:
    yield part("word token from wherever: low", "select", width=TOKEN + 16, ways=8)
    yield part("word token from wherever: high", "select", width=WORD - BEAT_BITS, ways=3)
    yield part("command from wherever", "select", width=ELEMENTS["Command"], ways=4)
    yield part("beats of a section", "increment", width=COUNTER)
    yield part("beats of a section: end", "less", width=COUNTER)
    yield register("token taken", TOKEN)
    yield register("section: beats", 2 * COUNTER)
    yield from control(24, {"layers": 2, "input": 3, "source": 4, "destination": 2, "section": 2})
