"""Parts of ``broadcast_N``: broadcast.h."""

from __future__ import annotations

from eie.hls.model.area.part import Block, Part, control, part, register
from eie.hls.model.area.processes.widths import COUNTER, KIND, TOKEN
from eie.hls.spec.design import Design

__all__ = ["broadcast"]


def broadcast(design: Design, children: int, *, leaf: bool, count: int) -> Block:
    """List the parts of the nodes with so many children; leaves count the cycles of full queues."""
    parts = [
        part("next token, or the one in hand", "select", width=TOKEN, ways=2),
        part("children that wait", "any", 2, width=children),
        part("a child took the token, or still waits", "logic2", children, width=2),
        part("kinds of tokens", "equal_constant", 5, width=KIND),
        register("token in hand", TOKEN, 2),
        register("children that wait", children),
        *control(3, {"tokens": 2}),
    ]
    if leaf:
        parts += _counters(children)
    return Block(f"broadcast_{children}{' (leaf)' if leaf else ''}", count, tuple(parts))


def _counters(children: int) -> list[Part]:
    return [
        part("cycles of a full queue", "increment", children, width=COUNTER),
        part("report in place of the data", "select", children, width=COUNTER, ways=2),
        register("cycles of a full queue", COUNTER, children),
    ]
