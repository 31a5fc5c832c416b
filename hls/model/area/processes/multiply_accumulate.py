"""Parts of ``multiply_accumulate``: multiply_accumulate.h, accumulate.h, fixed_point.h."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.area.cost import Cost
from eie.hls.model.area.memories import memory_part
from eie.hls.model.area.part import Block, Part, control, fixed, part, register
from eie.hls.model.area.processes.widths import (
    COUNTER,
    ELEMENTS,
    KIND,
    RESULT,
    address_bits,
    section_bits,
    token_bits,
    vector_bits,
)
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATION_BITS, ACTIVATIONS_PER_WORD, BEAT_BITS

__all__ = ["multiply_accumulate", "shift_parts"]

#: Banks of a codebook: four weights arrive in a beat.
_CODEBOOK_BANKS = 4
#: Stages of the loop of a run: token, entries (two), codebook, multiply (three), sums, bias, two
#: slices (four), bits chosen, result; a sum's write is beside them.
_RUN_STAGES = 15
#: Width of the entries that follow a column's first.
_MORE = 16
#: Bits of a layer in a PE that are not addresses: shift, ties to even, bounds, accumulates.
_SHIFT, _RELU, _EVEN = 6, 1, 1
#: Of fixed_point.h: bits that a product drops at least, what each step drops more, and bits of a
#: sum in the lower one of two DSP slices.
_FINEST, _STEP, _LOW = 15, 16, 24


def multiply_accumulate(design: Design) -> Block:
    """List the parts of a PE's ``multiply_accumulate``."""
    parts = (*_load(design), *_entries(design), *_sums(design), *_rows(design), *_rest(design))
    return Block("multiply_accumulate", design.pes, parts)


def _row_bits(design: Design) -> int:
    return address_bits(design.rows_per_pe + 1)


def _rule_bits(design: Design) -> int:
    """Bits of a WriteBackRule: a bit of each bound where there are none."""
    return _SHIFT + _RELU + _EVEN + 2 * (ACTIVATION_BITS if design.bounds else 1)


def _layer_bits(design: Design) -> int:
    places = _row_bits(design) + address_bits(design.biases_per_pe)
    return places + _rule_bits(design)


def _load(design: Design) -> Iterator[Part]:
    layer = address_bits(design.layers)
    yield part("kinds of sections", "equal_constant", 4, width=8)
    beats = section_bits(design)
    yield part("beats of a section", "increment", width=beats)
    yield part("beats of a section: end", "less", width=beats)
    yield part("layer of the record", "increment", width=layer)
    yield part("beat of the record", "increment", width=3)
    yield register("section: kind, beats", 8 + 2 * beats)
    yield register("beat on its way", BEAT_BITS)
    yield register("a layer's record as it arrives", _layer_bits(design) + layer + 3)


def _entries(design: Design) -> Iterator[Part]:
    words, rows = address_bits(design.entry_words_per_pe), _row_bits(design)
    layer = address_bits(design.layers)
    reached = address_bits(design.rows_per_pe + (1 << design.index_bits))
    values = ACTIVATION_BITS * design.abreast
    yield memory_part(design, "sparse matrix", 1)
    yield memory_part(design, "codebooks", 1, "lutram_1p", _CODEBOOK_BANKS)
    yield memory_part(design, "layers of a PE", 1)
    yield part("token: what it ends, is taken", "logic2", width=8)
    yield part("entry, or a column's first", "select", width=design.pointer_bits, ways=2)
    yield part("entry + 1", "increment", width=design.pointer_bits)
    yield part("entries that follow, or a column's", "select", width=_MORE, ways=2)
    yield part("entries that follow - 1", "add", width=_MORE)
    yield part("entries that follow: none", "any", width=_MORE)
    yield part("place to write or to read", "select", width=words, ways=2)
    yield part("entry of its word", "select", width=design.entry_bits, ways=design.entries_per_word)
    yield part("row, or 0 in a new column, + zeros", "add", width=reached)
    yield part("row + 1", "increment", width=reached)
    yield part("row past the layer's", "less", width=rows)
    yield part("code: any", "any", width=design.weight_bits)
    yield part("place in the codebook", "select", 2, width=layer + 2, ways=2)
    yield part("place in the layers", "select", width=layer, ways=2)
    yield part("weight of its bank", "select", width=ACTIVATION_BITS, ways=_CODEBOOK_BANKS)
    yield part("weight x activation", "multiply", design.abreast, width=ACTIVATION_BITS)
    if design.counters:
        yield part("cycles: busy, starved", "increment", 2, width=COUNTER)
        # In the loop, and from run to run.
        yield register("cycles: busy, starved", COUNTER, 4)
    yield register(
        "column: entry, more, activation",
        design.pointer_bits + _MORE + values + layer + 2,
    )
    yield register("entry word", design.entries_per_word * design.entry_bits)
    yield register("activation on its way", values, 4)
    yield register("row on its way", reached, 5)
    yield register("weight", ACTIVATION_BITS)
    yield register("layer on its way", _layer_bits(design))


def _sums(design: Design) -> Iterator[Part]:
    rows, latency = address_bits(design.rows_per_pe), design.write_latency
    # Sums of a row, one for each vector of a group, lie side by side.
    width = design.accumulator_bits * design.abreast
    yield memory_part(design, "accumulators (two banks)", 2)
    yield part("row is that of a recent sum", "equal", latency, width=rows)
    yield part("sum read in either bank", "select", width=width, ways=2)
    yield part("sum read, or a recent one", "select", width=width, ways=latency)
    yield part("sum, or the oldest recent one", "select", width=width, ways=2)
    yield part("sum + product", "add", design.abreast, width=design.accumulator_bits)
    yield part("sum to write in either bank, or 0", "mask", 2, width=width)
    yield part("row of an entry or to write back, of either bank", "select", 2, width=rows, ways=2)
    yield part("row to clear, or that of the run", "select", 2, width=rows, ways=2)
    yield register("recent sums", width + rows + 1, latency)
    yield register("sums read, product on its way", width, 3)
    yield register("rows of either bank on their way", rows, 4)


def _rows(design: Design) -> Iterator[Part]:
    width, rows = design.accumulator_bits, _row_bits(design)
    biases, windows = address_bits(design.biases_per_pe), _windows(design)
    yield memory_part(design, "biases", 1)
    yield part("place to write or to read", "select", width=biases, ways=2)
    yield part("row to write back", "increment", width=rows)
    yield part("row to write back: last", "equal", width=rows)
    yield part("cycles until the last sums are in", "add", width=3)
    yield part("cycles until then: none", "any", width=3)
    yield part("layer to write back, or the ended one", "select", width=_layer_bits(design), ways=2)
    yield part("place of the bias", "add", width=biases)
    ways = 2 * design.abreast
    yield part("sum of the other bank", "select", width=width, ways=ways)
    yield part("sum + bias", "add", width=width)
    yield from shift_parts(design)
    yield part("code, or the end of 16 bits", "select", width=ACTIVATION_BITS, ways=2)
    if design.bounds:
        yield part("bits dropped at least, and of each step: any", "any", windows, width=_STEP)
        yield part("code against its bounds", "less", 2, width=ACTIVATION_BITS)
        yield part("code, or a bound", "select", width=ACTIVATION_BITS, ways=3)
        yield part("bounds are the ends of 16 bits", "equal_constant", 2, width=ACTIVATION_BITS)
        yield register("code, bounds", 3 * ACTIVATION_BITS)
    else:
        yield part("code, or 0 by ReLU", "mask", width=ACTIVATION_BITS)
    yield register("sum, with bias", width, 2)
    yield register("layer to write back, row, cycles", _layer_bits(design) + 3 * rows + 3)
    yield register("rule on its way", _rule_bits(design), 7)
    yield register("result", RESULT)
    if design.abreast > 1:
        yield from _turns(design)


def _windows(design: Design) -> int:
    """Places from which a result may be taken: shifts end below a sum's width."""
    return -(-design.accumulator_bits // _STEP)


def shift_parts(design: Design) -> Iterator[Part]:
    """List the shift of a sum: a product in two DSP slices, and the choice of its bits."""
    product, windows = design.accumulator_bits + _FINEST, _windows(design)
    yield part("power of two", "decode", width=_STEP)
    yield part("half", "equal_constant", windows, width=2)
    yield fixed("sum x power + half", Cost(dsp=2))
    yield part("bits of the product", "select", width=ACTIVATION_BITS, ways=windows)
    for step in range(windows):
        # From the code's sign on; the last one's may be all that is left.
        signs = product - _FINEST - ACTIVATION_BITS + 1 - step * _STEP
        if signs > 1:
            yield part(f"bits above place {step}: none, all", "equal_constant", 2, width=signs)
    yield part("bits above are a sign", "select", width=1, ways=windows)
    yield register("lower bits of the product, bits of it, sign", _LOW + ACTIVATION_BITS + 2)


def _turns(design: Design) -> Iterator[Part]:
    """Whose row it is: the rows of a word, vector after vector."""
    rows, vector = _row_bits(design), vector_bits(design)
    in_word = address_bits(max(1, ACTIVATIONS_PER_WORD // design.pes))
    yield part("row of the word", "increment", width=in_word)
    yield part("vector of the group", "increment", width=vector)
    yield part("vector of the group: last", "equal", width=vector)
    yield part("next row, or the word's first", "select", width=rows, ways=2)
    yield register("row of the word, vector, vectors, first row", in_word + 3 * vector + rows)


def _rest(design: Design) -> Iterator[Part]:
    yield part("kinds of tokens", "equal_constant", 8, width=KIND)
    if design.held_activations:
        yield part("layer accumulates", "select", width=1, ways=design.layers)
        yield register("which layers accumulate", design.layers)
    yield part("row to clear", "increment", width=address_bits(design.rows_per_pe))
    yield part("row of the report", "increment", width=4)
    if design.counters:
        yield part("value of the report", "select", width=ACTIVATION_BITS, ways=6)
    yield part("result from wherever", "select", width=ELEMENTS["Result"], ways=3)
    yield register("token in hand, of a run and else", token_bits(design), 2)
    yield from control(11, {"clear": 2, "beats": 2, "run": _RUN_STAGES, "report": 2})
