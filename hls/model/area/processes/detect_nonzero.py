"""Parts of ``detect_nonzero``: detect_nonzero.h."""

from __future__ import annotations

from eie.hls.model.area.part import Block, control, part, register
from eie.hls.model.area.processes.widths import COLUMN, ELEMENTS, TOKEN, WORD
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATION_BITS, ACTIVATIONS_PER_WORD, BEAT_BITS

__all__ = ["detect_nonzero"]


def detect_nonzero(design: Design) -> Block:
    """List the parts of the one ``detect_nonzero``, which is the same in every design."""
    lanes = ACTIVATIONS_PER_WORD
    return Block(
        "detect_nonzero",
        1,
        (
            part("next word, or the one in hand", "select", width=ELEMENTS["WordToken"], ways=2),
            part("lanes left: any", "any", 2, width=lanes),
            part("first lane of those left", "first_set", width=lanes),
            part("value of that lane", "select", width=ACTIVATION_BITS, ways=lanes),
            part("lanes left - 1", "add", width=lanes),
            part("lanes left without the first", "logic2", width=lanes),
            part("column of the next word", "increment", width=COLUMN - 4),
            part("column of the word", "select", width=COLUMN, ways=2),
            part("column of the lane", "add", width=COLUMN),
            part("kinds of tokens", "equal_constant", 4, width=4),
            part("activation or passed on", "select", width=BEAT_BITS, ways=2),
            register("word in hand", WORD + lanes),
            register("word on its way through the tree", WORD + lanes, 2),
            register("columns", COLUMN, 3),
            register("token on its way", TOKEN),
            *control(4, {"layer": 4}),
        ),
    )
