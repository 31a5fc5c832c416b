"""Parts of ``broadcast_N``: broadcast.h."""

from __future__ import annotations

from eie.hls.model.area.part import Block, Part, control, part, register
from eie.hls.model.area.processes.widths import COUNTER, KIND, token_bits
from eie.hls.spec.design import Design

__all__ = ["broadcast"]


def broadcast(design: Design, children: int, *, leaf: bool, count: int) -> Block:
    """List the parts of the nodes with so many children; leaves count full queues."""
    parts = [
        part("all children have room", "any", width=children + 1),
        part("kinds of tokens", "equal_constant", 4, width=KIND),
        register("token on its way", token_bits(design)),
        *control(3, {"tokens": 2}),
    ]
    if leaf and design.counters:
        parts += _counters(children)
    return Block(f"broadcast_{children}{' (leaf)' if leaf else ''}", count, tuple(parts))


def _counters(children: int) -> list[Part]:
    return [
        part("tokens that found a queue full", "increment", children, width=COUNTER),
        part("kinds of tokens that count", "equal_constant", 2, width=KIND),
        part("report in place of the data", "select", children, width=COUNTER, ways=2),
        register("tokens that found a queue full", COUNTER, children),
    ]
