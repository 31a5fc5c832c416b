"""Parts of ``detect_nonzero``: detect_nonzero.h."""

from __future__ import annotations

from eie.hls.model.area.part import Block, control, part, register
from eie.hls.model.area.processes.widths import TOKEN, WORD, address_bits, element_bits
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATION_BITS, ACTIVATIONS_PER_WORD, BEAT_BITS

__all__ = ["detect_nonzero"]


def detect_nonzero(design: Design) -> Block:
    """List the parts of the one ``detect_nonzero``, of which addresses differ between designs."""
    lanes = ACTIVATIONS_PER_WORD
    word, address = element_bits(design)["WordToken"], address_bits(design.pointers_per_pe)
    return Block(
        "detect_nonzero",
        1,
        (
            part("next word, or the one in hand", "select", width=word, ways=2),
            part("lanes left: any", "any", 2, width=lanes),
            part("first lane of those left", "first_set", width=lanes),
            part("value of that lane", "select", width=ACTIVATION_BITS, ways=lanes),
            part("lanes left - 1", "add", width=lanes),
            part("lanes left without the first", "logic2", width=lanes),
            part("place of the lane's pointer", "add", width=address),
            part("kinds of tokens, of the layer's end", "equal_constant", 4, width=4),
            part("activation or passed on", "select", width=BEAT_BITS, ways=2),
            register("word in hand", word),
            register("word on its way through the tree", WORD + lanes, 2),
            register("places of pointers", address, 2),
            register("token on its way", TOKEN),
            *control(4, {"layer": 4}),
        ),
    )
