"""What the kernel would take without some of what it does: how far it could shrink.

Changes are in the order of what each saves for a line of the kernel; docs/explanation/area.md has
the sums, and what each of them costs. What is built leaves this list.
:mod:`eie.hls.model.area.rewriting` exchanges the parts, and refuses a change whose parts are
no more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from eie.hls.model.area.blocks import kernel_blocks, surrounding_blocks
from eie.hls.model.area.estimate import Estimate, estimate_of
from eie.hls.model.area.memories import memories_of
from eie.hls.model.area.part import Part, control, part
from eie.hls.model.area.processes.multiply_accumulate import shift_parts
from eie.hls.model.area.processes.widths import (
    ELEMENTS,
    KIND,
    RESULT,
    address_bits,
    token_bits,
    vector_bits,
)
from eie.hls.model.area.rewriting import Edit, Rule, rewritten, wider
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATION_BITS, ACTIVATIONS_PER_BEAT, ACTIVATIONS_PER_WORD

__all__ = ["SAVINGS", "Saving", "estimate_without"]

_PE = "multiply_accumulate"
#: Bits of a beat that is sent as two.
_HALF_BEAT = 32


@dataclass(frozen=True)
class Saving:
    """A change of the kernel."""

    #: What is done, in a few words.
    name: str
    #: Files of ``templates/kernel`` that change, and about how many lines.
    where: str
    lines: int
    #: What it costs but for block RAM and DSP slices.
    price: str
    #: Rules for the parts of a design.
    rules: Callable[[Design], Sequence[Rule]] = lambda design: ()
    #: What becomes of the design first.
    design: Callable[[Design], Design] = lambda design: design
    #: Whether it is worth its price, and can be made beside all the others that are.
    beside: bool = True


def estimate_without(design: Design, savings: Sequence[Saving]) -> Estimate:
    """Count what `design` takes with all of these changes made, one after another."""
    base = design
    for saving in savings:
        base = saving.design(base)
    blocks = kernel_blocks(base)
    for saving in savings:
        blocks = rewritten(blocks, saving.rules(base))
    return estimate_of(base, blocks, surrounding_blocks(), memories_of(base))


def _gone(_: Part) -> Sequence[Part]:
    return ()


def _instead(*parts: Part) -> Edit:
    return lambda _: parts


def _plain(design: Design) -> Design:
    return design.replace(bounds=0, counters=0)


def _in_block_ram(design: Design) -> Design:
    return design.replace(spare_luts=1)


def _one_codebook(design: Design) -> list[Rule]:
    return [
        Rule(
            _PE,
            "codebooks",
            _instead(part("codebooks", "lutram_1p", width=16, depth=16 * design.layers)),
        ),
        Rule(_PE, "weight of its bank", _gone),
    ]


def _narrow_tokens(design: Design) -> list[Rule]:
    layer = address_bits(design.layers)
    more = design.length_bits or 16
    of_group = ACTIVATION_BITS * design.abreast + layer + vector_bits(design)
    work = design.pointer_bits + more + of_group
    activation = address_bits(design.pointers_per_pe) + of_group
    narrower = wider(KIND + max(_HALF_BEAT, work, activation) - token_bits(design))
    named = (
        ("broadcast.*", "token on its way"),
        ("column_fetch", "work or passed on"),
        ("column_fetch", "token from wherever"),
        ("column_fetch", "token to pass on"),
        (_PE, "token in hand, of a run and else"),
        ("detect_nonzero", "activation or passed on"),
        ("detect_nonzero", "token on its way"),
        ("stream (activations|queue|work|branch_.*)", "queue"),
    )
    # A beat is put together of two in front of each memory: a register, no LUT.
    return [Rule(block, name, narrower) for block, name in named]


def _shared_write_back(design: Design) -> list[Rule]:
    """Sums go up the gather tree; behind it are as many units as a word has lanes."""
    width, lanes = design.accumulator_bits, ACTIVATIONS_PER_WORD
    shift = tuple(shift_parts(design))
    rules = [Rule(_PE, each.name, _gone) for each in shift]
    rules.append(Rule(_PE, "code, or the end of 16 bits", _gone))
    more = width - RESULT
    rules += [
        Rule("stream results", "queue", wider(more)),
        Rule(_PE, "result from wherever", wider(more)),
        Rule("stream beats", "queue", wider(ACTIVATIONS_PER_BEAT * more)),
        Rule("stream (words|merged_.*)", "queue", wider(lanes * more)),
    ]
    if design.pes > ACTIVATIONS_PER_WORD:
        rules.append(Rule("merge_.*", "word of the source", wider(lanes * more)))
    once = ("power of two", "half")  # all lanes have the same shift
    units = (
        *(each if each.name in once else replace(each, count=lanes * each.count) for each in shift),
        part("code, or the end of 16 bits", "select", lanes, width=ACTIVATION_BITS, ways=2),
        part("layer, from the command", "select", width=7, ways=2),
        part("stream to collect", "fifo", width=ELEMENTS["ResultWord"], depth=2),
        *control(4, {"words": 5}),
    )
    return [*rules, Rule("collect", "", _instead(*units))]


def _one_bank(design: Design) -> list[Rule]:
    """Entries and rows take turns in one bank, as before decision 20."""
    width, rows = design.accumulator_bits * design.abreast, address_bits(design.rows_per_pe)

    def one_memory(each: Part) -> Sequence[Part]:
        return (Part(each.name, each.operator, each.sizes, 1, each.given),)

    gone = ("sum read in either bank", "sum of the other bank")
    return [
        *(Rule(_PE, name, _gone) for name in gone),
        Rule(_PE, "accumulators (two banks)", one_memory),
        Rule(
            _PE,
            "sum to write in either bank, or 0",
            _instead(part("sum to write, or 0", "mask", width=width)),
        ),
        *(
            Rule(_PE, name, _instead(part(name, "select", width=rows, ways=2)))
            for name in (
                "row of an entry or to write back, of either bank",
                "row to clear, or that of the run",
            )
        ),
    ]


def _no_forwarding(_: Design) -> list[Rule]:
    names = ("sum read, or a recent one", "sum, or the oldest recent one")
    return [Rule(_PE, name, _gone) for name in names]


#: All of them, by LUTs saved for a line of the kernel; last what is not worth its price.
SAVINGS = (
    Saving(
        "no bounds but a ReLU, and no counters in the PEs",
        "none: `bounds` and `counters` of the design",
        0,
        "no ReLU6, no ties to even; no busy, starved and full",
        design=_plain,
    ),
    Saving(
        "biases, accumulators and queues of words in block RAM",
        "none: `spare_luts` of the design",
        0,
        "a sum is forwarded for an iteration longer; a cycle a layer, and two a run",
        design=_in_block_ram,
    ),
    Saving(
        "tokens as wide as a run needs, loads in half beats",
        "types.h, receive.h, column_fetch.h, multiply_accumulate.h",
        60,
        "a load takes twice the cycles",
        _narrow_tokens,
    ),
    Saving(
        "one bank of codebooks, loaded a weight a cycle",
        "multiply_accumulate.h, receive.h",
        12,
        "48 cycles a layer in a load",
        _one_codebook,
    ),
    Saving(
        "one bank of accumulators",
        "multiply_accumulate.h",
        60,
        "a layer is written back before the next: 1.1 to 1.8 times the cycles of a batch",
        _one_bank,
    ),
    Saving(
        "nothing is forwarded: an entry of a recent row waits",
        "accumulate.h, multiply_accumulate.h",
        20,
        "a third more iterations, or twice as many",
        _no_forwarding,
        beside=False,
    ),
    Saving(
        "write-back behind the gather tree, 16 units in all",
        "multiply_accumulate.h, gather.h, merge.h, collect.h, types.h",
        80,
        "wider trees; 32 DSP slices in all",
        _shared_write_back,
        beside=False,
    ),
)
