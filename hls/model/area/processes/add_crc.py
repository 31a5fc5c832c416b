"""Parts of ``add_crc``: add_crc.h with crc32.h inlined."""

from __future__ import annotations

from eie.hls.model.area.part import Block, control, part, register
from eie.hls.model.area.processes.widths import CRC, ELEMENTS
from eie.hls.spec.design import Design
from eie.hls.spec.packets import BEAT_BITS

__all__ = ["add_crc"]


def add_crc(design: Design) -> Block:
    """List the parts of the one ``add_crc``, which is the same in every design."""
    return Block(
        "add_crc",
        1,
        (
            part("CRC of a beat", "crc32", width=BEAT_BITS),
            part("CRC of the header's half beat", "crc32", width=32),
            part("CRC so far, or what a header leaves", "select", width=CRC, ways=2),
            part("header's CRC, or not", "mask", width=CRC),
            part("place in the header", "increment", width=2),
            part("beat, or the trailer", "select", width=BEAT_BITS + 1, ways=2),
            register("CRC so far", CRC),
            register("beat on its way", ELEMENTS["SentBeat"], 2),
            *control(4, {"beats": 2}),
        ),
    )
