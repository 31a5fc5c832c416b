"""How far a sum of operators is from the whole: processes by hand, synthesised in one piece.

A synthesiser that sees the whole merges what a list of operators keeps apart, and needs what the
list forgot. Control that HLS adds is in neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from calibration.netlist import count
from calibration.operators import VERILOG
from calibration.yosys import FAMILIES, synthesize
from eie.hls.model.area.cost import Cost
from eie.hls.model.area.part import Part, part, register

__all__ = ["WHOLES", "CrossCheck", "crosscheck", "crosscheck_rows"]

_FOLDER = Path(__file__).parent / "whole"


def _pe() -> Iterator[Part]:
    yield part("queue", "fifo", width=34, depth=32)
    yield part("work", "fifo", width=39, depth=32)
    yield part("place in the even bank", "add", width=10)
    yield part("first, end", "select", 2, width=13, ways=2)
    yield part("length", "add", width=8)
    yield part("length, kind: any", "any", width=10)
    yield part("left: one", "equal_constant", width=8)
    yield part("left - 1", "add", width=8)
    yield part("left, address, value", "select", width=8 + 13, ways=2)
    yield part("address + 1", "increment", width=13)
    yield part("entry of its word", "select", width=9, ways=4)
    yield part("row + 1, row or 0 + zeros", "add", 2, width=6)
    yield part("code: any", "any", width=4)
    yield part("codebook", "lutram_sdp", width=16, depth=128)
    yield part("product", "multiply", width=16)
    yield part("accumulators", "lutram_sdp", width=36, depth=64)
    yield part("row to read, to write", "select", 2, width=6, ways=2)
    yield part("recent sum's row", "equal", 3, width=6)
    yield part("recent sum", "select", 3, width=36, ways=2)
    yield part("sum", "add", width=36)
    yield part("sum, or 0", "mask", width=36)
    yield part("bias", "add", width=36)
    yield part("half", "decode", width=36)
    yield part("half added, to 0 by ReLU", "add", width=36)
    yield part("shift", "shift_arithmetic", width=36)
    yield part("saturation", "saturate", width=36)
    yield register("registers", 36 * 5 + 32 + 16 * 6 + 13 + 8 + 6 * 7 + 40)


def _detect_nonzero() -> Iterator[Part]:
    yield part("word, or the one in hand", "select", width=276, ways=2)
    yield part("left: any", "any", 2, width=16)
    yield part("first lane", "first_set", width=16)
    yield part("value", "select", width=16, ways=16)
    yield part("left - 1", "add", width=16)
    yield part("left without the first", "logic2", width=16)
    yield part("next column", "increment", width=12)
    yield part("column", "select", width=16, ways=2)
    yield part("column of the lane", "add", width=16)
    yield part("kinds", "equal_constant", 2, width=4)
    yield part("token", "select", width=64, ways=2)
    yield register("word in hand, token", 276 + 68 + 1 + 32)


def _broadcast() -> Iterator[Part]:
    yield part("token, or the one in hand", "select", width=68, ways=2)
    yield part("children that wait", "any", width=4)
    yield part("a child took it", "logic2", 4, width=2)
    yield part("kinds", "equal_constant", 5, width=4)
    yield part("full, or 0, + 1", "increment", 4, width=32)
    yield part("report", "select", 4, width=32, ways=2)
    yield register("token, children, counts", 68 + 4 + 128)


#: Modules in ``whole``, with the operators that they are made of.
WHOLES = {"pe": _pe, "detect_nonzero": _detect_nonzero, "broadcast_4": _broadcast}


@dataclass(frozen=True)
class CrossCheck:
    """One module, both ways."""

    module: str
    family: str
    #: Sum over its operators.
    summed: Cost
    #: What yosys makes of it in one piece.
    whole: Cost

    @property
    def ratio(self) -> float:
        """LUTs of the whole over those of the sum."""
        return self.whole.lut / self.summed.lut


def crosscheck(yosys: str) -> Iterator[CrossCheck]:
    """Synthesize every whole and sum it up."""
    for module, parts in WHOLES.items():
        for family in FAMILIES:
            sources = [*sorted(VERILOG.glob("*.v")), _FOLDER / f"{module}.v"]
            netlist = synthesize(yosys, sources, module, family, flat=True)
            summed = sum((each.cost(family) for each in parts()), Cost())
            yield CrossCheck(module, family, summed, count(netlist[module]))


def crosscheck_rows(yosys: str) -> list[tuple[str, ...]]:
    """Give header and rows of a table."""
    head = ("module", "family", "LUTs, sum", "LUTs, whole", "whole / sum", "FFs, sum", "FFs, whole")
    return [
        head,
        *(
            (
                each.module,
                each.family,
                f"{each.summed.lut:.0f}",
                f"{each.whole.lut:.0f}",
                f"{each.ratio:.2f}",
                f"{each.summed.ff:.0f}",
                f"{each.whole.ff:.0f}",
            )
            for each in crosscheck(yosys)
        ),
    ]
