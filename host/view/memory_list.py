"""The memories of a design one by one: what each is, what it takes, and its square to scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

from eie.hls.model.area.blocks import kernel_blocks
from eie.hls.model.area.estimate import family_of
from eie.hls.model.area.memories import Memory, bram18_of, memories_of, uram_of
from eie.hls.spec.boards import BOARDS, Board
from eie.hls.spec.design import Design
from eie.host.view.words import bits_text, blocks_text, percent

__all__ = ["ListedMemory", "memory_list", "share_text"]

#: Side of the largest square, in pixels.
_LARGEST = 104.0
#: Block RAMs of 18 Kib in one of 36.
_HALVES = 2


@dataclass(frozen=True)
class ListedMemory:
    """A memory of the list."""

    name: str
    kind: str
    #: Side of its square in pixels.
    side: float
    #: Words, bits of a word, bits together.
    size: str
    #: Blocks of the FPGA, of one copy and of all.
    takes: str
    #: Of what the board has, 0 to 1; None without a board, and where the part has none.
    share: float | None
    share_text: str


def memory_list(design: Design) -> tuple[ListedMemory, ...]:
    """List every memory of a design, the largest first."""
    memories = sorted(memories_of(design), key=lambda each: -each.depth * each.width)
    largest = memories[0].depth * memories[0].width
    return tuple(_listed(design, memory, largest) for memory in memories)


def share_text(design: Design) -> str:
    """Say what shares are of."""
    board = BOARDS.get(design.board)
    if board is None:
        return "The design names no board, so there is nothing to take a share of."
    return (
        f"Shares are of {board.title}: {board.bram36} BRAM36, {board.uram} UltraRAM, "
        f"{board.lut:,} LUTs. Blocks of RAM are counted; LUTs are estimated, never synthesised."
    )


def _listed(design: Design, memory: Memory, largest: int) -> ListedMemory:
    bits = memory.depth * memory.width
    each = f"{memory.depth:,} x {memory.width} bit = {bits_text(bits)}"
    board = BOARDS.get(design.board)
    copies = "" if memory.count == 1 else f", {memory.count} copies"
    share, takes = _share(design, memory, board)
    return ListedMemory(
        name=memory.name,
        kind=memory.kind,
        side=_LARGEST * math.sqrt(bits / largest),
        size=f"{each}{copies}",
        takes=takes,
        share=share,
        share_text="" if share is None or board is None else f"{percent(share)} of the board's",
    )


def _share(design: Design, memory: Memory, board: Board | None) -> tuple[float | None, str]:
    """Share of the board, and the blocks in words."""
    if memory.kind == "bram":
        halves = memory.count * bram18_of(memory.depth, memory.width)
        share = halves / (_HALVES * board.bram36) if board else None
    elif memory.kind == "uram":
        share = memory.count * uram_of(memory.depth, memory.width) / board.uram if board else None
    else:
        luts = _luts(design, memory)
        return (luts / board.lut if board else None), f"about {luts:,.0f} LUTs"
    one = blocks_text(memory)
    return share, one if memory.count == 1 else f"{one} each"


def _luts(design: Design, memory: Memory) -> float:
    """LUTs of all copies, as the estimate has them."""
    family = family_of(design)
    for block in kernel_blocks(design):
        for part in block.parts:
            if part.name == memory.name:
                return part.cost(family).lut * block.count
    # The queue of hidden vectors, where it is short, is one as other streams are.
    return sum(
        part.cost(family).lut
        for block in kernel_blocks(design)
        if block.name == "stream hidden"
        for part in block.parts
    )
