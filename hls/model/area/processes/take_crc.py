"""Parts of ``take_crc``: take_crc.h with crc32.h inlined."""

from __future__ import annotations

from eie.hls.model.area.part import Block, control, part, register
from eie.hls.model.area.processes.widths import CRC, ELEMENTS
from eie.hls.spec.design import Design
from eie.hls.spec.packets import BEAT_BITS

__all__ = ["take_crc"]


def take_crc(design: Design) -> Block:
    """List the parts of the one ``take_crc``, which is the same in every design."""
    return Block(
        "take_crc",
        1,
        (
            part("CRC of a beat", "crc32", width=BEAT_BITS),
            register("CRC so far", CRC),
            register("beat on its way", ELEMENTS["ReceivedBeat"]),
            *control(3, {"beats": 2}),
        ),
    )
