"""Parts of ``cell``: cell.h. Only a design with cell units has one."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.area.memories import TANH_TABLE, memory_part
from eie.hls.model.area.part import Block, Part, control, part, register
from eie.hls.model.area.processes.widths import RESULT, WORD_COUNT, address_bits, element_bits
from eie.hls.spec.cell import (
    CHORDS,
    GATE_FRAC,
    GATES,
    PLACE_BITS,
    RISE_BITS,
    STATE_BITS,
    VALUE_BITS,
)
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATION_BITS, ACTIVATIONS_PER_WORD

__all__ = ["cell"]

#: Stages of the loop over steps, and of it those in which the table and a slice are at work.
_STEPS_STAGES = 29
#: A gate: gate_t; what the table gives for a sum, and for a state, before it is rounded.
_GATE = GATE_FRAC + 2
_OF_SUM, _OF_STATE = VALUE_BITS + 6 + 3, VALUE_BITS + PLACE_BITS + 1
#: A word of results with their marks; a number of iterations: step_count_t.
_WORD, _STEPS = ACTIVATIONS_PER_WORD * RESULT, WORD_COUNT + 2
#: Operands of a DSP slice (UG479, UG579): 25 and 18 bits, signed. The table of operators has
#: products of equal operands, and one of 18 bits takes a slice as well.
_IN_A_SLICE = 18
#: A product of gate and state.
_PRODUCT = 43


def cell(design: Design) -> Block:
    """List the parts of the one ``cell``."""
    units = design.cell_units
    sums = GATES * units
    return Block(
        "cell",
        1,
        (
            *_words(design, sums),
            *_sums(design, units, sums),
            *_units(units),
            *_out(units, sums),
            *control(9, {"words": 2, "steps": _STEPS_STAGES}),
        ),
    )


def _words(design: Design, sums: int) -> Iterator[Part]:
    """Commands, counters, words in."""
    place = address_bits(design.held_activations // design.cell_units)
    yield register("command", element_bits(design)["Command"])
    yield part("kinds of commands", "equal_constant", 3, width=2)
    yield part("function", "equal_constant", 5, width=3)
    yield part("words that the collector gets", "select", width=WORD_COUNT, ways=2)
    yield part("word", "increment", width=WORD_COUNT)
    yield part("word: end, with results", "less", 2, width=WORD_COUNT)
    yield part("word of a function, or as it is", "select", width=_WORD, ways=2)
    yield part("step", "increment", width=_STEPS)
    yield part("step: end", "less", width=_STEPS)
    yield part("step: last", "equal", width=_STEPS)
    yield part("words gone", "increment", width=WORD_COUNT)
    yield part("words gone: all", "less", width=WORD_COUNT)
    yield part("place of the states", "increment", width=place)
    yield memory_part(design, "cell states", 1)
    yield part("states, or 0", "mask", width=design.cell_units * STATE_BITS)
    if sums < ACTIVATIONS_PER_WORD:
        yield part("word, or what is left of it", "select", width=_WORD, ways=2)
    yield register("word, its rest", _WORD)
    yield register("word passed on, word gathered", _WORD, 2)
    yield register("word, step, words gone, place", 2 * WORD_COUNT + _STEPS + place)
    # From where the states are read to where they are written back.
    yield register("place on its way", place, _STEPS_STAGES - 3)


def _sums(design: Design, units: int, sums: int) -> Iterator[Part]:
    """Each sum by itself: look_up()."""
    chord = address_bits(CHORDS)
    yield memory_part(design, TANH_TABLE, (GATES + 1) * units)
    # With four PEs or fewer it is known of each gate where it stands, if the layer has gates.
    ways = GATES if design.pes > GATES else min(design.pes, 2)
    if ways > 1:
        yield part("sum of its gate", "select", sums, width=RESULT, ways=ways)
    yield part("size", "add", sums, width=ACTIVATION_BITS)
    yield part("argument: half or whole", "select", sums, width=ACTIVATION_BITS + 1, ways=2)
    yield part("chord, or the last", "mask", sums, width=chord)
    yield part("rise or slope", "select", sums, width=ACTIVATION_BITS, ways=2)
    yield part("place or code", "select", sums, width=ACTIVATION_BITS, ways=2)
    yield part("rise x place, slope x code", "multiply", sums, width=_IN_A_SLICE)
    yield part("value + risen", "add", sums, width=_OF_SUM - 3)
    yield part("with its sign, + 1", "add", sums, width=_OF_SUM)
    yield part("rounded: gate, result, leaked", "add", 3 * sums, width=_GATE)
    yield part("result: cut", "saturate", sums, width=_GATE)
    yield part("result or leaked", "select", sums, width=ACTIVATION_BITS, ways=2)
    yield register("sum on its way", ACTIVATION_BITS, 8 * sums)
    yield register("chord, place", chord + ACTIVATION_BITS, sums)
    yield register("value", VALUE_BITS, 3 * sums)
    yield register("risen, with its sign", _OF_SUM, 2 * sums)
    yield register("gate, result", _GATE + ACTIVATION_BITS, sums)


def _units(units: int) -> Iterator[Part]:
    """Each unit: step(), with look_up_tanh()."""
    chord = address_bits(CHORDS)
    yield part("g or n_h", "select", units, width=_GATE, ways=2)
    yield part("i g or r n_h", "multiply", units, width=_IN_A_SLICE)
    yield part("f c", "multiply", units, width=_IN_A_SLICE)
    yield part("f c + i g, + half", "add", 2 * units, width=_PRODUCT)
    yield part("c: cut", "saturate", units, width=_PRODUCT - GATE_FRAC)
    yield part("r n_h + half, n_x + r n_h", "add", 2 * units, width=STATE_BITS)
    yield part("c, or n's sum", "select", units, width=STATE_BITS, ways=2)
    yield part("its size", "add", units, width=STATE_BITS)
    yield part("chord, or the last", "mask", units, width=chord)
    yield part("chord: beyond", "any", units, width=STATE_BITS - chord - PLACE_BITS)
    yield part("rise x place", "multiply", units, width=_IN_A_SLICE)
    yield part("value + risen, with its sign, + half", "add", 3 * units, width=_OF_STATE)
    yield part("h - n", "add", units, width=STATE_BITS + 1)
    yield part("o or z", "select", units, width=_GATE, ways=2)
    yield part("tanh(c) or h - n", "select", units, width=STATE_BITS + 1, ways=2)
    yield part("o tanh(c) or z (h - n)", "multiply", units, width=_IN_A_SLICE)
    yield part("rounded: h of an LSTM, change of h, h", "add", 3 * units, width=STATE_BITS)
    yield part("n + change", "add", units, width=STATE_BITS)
    yield part("h of an LSTM, of a GRU: cut", "saturate", 2 * units, width=_GATE)
    yield part("h of either", "select", units, width=ACTIVATION_BITS, ways=2)
    yield part("state of either", "select", units, width=STATE_BITS, ways=2)
    yield part("marked: one of its gates", "any", units, width=GATES)
    # What a later stage needs waits: states from the memory on, o or z from the table on, c or n.
    yield register("state on its way", STATE_BITS, (_STEPS_STAGES - 3) * units)
    yield register("gates on their way", _GATE, 2 * 14 * units)
    yield register("c or n on its way", STATE_BITS, 8 * units)
    yield register("sums of products", _PRODUCT, 2 * units)
    yield register("chord, place, value", chord + PLACE_BITS + 3 * VALUE_BITS, units)
    yield register("risen, with its sign", _OF_STATE, 2 * units)
    yield register("rise x place", RISE_BITS + PLACE_BITS, units)


def _out(units: int, sums: int) -> Iterator[Part]:
    """Results to their lanes."""
    lanes = ACTIVATIONS_PER_WORD
    yield part("lane's: of a sum or of a unit", "select", lanes, width=RESULT, ways=2)
    yield part("lane's, or what it has", "select", lanes, width=RESULT, ways=2)
    yield part("lanes of the step", "equal_constant", lanes // sums + lanes // units, width=4)
    yield register("lanes so far", lanes * RESULT)
    yield register("results of sums on their way", RESULT, 17 * sums)
