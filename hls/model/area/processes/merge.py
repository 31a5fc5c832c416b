"""Parts of ``merge_N``: merge.h."""

from __future__ import annotations

from eie.hls.model.area.part import Block, control, part, register
from eie.hls.model.area.processes.widths import ELEMENTS
from eie.hls.spec.design import Design

__all__ = ["merge"]


def merge(design: Design, sources: int, count: int) -> Block:
    """List the parts of the nodes that take words of `sources` streams in turn."""
    return Block(
        f"merge_{sources}",
        count,
        (
            part("word of the source", "select", width=ELEMENTS["ResultWord"], ways=sources),
            part("words taken", "increment", width=8),
            part("words taken: a burst", "equal_constant", width=8),
            part("source", "increment", width=2),
            part("kinds of results", "equal_constant", 4, width=2),
            register("word on its way", ELEMENTS["ResultWord"], 2),
            register("words taken, source", 10),
            *control(3, {"layer": 3}),
        ),
    )
