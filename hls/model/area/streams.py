"""Parts that are no process: the streams between them, and the adapters of the kernel's ports."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.area.memories import memory_part
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
    """List the streams of a design: shift registers, whatever their depth, and their control.

    The queue of hidden vectors is a block RAM where it is deep.
    """
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
        if stream.depth == "kHiddenWords" and design.small_memory("hidden") == "bram":
            return tuple(_in_block_ram(design, bits[stream.element]))
        return (part("queue", "fifo", width=bits[stream.element], depth=depths[stream.depth]),)

    return tuple(
        Block(f"stream {each.name}", each.count or 1, parts(each)) for each in wiring.streams
    )


def _in_block_ram(design: Design, width: int) -> Iterator[Part]:
    """List the queue of hidden vectors: memory, places and count, the word that is out first."""
    address = address_bits(design.hidden_words)
    yield memory_part(design, "hidden vectors", 1)
    yield part("place to write, to read", "increment", 2, width=address)
    yield part("place: end", "equal_constant", 2, width=address)
    yield part("words", "add", width=address + 1)
    yield part("words: none, full", "equal_constant", 2, width=address + 1)
    yield register("places, words", 3 * address + 1)
    # A word that comes into an empty queue passes by the memory, which is read a cycle ahead.
    yield part("word of the memory, or the one written", "select", width=width, ways=2)
    yield register("word out first, word written", width, 2)


def adapters() -> tuple[Block, ...]:
    """List what Vitis HLS puts behind the kernel's ports."""
    return (
        Block("packets_in, packets_out", 2, (part("register slice", "axis_slice", width=_AXIS),)),
        Block("control", 1, (part("registers", "axilite", width=len(PORTS)),)),
    )
