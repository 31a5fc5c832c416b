"""Parts of what is in the processes that words of a group pass: group_order.h."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.area.part import Part, part, register
from eie.hls.model.area.processes.widths import address_bits, vector_bits
from eie.hls.spec.design import Design

__all__ = ["group_order", "groups"]


def group_order(design: Design, block: int, index: int) -> Iterator[Part]:
    """List where in a group a process is, in blocks of `block`, with an index of `index` bits.

    Nothing, where vectors go one by one.
    """
    if design.abreast == 1:
        return
    vector, in_block = vector_bits(design), address_bits(block)
    yield part("place in the block", "increment", width=in_block)
    yield part("place in the block: last", "equal_constant", width=in_block)
    yield part("vector of the group", "increment", width=vector)
    yield part("vector of the group: last", "equal", width=vector)
    yield part("index, or the block's first", "select", width=index, ways=2)
    yield register("place in the block, vector, block's first", in_block + 2 * vector + index)


def groups(design: Design, counter: int) -> Iterator[Part]:
    """List the groups of a batch that are to come, counted in `counter` bits."""
    if design.abreast == 1:
        return
    yield part("groups left", "add", width=counter)
    yield part("groups left: one", "equal_constant", width=counter)
    yield register("groups left, vectors of the last", counter + vector_bits(design))
