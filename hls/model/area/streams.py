"""Parts that are no process: the streams between them, and the adapters of the kernel's ports."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.area.memories import OF_STREAM, memory_part
from eie.hls.model.area.part import Block, Part, part, register
from eie.hls.model.area.processes.widths import address_bits, element_bits
from eie.hls.spec.dataflow import DEPTHS, Stream, Wiring
from eie.hls.spec.design import Design
from eie.hls.spec.packets import BEAT_BITS
from eie.hls.spec.registers import PORTS

__all__ = ["adapters", "streams"]

#: Bits of a LUT as a shift register (UG474).
_SHIFT_REGISTER = 32
#: A beat of AXI4-Stream: data, TKEEP, TSTRB, TLAST.
_AXIS = BEAT_BITS + 2 * (BEAT_BITS // 8) + 1


def streams(design: Design, wiring: Wiring) -> tuple[Block, ...]:
    """List the streams of a design: shift registers whatever their depth, or block RAM."""
    depths = {depth.name: depth.elements for depth in DEPTHS.values()}
    # A shift register of 32 is a LUT, as one of 2 is; the bits of the count that a shallower one
    # saves are not told apart, so that no search takes a shallow queue for their sake.
    depths |= {
        "kQueueDepth": max(_SHIFT_REGISTER, design.queue_depth),
        "kResultDepth": max(_SHIFT_REGISTER, design.result_depth),
    }
    depths["kHiddenWords"] = design.hidden_words
    bits = element_bits(design)

    def parts(stream: Stream) -> tuple[Part, ...]:
        width, depth = bits[stream.element], depths[stream.depth]
        if stream.fifo == "bram":
            return (memory_part(design, OF_STREAM[stream.name], 1), *_places(depth))
        return (part("queue", "fifo", width=width, depth=depth),)

    return tuple(
        Block(f"stream {each.name}", each.count or 1, parts(each)) for each in wiring.streams
    )


def _places(depth: int) -> Iterator[Part]:
    """List what a FIFO in block RAM has besides the memory: places and count.

    As Vitis HLS 2021.1 writes it (``fifo_w64_d320_B.v`` of an IP of AMD's): what is read goes
    through the memory's own output register, and nothing passes by the memory, so that there is no
    multiplexer of a word's width. It comes out a cycle later.
    """
    address = address_bits(depth)
    yield part("place to write, to read", "increment", 2, width=address)
    yield part("place: end", "equal_constant", 2, width=address)
    yield part("place, or the next", "select", 2, width=address, ways=3)
    yield part("words", "add", width=address + 1)
    yield part("words: none, full", "equal_constant", 2, width=address + 1)
    yield part("word is read, is out", "logic2", width=4)
    yield register("places, words, and whether there are any", 4 * address + 4)


def adapters() -> tuple[Block, ...]:
    """List what Vitis HLS puts behind the kernel's ports."""
    return (
        Block("packets_in, packets_out", 2, (part("register slice", "axis_slice", width=_AXIS),)),
        Block("control", 1, (part("registers", "axilite", width=len(PORTS)),)),
    )
