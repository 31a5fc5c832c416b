"""Parts of ``detect_nonzero``: detect_nonzero.h."""

from __future__ import annotations

from eie.hls.model.area.part import Block, control, part, register
from eie.hls.model.area.processes.widths import (
    KIND,
    WORD,
    address_bits,
    element_bits,
    token_bits,
)
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATION_BITS, ACTIVATIONS_PER_WORD

__all__ = ["detect_nonzero"]


def detect_nonzero(design: Design) -> Block:
    """List the parts of the one ``detect_nonzero``, of which addresses differ between designs."""
    lanes = ACTIVATIONS_PER_WORD
    address, abreast = address_bits(design.pointers_per_pe), design.abreast
    word = element_bits(design)["GroupToken" if abreast > 1 else "WordToken"]
    token = token_bits(design)
    return Block(
        "detect_nonzero",
        1,
        (
            part("next word, or the one in hand", "select", width=word, ways=2),
            part("lanes left: any", "any", 2, width=lanes),
            part("first lane of those left", "first_set", width=lanes),
            part("value of that lane", "select", abreast, width=ACTIVATION_BITS, ways=lanes),
            part("lanes left - 1", "add", width=lanes),
            part("lanes left without the first", "logic2", width=lanes),
            part("place of the lane's pointer", "add", width=address),
            part("kinds of tokens, of the layer's end", "equal_constant", 4, width=4),
            part("activation or passed on", "select", width=token - KIND, ways=2),
            register("word in hand", word),
            register("word on its way through the tree", WORD * abreast + lanes, 2),
            register("places of pointers", address, 2),
            register("token on its way", token),
            *control(4, {"layer": 4}),
        ),
    )
