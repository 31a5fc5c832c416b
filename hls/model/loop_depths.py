"""How many stages the pipelined loops of the kernel may take: stated, not measured.

The cycle model and the C++ simulation count iterations, as if each were over in the cycle in which
it begins. A synthesised loop takes several cycles from what an iteration reads to what it writes:
its depth, which only the scheduler knows. Until a report of it is there
(:mod:`eie.hls.tools.reports.depths`), each loop that a vector passes on its way has an assumed
depth here, with its reason.

A FIFO takes no stage of its own: what is written in a cycle can be read in the next one, as the
model has it. Depths count as those of the reports do: a loop that reads and writes in the same
cycle has depth 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD

__all__ = ["LoopDepth", "loop_depths"]

#: Cycles from an address to the word: an output register after the memory's own.
_READ = {"lutram": 1, "bram": 2, "uram": 3}


@dataclass(frozen=True)
class LoopDepth:
    """The depth of a loop, and what it is made of."""

    #: The process that has the loop, as :mod:`eie.hls.spec.dataflow` and the templates call it.
    process: str
    #: The loop's label in C++.
    loop: str
    #: Cycles from an iteration's start to its end, both counted; 1 or more.
    stages: int
    #: Why so many.
    reason: str
    #: Whether the loop ends with each layer, so that its pipeline drains. Others run for a whole
    #: run: they poll, and so never keep what they hold, or wait for nothing but the packet.
    each_layer: bool = True

    @property
    def fill(self) -> int:
        """Cycles between what an iteration reads and what it writes that no model counts."""
        return self.stages - 1


def loop_depths(design: Design) -> tuple[LoopDepth, ...]:
    """Assumed depths of the loops that an activation and a result pass, in their order."""
    pointers = max(_READ[_pointer_memory(design, which)] for which in ("bases", "lengths"))
    entries = _READ[design.memory]
    rows = max(_READ[design.small_memory("rows")], _READ[design.small_memory("biases")])
    sums = 2 if design.length_bits else 0
    every = (
        LoopDepth("take_crc", "beats", 2, "beat read; CRC and beat written", each_layer=False),
        LoopDepth("receive", "vectors", 2, "beat read; word written", each_layer=False),
        LoopDepth(
            "control_activations",
            "run",
            3,
            "word polled and taken 1; its layer's record read from LUTs 1; lanes compared with 0, "
            "address added and word written 1",
            each_layer=False,
        ),
        LoopDepth("join_abreast", "layer", 2, "word read; written with those before it"),
        LoopDepth(
            "detect_nonzero", "layer", 3, "word read; first lane found in a tree; token written"
        ),
        LoopDepth("broadcast", "tokens", 2, "token read; written to the children"),
        LoopDepth(
            "column_fetch",
            "layer",
            2 + pointers + sums,
            f"activation read and address added 1; pointers read {pointers}; "
            + (f"lengths before it added up {sums}; " if sums else "")
            + "length tested and column written 1",
        ),
        LoopDepth(
            "multiply_accumulate",
            "run",
            1 + entries + 2 + 3 + rows + 7,
            f"column polled 1; entries read {entries}; entry shifted out and zero run added 1; "
            "codebook read 1; product in a DSP slice with its registers 3; accumulators, at one "
            f"place for entries and rows, and bias read {rows}; added 1; shifted and rounded in "
            "two DSP slices 4; cut to 16 bits 1; result written 1",
            each_layer=False,
        ),
        LoopDepth("gather", "layer", 2, "results read; written side by side"),
        LoopDepth("merge", "layer", 2, "word read; written in its turn"),
        LoopDepth("cell", "words", 2, "word read; written"),
        LoopDepth(
            "cell",
            "steps",
            29,
            "word read 1; sums to their gates 1; size and place on a chord 1; table read 2; "
            "product in a DSP slice with its registers 3; added with its sign 1; rounded 1; "
            "products of gates 3; added 1; rounded and cut 1; size and place on a chord 1; table "
            "read 2; product 3; added with its sign 1; rounded 1; product of a gate 3; rounded and "
            "cut 1; to its lane 1; word written 1",
        ),
        LoopDepth("collect", "words", 3, "word read; marks counted and taken out; word written"),
        LoopDepth("send", "beats", 2, "word polled; beat written", each_layer=False),
        LoopDepth("add_crc", "beats", 2, "beat read; CRC and beat written", each_layer=False),
    )
    # Up to 16 PEs give a word at once, and there is nothing to merge.
    there = {
        "merge": design.pes > ACTIVATIONS_PER_WORD,
        "cell": design.cell_units > 0,
        "join_abreast": design.abreast > 1,
    }
    return tuple(each for each in every if there.get(each.process, True))


def _pointer_memory(design: Design, which: str) -> str:
    """Where a bank of pointers lives: plain ones always in block RAM."""
    if not design.length_bits:
        return "bram"
    return design.small_memory("bases" if which == "bases" else "lengths")
