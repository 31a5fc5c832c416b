"""Parts of ``send``: send.h."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.area.memories import memory_part
from eie.hls.model.area.part import Block, Part, control, part, register
from eie.hls.model.area.processes.group_order import group_order, groups
from eie.hls.model.area.processes.widths import COUNTER, ELEMENTS, WORD
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATIONS_PER_BEAT, ACTIVATIONS_PER_WORD, BEAT_BITS

__all__ = ["send"]


def send(design: Design) -> Block:
    """List the parts of the one ``send``."""
    return Block("send", 1, (*_beats(design), *_lengths(), *_vectors(design)))


def _beats(design: Design) -> Iterator[Part]:
    yield part("beat from wherever", "select", width=BEAT_BITS + 1, ways=7)
    yield memory_part(design, "design record (constant)", 1, "lutram_1p", banks=1)
    yield register("beat on its way", BEAT_BITS + 1, 4)
    yield register("answers, begin and end", 2 * ELEMENTS["Answer"])
    yield from control(25, {"design": 3, "beats": 3, "layers": 3})


def _lengths() -> Iterator[Part]:
    yield part("vectors x beats", "multiply", width=COUNTER)
    yield part("length: with counts, with counters", "add", 3, width=COUNTER)
    yield part("kinds of answers", "equal_constant", 3, width=8)
    yield part("count, status: any", "any", 2, width=COUNTER)
    yield part("packets, errors", "increment", 2, width=COUNTER)
    yield register("body, length", 2 * COUNTER)
    yield register("packets, errors, cycles of the run", 2 * COUNTER + 64)


def _vectors(design: Design) -> Iterator[Part]:
    yield part("word: its next beat, or a new one", "select", width=WORD, ways=2)
    yield part("beats left, of all and of the vector", "add", 2, width=COUNTER)
    yield part("beats left: of a new vector", "select", width=COUNTER, ways=2)
    yield part("beats left: one, two", "equal_constant", 4, width=COUNTER)
    yield part("cycles", "increment", width=64)
    yield part("cycles with those before the body", "add", width=64)
    yield part("layer of the counts", "increment", width=9)
    yield part("layer of the counts: end", "less", width=9)
    yield register("word", WORD)
    yield register("beats left", COUNTER, 2)
    yield register("cycles", 64)
    block = design.block_words * ACTIVATIONS_PER_WORD // ACTIVATIONS_PER_BEAT
    yield from group_order(design, block, COUNTER)
    yield from groups(design, COUNTER)
