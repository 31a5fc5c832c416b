"""Parts that are no process: the streams between them, and the adapters of the kernel's ports."""

from __future__ import annotations

from eie.hls.model.area.part import Block, part
from eie.hls.model.area.processes.widths import ELEMENTS
from eie.hls.spec.dataflow import DEPTHS, Wiring
from eie.hls.spec.design import Design
from eie.hls.spec.packets import BEAT_BITS
from eie.hls.spec.registers import PORTS

__all__ = ["adapters", "streams"]

#: Bits of a LUT as a shift register (UG474).
_SHIFT_REGISTER = 32
#: A beat of AXI4-Stream: data, TKEEP, TSTRB, TLAST.
_AXIS = BEAT_BITS + 2 * (BEAT_BITS // 8) + 1


def streams(design: Design, wiring: Wiring) -> tuple[Block, ...]:
    """List the streams of a design: shift registers, whatever their depth, and their control."""
    depths = {depth.name: depth.elements for depth in DEPTHS.values()}
    # A shift register of 32 is a LUT, as one of 2 is; the bits of the count that a shallower one
    # saves are not told apart, so that no search takes a shallow queue for their sake.
    depths |= {
        "kQueueDepth": max(_SHIFT_REGISTER, design.queue_depth),
        "kResultDepth": max(_SHIFT_REGISTER, design.result_depth),
    }
    return tuple(
        Block(
            f"stream {each.name}",
            each.count or 1,
            (part("queue", "fifo", width=ELEMENTS[each.element], depth=depths[each.depth]),),
        )
        for each in wiring.streams
    )


def adapters() -> tuple[Block, ...]:
    """List what Vitis HLS puts behind the kernel's ports."""
    return (
        Block("packets_in, packets_out", 2, (part("register slice", "axis_slice", width=_AXIS),)),
        Block("control", 1, (part("registers", "axilite", width=len(PORTS)),)),
    )
