"""What lanes would take: an entry applied to the same input of several vectors at once.

The kernel has none; docs/decisions/0029 says what came of it. What is listed is the kernel that
:mod:`eie.hls.model.lane_cycles` counts: every part of the kernel of a design, with what a lane adds
to it. A lane adds a product, sums and their memories, and its share of every token; counters,
decoding, queues, the comparison of rows and write-back are shared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from eie.hls.boundary.errors import Shortage
from eie.hls.model.area.blocks import kernel_blocks, surrounding_blocks
from eie.hls.model.area.budget import shortages
from eie.hls.model.area.estimate import Estimate, estimate_of
from eie.hls.model.area.memories import Memory, memories_of
from eie.hls.model.area.part import Block, control, part, register
from eie.hls.model.area.processes.widths import COUNTER, KIND, TOKEN, WORD, address_bits
from eie.hls.model.area.processes.widths import element_bits as bits_of_elements
from eie.hls.model.area.rewriting import Rule, rewritten, times, wider
from eie.hls.model.area.savings import Saving, estimate_without
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import RANGES, Design
from eie.hls.spec.packets import ACTIVATION_BITS, ACTIVATIONS_PER_WORD, BEAT_BITS

__all__ = ["beyond_board_with_lanes", "estimate_with_lanes", "token_bits"]

#: Entries that follow a column's first one, in a token of work.
_MORE = 16
#: Words of a block, and lanes: counters in processes that pass words on.
_PLACE = 4
#: Processes that look at the width of a token: on the way to the PEs.
_TOKENS = (
    ("broadcast.*", "token on its way"),
    ("column_fetch", "work or passed on"),
    ("column_fetch", "token from wherever"),
    ("column_fetch", "token to pass on"),
    ("multiply_accumulate", "token in hand, of a run and else"),
    ("detect_nonzero", "activation or passed on"),
    ("detect_nonzero", "token on its way"),
    ("stream (activations|queue|work|branch_.*)", "queue"),
)


def token_bits(design: Design, lanes: int) -> int:
    """Bits of a token with so many values, its fields as wide as a design needs them.

    A load's beats travel in the same tokens, so none is narrower than they are.
    """
    layer, values = address_bits(design.layers), ACTIVATION_BITS * lanes
    activation = address_bits(design.pointers_per_pe) + values + layer
    work = design.pointer_bits + _MORE + values + layer
    return KIND + max(BEAT_BITS, activation, work)


def estimate_with_lanes(design: Design, lanes: int, savings: Sequence[Saving] = ()) -> Estimate:
    """Count what `design` takes with so many lanes; with one it is what it is now.

    Parameters
    ----------
    design
        Of which a lane has the rows and the room between layers.
    lanes
        Vectors that share an entry.
    savings
        Changes that are made, too; of those whose rules know nothing of lanes.
    """
    if lanes == 1:
        return estimate_without(design, savings)
    base = _with_room(design, lanes)
    for saving in savings:
        base = saving.design(base)
    blocks = rewritten(kernel_blocks(base), _rules(base, lanes))
    for saving in savings:
        blocks = rewritten(blocks, saving.rules(base))
    memories = tuple(
        dataclasses.replace(each, count=lanes * each.count)
        if each.name == "accumulators (two banks)"
        else each
        for each in memories_of(base)
    )
    joined = Memory("joined lanes", _block(design), WORD, lanes - 1, "lutram")
    return estimate_of(
        design, (*blocks, *_join(base, lanes)), surrounding_blocks(), (*memories, joined)
    )


def beyond_board_with_lanes(
    design: Design, lanes: int, savings: Sequence[Saving] = ()
) -> tuple[Shortage, ...]:
    """What a design with lanes takes too much of, of its board."""
    return shortages(estimate_with_lanes(design, lanes, savings), BOARDS[design.board])


def _with_room(design: Design, lanes: int) -> Design:
    """The design with room between layers for as many groups as there was for vectors."""
    most = RANGES["hidden_activations"][1]
    return design.replace(hidden_activations=min(most, lanes * design.hidden_activations))


def _block(design: Design) -> int:
    """Words of a vector that the array works on at once."""
    return design.row_alignment // ACTIVATIONS_PER_WORD


def _rules(design: Design, lanes: int) -> list[Rule]:
    tokens = token_bits(design, lanes) - TOKEN
    return [
        *(Rule(block, name, wider(tokens)) for block, name in _TOKENS),
        *_pe_rules(design, lanes),
        *_word_rules(design, lanes),
    ]


def _pe_rules(design: Design, lanes: int) -> list[Rule]:
    """What becomes of the parts of a PE."""
    more = ACTIVATION_BITS * (lanes - 1)
    width, rows = design.accumulator_bits, address_bits(design.rows_per_pe)
    pe = "multiply_accumulate"
    of_lane = (
        "weight x activation",
        "accumulators (two banks)",
        "sum read in either bank",
        "sum read, or a recent one",
        "sum, or the oldest recent one",
        "sum + product",
        "sum to write in either bank, or 0",
        "sums read, product on its way",
    )
    latency = design.write_latency
    return [
        Rule("column_fetch", "activation on its way", wider(more)),
        Rule(pe, "column: entry, more, activation", wider(more)),
        Rule(pe, "activation on its way", wider(more)),
        *(Rule(pe, name, times(lanes)) for name in of_lane),
        # Rows and marks of recent sums are shared.
        Rule(
            pe,
            "recent sums",
            lambda _: (register("recent sums of lanes", lanes * width + rows + 1, latency),),
        ),
        Rule(
            pe,
            "sum of the other bank",
            lambda each: (part("sum of a lane and bank", "select", width=width, ways=2 * lanes),),
        ),
        Rule(
            pe,
            "",
            lambda _: (
                part("lane, row of the word to write back", "increment", 2, width=_PLACE),
                part("lane, row of the word: last", "equal", 2, width=_PLACE),
                part("first row of the word, or of this lane", "select", width=rows, ways=2),
                part("lane's sum is written", "logic2", width=2 * lanes),
                register("lane, row of the word, lanes of the layer", 3 * _PLACE + rows),
            ),
        ),
    ]


def _word_rules(design: Design, lanes: int) -> list[Rule]:
    """What becomes of the parts through which words go."""
    wide = WORD * (lanes - 1)
    address = address_bits(design.pointers_per_pe)
    counters = (
        part("word of the block, lane", "increment", 2, width=_PLACE),
        part("word of the block, lane: last", "equal", 2, width=_PLACE),
        register("word of the block, lane, lanes of the group", 3 * _PLACE),
    )
    return [
        Rule("detect_nonzero", "next word, or the one in hand", wider(wide)),
        Rule("detect_nonzero", "value of that lane", times(lanes)),
        Rule("detect_nonzero", "activation or passed on", wider(0)),
        Rule("detect_nonzero", "word in hand", wider(wide)),
        Rule("detect_nonzero", "word on its way through the tree", wider(wide)),
        Rule(
            "control_activations",
            "",
            lambda _: (
                *counters,
                part("place of the block, or of the next", "select", width=address, ways=2),
                register("place of the block", address),
            ),
        ),
        Rule("collect", "", lambda _: counters),
        # A vector's words are not side by side: how many beats its last one has is known anew.
        *(
            Rule(
                name,
                "",
                lambda _: (
                    *counters,
                    part("beats left of the vector's block", "select", width=COUNTER, ways=2),
                ),
            )
            for name in ("receive", "send")
        ),
    ]


def _join(design: Design, lanes: int) -> tuple[Block, ...]:
    """List ``join_lanes``, and the stream behind it."""
    word = bits_of_elements(design)["WordToken"]
    wide, block = WORD * (lanes - 1), _block(design)
    kept = (
        part("words of the lanes before", "lutram_sdp", lanes - 1, width=WORD, depth=block)
        if block > 1
        else register("words of the lanes before", wide)
    )
    return (
        Block(
            "join_lanes",
            1,
            (
                kept,
                part("lanes that are not zero, of any vector", "logic2", width=16),
                part("word of the block, lane", "increment", 2, width=_PLACE),
                part("word of the block, lane: last", "equal", 2, width=_PLACE),
                part("kinds of tokens", "equal_constant", 2, width=KIND),
                # Lanes that a group does not have: registers are reset, words of a memory not.
                part("lanes of the group that count", "mask", width=wide if block > 1 else 0),
                register("word on its way", word + wide),
                register("lanes that are not zero", 16 * block),
                *control(4, {"words": 3}),
            ),
        ),
        Block("stream groups", 1, (part("queue", "fifo", width=word + wide, depth=2),)),
    )
