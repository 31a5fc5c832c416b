"""Parts of ``multiply_accumulate``: multiply_accumulate.h, accumulate.h, fixed_point.h."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.area.memories import memory_part
from eie.hls.model.area.part import Block, Part, control, part, register
from eie.hls.model.area.processes.widths import (
    COUNTER,
    ELEMENTS,
    KIND,
    RESULT,
    ROW,
    address_bits,
)
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATION_BITS, BEAT_BITS

__all__ = ["FORWARDED", "multiply_accumulate"]

#: Sums that are forwarded: kWriteLatency.
FORWARDED = 4
#: Banks of a codebook: four weights arrive in a beat.
_CODEBOOK_BANKS = 4
#: Stages of the loops: work, entries (two), codebook, multiply (three), accumulators, write; and
#: sums, bias, half, shift, saturation, result.
_ENTRY_STAGES, _ROW_STAGES = 9, 6
#: Widths of addresses and lengths in a work token.
_FIRST, _LENGTH = 24, 20


def multiply_accumulate(design: Design) -> Block:
    """List the parts of a PE's ``multiply_accumulate``."""
    parts = (*_load(design), *_entries(design), *_sums(design), *_rows(design), *_rest(design))
    return Block("multiply_accumulate", design.pes, parts)


def _load(design: Design) -> Iterator[Part]:
    yield part("kinds of sections", "equal_constant", 3, width=8)
    yield part("beats of a section", "increment", width=COUNTER)
    yield part("beats of a section: end", "less", width=COUNTER)
    yield register("section: kind, beats", 8 + 2 * COUNTER)
    yield register("beat on its way", BEAT_BITS)


def _entries(design: Design) -> Iterator[Part]:
    words = address_bits(design.entry_words_per_pe)
    yield memory_part(design, "sparse matrix", 1)
    yield memory_part(design, "codebooks", 1, "lutram_1p", _CODEBOOK_BANKS)
    yield part("entries left: none", "any", 2, width=_LENGTH)
    yield part("address, or a column's first", "select", width=design.pointer_bits, ways=2)
    yield part("address", "increment", width=design.pointer_bits)
    yield part("entries left, or a column's length", "select", width=_LENGTH, ways=2)
    yield part("entries left - 1", "add", width=_LENGTH)
    yield part("activation, or a column's", "select", width=ACTIVATION_BITS, ways=2)
    yield part("place to write or to read", "select", width=words, ways=2)
    yield part("entry of its word", "select", width=design.entry_bits, ways=design.entries_per_word)
    yield part("row, or 0 in a new column, + zeros", "add", width=ROW)
    yield part("row + 1", "increment", width=ROW)
    yield part("row past the layer's", "less", width=ROW)
    yield part("code: any", "any", width=design.weight_bits)
    yield part("place in the codebook", "select", 2, width=address_bits(design.layers * 4), ways=2)
    yield part("weight of its bank", "select", width=ACTIVATION_BITS, ways=_CODEBOOK_BANKS)
    yield part("weight x activation", "multiply", width=ACTIVATION_BITS)
    yield part("cycles: busy, starved", "increment", 2, width=COUNTER)
    yield register("cycles: busy, starved", COUNTER, 4)
    yield register("address, left, activation", design.pointer_bits + _LENGTH + ACTIVATION_BITS)
    yield register("entry word", design.entries_per_word * design.entry_bits)
    yield register("activation on its way", ACTIVATION_BITS, 4)
    yield register("row on its way", ROW, 5)
    yield register("weight", ACTIVATION_BITS)
    yield register("layer's end", BEAT_BITS)


def _sums(design: Design) -> Iterator[Part]:
    width = design.accumulator_bits
    yield memory_part(design, "accumulators (two banks)", 2)
    yield part("row is that of a recent sum", "equal", FORWARDED, width=ROW)
    yield part("sum read, or one of three recent ones", "select", width=width, ways=FORWARDED)
    yield part("sum, or the oldest recent one", "select", width=width, ways=2)
    yield part("sum + product", "add", width=width)
    yield part("sum to write, or 0", "mask", width=width)
    rows = address_bits(design.rows_per_pe)
    yield part("row to write, to read", "select", 2, width=rows, ways=3)
    yield register("recent sums", width + ROW + 1, FORWARDED)
    yield register("sum read, product on its way", width, 2)


def _rows(design: Design) -> Iterator[Part]:
    width = design.accumulator_bits
    yield memory_part(design, "biases", 1)
    yield part(
        "place to write or to read", "select", width=address_bits(design.biases_per_pe), ways=2
    )
    yield part("row", "increment", width=ROW)
    yield part("row: end", "less", width=ROW)
    yield part("row: last", "equal", width=ROW)
    yield part("place of the bias", "add", width=address_bits(design.biases_per_pe))
    yield part("sum + bias", "add", width=width)
    yield part("shift - 1", "add", width=6)
    yield part("half", "decode", width=width)
    yield part("sum, or 0 by ReLU, + half", "add", width=width)
    yield part("shift", "shift_arithmetic", width=width)
    yield part("saturation", "saturate", width=width)
    yield register("sum, bias, rectified, half, rounded", width, 5)
    yield register("row, its last; shift", 3 * ROW + 6)
    yield register("result", RESULT)


def _rest(design: Design) -> Iterator[Part]:
    yield part("kinds of tokens", "equal_constant", 6, width=KIND)
    yield part("row to clear", "increment", width=address_bits(design.rows_per_pe))
    yield part("row of the report", "increment", width=4)
    yield part("value of the report", "select", width=ACTIVATION_BITS, ways=6)
    yield part("result from wherever", "select", width=ELEMENTS["Result"], ways=4)
    yield register("token in hand", KIND + BEAT_BITS)
    yield from control(
        16,
        {"clear": 2, "beats": 2, "entries": _ENTRY_STAGES, "rows": _ROW_STAGES, "report": 2},
    )
