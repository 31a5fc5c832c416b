"""Parts of ``gather_N``: gather.h."""

from __future__ import annotations

from eie.hls.model.area.part import Block, control, part, register
from eie.hls.spec.design import Design

__all__ = ["gather"]

#: Sources that make a whole.
_WHOLE = 4


def gather(design: Design, sources: int, bits: int, count: int) -> Block:
    """List the parts of the nodes that put `sources` results of `bits` side by side."""
    rounds = _WHOLE // sources
    parts = [
        part("all have one", "any", width=sources + 1),
        part("kinds of results", "equal_constant", 2, width=2),
        register("results on their way", _WHOLE * bits + 2),
        *control(3, {"layer": 2}),
    ]
    if rounds > 1:
        parts += [
            part("round", "increment", width=2),
            part("what is there so far, or nothing", "mask", width=_WHOLE * bits),
            register("what is there so far", _WHOLE * bits),
        ]
    return Block(f"gather_{sources} of {bits} bits", count, tuple(parts))
