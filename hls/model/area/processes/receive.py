"""Parts of ``receive``: receive.h with load_check.h inlined."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.area.memories import memory_part
from eie.hls.model.area.part import Block, Part, control, part, register
from eie.hls.model.area.processes.group_order import group_order, groups
from eie.hls.model.area.processes.widths import (
    COUNTER,
    CRC,
    ELEMENTS,
    TOKEN,
    WORD,
    address_bits,
    lane_bits,
)
from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    ACTIVATION_BITS,
    ACTIVATIONS_PER_BEAT,
    ACTIVATIONS_PER_WORD,
    BEAT_BITS,
    MOST_LANES,
)

__all__ = ["receive"]

#: Loops that take a beat, or zero once TLAST has been seen; elsewhere that is a register's reset.
_GUARDED = 4


def receive(design: Design) -> Block:
    """List the parts of the one ``receive``."""
    return Block(
        "receive", 1, (*_beats(), *_header(), *_sections(), *_checks(design), *_run(design))
    )


def _beats() -> Iterator[Part]:
    yield part("beat, or zero behind TLAST", "mask", _GUARDED, width=BEAT_BITS)
    yield part("CRC so far, from wherever", "select", width=CRC, ways=8)
    yield register("beats in their pipelines", BEAT_BITS, 8)
    yield register("CRC so far", CRC, 4)
    yield part("token from wherever", "select", width=TOKEN, ways=4)
    yield part("answer from wherever", "select", width=ELEMENTS["Answer"], ways=4)
    yield register("token and answer on their way", TOKEN + ELEMENTS["Answer"])
    yield from control(
        28, {"sections": 4, "vectors": 3, "refused": 2, "refused (second)": 2, "drain": 2}
    )


def _header() -> Iterator[Part]:
    yield part("CRC of a good header", "equal_constant", width=CRC)
    yield part("magic", "equal_constant", width=32)
    yield part("version", "equal_constant", width=16)
    yield part("kinds", "equal_constant", 4, width=8)
    yield part("trailer as it must be", "equal", width=BEAT_BITS)
    yield part("status", "select", width=4, ways=8)
    yield part("status's cases", "logic2", width=24)
    yield register("header: kind, sequence, length, status", 8 + 16 + COUNTER + 4)
    yield register("network, layers, lanes, states", COUNTER + 9 + 5 + MOST_LANES)
    yield part("length - beats of the record", "add", 2, width=COUNTER)


def _sections() -> Iterator[Part]:
    yield part("beats left, of packet and section", "add", 2, width=COUNTER)
    yield part("beats left: any", "any", 2, width=COUNTER)
    yield part("beats left in the section, or a new length", "select", width=COUNTER, ways=2)
    yield part("gap of the head is zero", "any", width=8)
    yield part("section is the expected", "equal", width=8)
    yield part("PE is the expected", "equal", width=16)
    yield part("next PE", "increment", width=16)
    yield part("kinds of sections", "equal_constant", 5, width=8)
    yield part("expected next", "select", width=24, ways=4)
    yield part("length against layers", "equal", 2, width=COUNTER)
    yield part("length against capacities", "less", 4, width=COUNTER)
    yield register("expected, lengths", 24 + 2 * COUNTER, 2)


def _checks(design: Design) -> Iterator[Part]:
    yield part("length against pointers, biases, entries", "equal", 3, width=COUNTER)
    yield part("groups of entries", "add", width=COUNTER)
    yield part("columns: none, too many", "any", width=COUNTER)
    yield part("columns, hidden rows, local rows: too many", "less", 3, width=COUNTER)
    yield part("groups of inputs, rows, outputs", "add", 3, width=COUNTER)
    yield part("columns and rows as those before", "equal", 3, width=COUNTER)
    yield part("rows: none, columns: too many", "any", 2, width=COUNTER)
    yield part("lanes x stride", "multiply", width=ACTIVATION_BITS)
    yield part("places within a lane", "add", 3, width=17)
    yield part("places within a lane: beyond it", "less", 3, width=17)
    yield part("bounds that cross", "less", width=ACTIVATION_BITS)
    yield part("a state's places", "equal", width=ACTIVATION_BITS)
    yield part("flags, function", "less", 8, width=8)
    yield part("pointer base, bias base", "equal", 2, width=24)
    yield part("pointer words, biases so far", "add", 2, width=COUNTER)
    yield part("shift", "less", width=8)
    yield part("weight of code 0", "any", width=16)
    yield part("sign of biases", "any", width=BEAT_BITS - design.accumulator_bits)
    lane = BEAT_BITS // design.entries_per_word
    if lane > design.entry_bits:
        spare = design.entries_per_word * (lane - design.entry_bits)
        yield part("bits above entries", "any", width=spare)
    if design.length_bits:
        yield part("base is the next entry", "equal", width=COUNTER)
        yield part("sum of eight lengths", "add", 7, width=design.length_bits + 3)
        yield part("next entry", "add", width=COUNTER)
    else:
        yield part("pointers rise", "less", 2, width=COUNTER)
        yield part("length of columns", "add", 2, width=COUNTER)
        yield part("length of columns: too many", "less", 2, width=COUNTER)
    yield part("whether sound, by the beat's place", "logic2", width=32)
    yield register("what is known of the load", 1 + 8 + 3 + 9 * COUNTER + 2 * 16 + 16)


def _run(design: Design) -> Iterator[Part]:
    yield memory_part(design, "layers of a run", 1)
    yield part("layers of the run: end", "add", width=17)
    yield part("layers of the run: too many, all", "less", 2, width=17)
    yield part("outputs as many as vectors, fewer", "less", 2, width=COUNTER)
    yield part("beats of a vector with its tag", "increment", width=16)
    if design.held_activations:
        yield part("tag's lane, its bits", "less", 3, width=8)
        yield part("vectors, outputs left", "add", 2, width=COUNTER)
        yield part("outputs left: none, all", "equal", 2, width=COUNTER)
        yield part("lane has a state", "select", 2, width=1, ways=MOST_LANES)
        yield register("vectors, outputs left, states", 2 * COUNTER + MOST_LANES + 4)
    if design.cell_units:
        count = address_bits(design.layers + 1)
        yield part("recurrent layers so far, given", "increment", 2, width=count)
        yield part("a given state: in turn, last", "less", 2, width=count)
        yield part("a given state: its lane is the same", "equal", width=lane_bits(design))
        yield register("given lane and layers", lane_bits(design) + 3 * count)
    yield part("batch x beats of inputs, of outputs", "multiply", 2, width=COUNTER)
    yield part("beats of the run against the length", "equal", width=BEAT_BITS)
    yield part("beats of the run", "add", width=BEAT_BITS)
    yield part("outputs: too many", "any", width=BEAT_BITS - COUNTER + 1)
    yield part("network is the resident one", "equal", width=COUNTER)
    yield part("beats of vectors, of what is refused", "increment", 3, width=COUNTER)
    yield part("beats of vectors, of what is refused: end", "less", 3, width=COUNTER)
    # A beat goes to one of four places, a bit of a word each.
    yield part("word so far with the beat in its place", "logic2", width=WORD)
    yield part("place of the beat: last", "equal_constant", width=2)
    yield part("beats left of the vector", "add", width=COUNTER)
    yield part("beats left of the vector: one", "equal_constant", width=COUNTER)
    yield part("beats left, or a new vector's", "select", width=COUNTER, ways=2)
    yield register("word so far, word on its way", 2 * WORD)
    yield register("products, counters", 2 * BEAT_BITS + 4 * COUNTER)
    block = design.block_words * ACTIVATIONS_PER_WORD // ACTIVATIONS_PER_BEAT
    yield from group_order(design, block, COUNTER)
    yield from groups(design, COUNTER)
