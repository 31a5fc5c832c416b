"""Parts of ``column_fetch``: column_fetch.h with pointers_plain.h or pointers_compact.h."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.area.memories import memory_part
from eie.hls.model.area.part import Block, Part, control, part, register
from eie.hls.model.area.processes.widths import KIND, address_bits, section_bits, token_bits
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATION_BITS, BEAT_BITS

__all__ = ["column_fetch"]

#: Stages of the loop that looks columns up: queue, address, memory (two), sum, work.
_STAGES = 6


def column_fetch(design: Design) -> Block:
    """List the parts of a PE's ``column_fetch``."""
    look_up = _compact(design) if design.length_bits else _plain(design)
    return Block("column_fetch", design.pes, (*_section(design), *look_up, *_tokens(design)))


def _section(design: Design) -> Iterator[Part]:
    yield part("section is for this PE, for all", "equal_constant", 2, width=16)
    yield part("section has pointers", "equal_constant", width=8)
    yield part("beats of a section", "increment", width=section_bits(design))
    yield part("beats of a section: end", "less", width=section_bits(design))
    yield register("section: beats", 2 * section_bits(design))
    yield register("beat on its way", BEAT_BITS)


def _plain(design: Design) -> Iterator[Part]:
    address, pointer = address_bits(design.pointer_words_per_pe), design.pointer_bits
    yield memory_part(design, "column pointers (two banks)", 2)
    yield part("place of the next pair", "increment", width=address)
    yield part("place in the even bank", "select", width=address, ways=2)
    yield part("place to write or to read", "select", 2, width=address, ways=2)
    yield part("first and end, from either bank", "select", 2, width=pointer, ways=2)
    yield part("length", "add", width=pointer)
    yield part("length: any", "any", width=pointer)
    yield part("length - 1", "add", width=pointer)
    yield register("first, end, length", pointer, 3)
    yield register("places", 2 * address)


def _compact(design: Design) -> Iterator[Part]:
    address, pointer = address_bits(design.pointer_words_per_pe), design.pointer_bits
    yield memory_part(design, "column pointers (of eight)", 1)
    yield memory_part(design, "column lengths", 1)
    yield part("place to write or to read", "select", 2, width=address, ways=2)
    # A length counts or not: that is a bit more of the same LUTs.
    yield part("lengths of the columns before it", "add", 6, width=design.length_bits + 3)
    yield part("which columns are before it", "logic2", width=7)
    yield part("first", "add", width=pointer)
    yield part("length of the column", "select", width=design.length_bits, ways=8)
    yield part("length - 1", "add", width=design.length_bits)
    yield part("length: any", "any", width=design.length_bits)
    yield register("first, sums, length", 3 * pointer + 8 * design.length_bits)
    yield register("place", address)


def _tokens(design: Design) -> Iterator[Part]:
    layer, token = address_bits(design.layers), token_bits(design)
    values = ACTIVATION_BITS * design.abreast
    yield part("kinds of tokens", "equal_constant", 6, width=KIND)
    yield part("kind of the work", "select", width=KIND, ways=3)
    yield part("work or passed on", "select", width=token, ways=2)
    yield part("token from wherever", "select", width=token, ways=3)
    yield part("queue's token to wherever", "logic2", width=4)
    yield register("activation on its way", layer + values + KIND, _STAGES - 1)
    yield register("token to pass on", token, 2)
    yield from control(8, {"beats": 2, "columns": _STAGES})
