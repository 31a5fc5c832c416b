"""How far the kernel could shrink: ``python -m calibration.floor``.

The changes of ``eie.hls.model.area.savings``, each alone and all together, by the sum over the
parts, for LeNet-300-100 on a PYNQ-Z2 with 16 and 32 PEs and on a KV260 with 64; what is left then,
block by block, and what a PE may take if the board's budget is to hold them. Where yosys is
installed, it measures what is written by hand for this (``calibration/alternatives``).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import small_networks
from calibration.netlist import count
from calibration.operators import VERILOG
from calibration.yosys import FAMILIES, find_yosys, synthesize, version_of
from eie.hls.boundary.errors import ToolError
from eie.hls.boundary.tables import as_text
from eie.hls.model.area.budget import LutBudget
from eie.hls.model.area.estimate import Estimate, estimate
from eie.hls.model.area.published import spread
from eie.hls.model.area.savings import SAVINGS, estimate_without
from eie.hls.spec.boards import DSP_BUDGET, MEMORY_BUDGET, find_board
from eie.hls.spec.design import Design
from eie.host.search.fit import fit

__all__ = ["alternative_rows", "change_rows", "rest_rows"]

#: What is wished for: a board, and PEs.
TARGETS = (("pynq-z2", 16), ("pynq-z2", 32), ("kv260", 64))
_FOLDER = Path(__file__).parent / "alternatives"
#: Modules of the folder, by what they are.
_ALTERNATIVES = {
    "write_back_half": "write-back: half a unit added, shift of up to 47",
    "write_back_bit": "write-back: the bit below added",
    "write_back_bit_15": "write-back: the bit below added, shift of up to 15",
    "write_back_dsp": "write-back: shift in DSP slices",
    "forwarding_zeros": "forwarding: zeros when the banks change sides",
    "forwarding_wait": "forwarding: a wait then",
    "forwarding_none": "forwarding: none, an entry waits",
    "pe_1": "PE with 1 lane",
    "pe_2": "PE with 2 lanes",
    "pe_4": "PE with 4 lanes",
}


@dataclass(frozen=True)
class Target:
    """A design that is wished for."""

    board: str
    pes: int
    design: Design

    @classmethod
    def of(cls, board: str, pes: int) -> Target:
        """LeNet-300-100 on so many PEs, whatever LUTs the board has."""
        network = small_networks.network(small_networks.NETWORKS[1])
        found = fit(network, board, pes=pes, lut_budget=1 << 30, lut_edge="low")
        return cls(board, pes, found.design)

    def __str__(self) -> str:
        return f"{self.pes} PEs, {find_board(self.board).title}"


def targets() -> list[Target]:
    """All of them."""
    return [Target.of(*each) for each in TARGETS]


def change_rows(wanted: Sequence[Target]) -> Iterator[tuple[str, ...]]:
    """Header; what each change saves a PE, alone, and LUTs that are expected with all so far."""
    heads = ["change", "files", "lines, about", "what it costs"]
    for each in wanted:
        heads += [f"saved a PE: {each}", "LUTs with all so far", "BRAM18"]
    yield tuple(heads)
    before = [estimate(each.design) for each in wanted]
    cells = ["as it is", "", "", ""]
    for one in before:
        cells += ["", f"{one.lut.expected:,}", f"{_bram18(one)}"]
    yield tuple(cells)
    made = []
    for saving in SAVINGS:
        if saving.beside:
            made.append(saving)
        cells = [saving.name, saving.where, f"{saving.lines}", saving.price]
        for each, one in zip(wanted, before, strict=True):
            alone = estimate_without(each.design, [saving])
            every = estimate_without(each.design, made)
            cells += [f"{(one.lut.parts - alone.lut.parts) / each.pes:,.0f}"]
            cells += [f"{every.lut.expected:,}", f"{_bram18(every)}"] if saving.beside else ["", ""]
        yield tuple(cells)
    cells = ["the board's budget", "", "", ""]
    for each in wanted:
        board = find_board(each.board)
        cells += ["", f"{LutBudget().allowed(board):,}", f"{int(2 * MEMORY_BUDGET * board.bram36)}"]
    yield tuple(cells)


def rest_rows(wanted: Sequence[Target]) -> Iterator[tuple[str, ...]]:
    """Header; what is left with all changes made, and what a PE may take."""
    yield ("left, LUTs by parts", *(str(each) for each in wanted))
    made = [each for each in SAVINGS if each.beside]
    left = [estimate_without(each.design, made) for each in wanted]
    names = ("multiply_accumulate", "column_fetch", "stream queue", "stream work", "stream results")
    for name in names:
        ones = (next(row.one.lut for row in each.rows if row.name == name) for each in left)
        yield (f"{name}, each", *(f"{one:,.0f}" for one in ones))
    yield (
        "trees, a PE",
        *(f"{_trees(found) / each.pes:,.0f}" for each, found in zip(wanted, left, strict=True)),
    )
    yield (
        "all of a PE",
        *(f"{_of_pes(found) / each.pes:,.0f}" for each, found in zip(wanted, left, strict=True)),
    )
    yield ("what there is once", *(f"{found.lut.parts - _of_pes(found):,.0f}" for found in left))
    yield (
        "a PE may take",
        *(f"{_may_take(each, found):,.0f}" for each, found in zip(wanted, left, strict=True)),
    )
    yield ("DSP", *(f"{found.dsp}" for found in left))
    yield (
        "DSP that the budget allows",
        *(f"{int(DSP_BUDGET * find_board(each.board).dsp)}" for each in wanted),
    )


def alternative_rows(yosys: str) -> Iterator[tuple[str, ...]]:
    """Header; what yosys makes of what is written by hand."""
    heads = [f"{family}: {what}" for family in FAMILIES for what in ("LUTs", "FFs", "DSP")]
    yield ("module", *heads)
    sources = [*sorted(VERILOG.glob("*.v")), *sorted(_FOLDER.glob("*.v"))]
    for module, text in _ALTERNATIVES.items():
        cells = [text]
        for family in FAMILIES:
            cost = count(synthesize(yosys, sources, module, family, flat=True)[module])
            cells += [f"{cost.lut:.0f}", f"{cost.ff:.0f}", f"{cost.dsp}"]
        yield tuple(cells)


def _bram18(found: Estimate) -> int:
    return sum(row.all.bram18 for row in found.rows)


def _trees(found: Estimate) -> float:
    """LUTs of the trees, by parts."""
    names = ("broadcast", "gather", "merge", "stream branch", "stream beats", "stream words",
             "stream merged")  # fmt: skip
    return sum(row.all.lut for row in found.rows if row.name.startswith(names))


def _of_pes(found: Estimate) -> float:
    """LUTs of what there is more of with more PEs, by parts."""
    names = ("multiply_accumulate", "column_fetch", "stream queue", "stream work", "stream results")
    return _trees(found) + sum(row.all.lut for row in found.rows if row.name in names)


def _may_take(target: Target, found: Estimate) -> float:
    """LUTs of a PE, by parts, with which the budget holds all of them."""
    allowed = LutBudget().allowed(find_board(target.board))
    around = sum(row.all.lut for row in found.rows if not row.kernel)
    once = found.lut.parts - _of_pes(found) - around
    return ((allowed - around) / spread("lut").expected - once) / target.pes


def main() -> int:
    """Print the tables."""
    wanted = targets()
    print(as_text(list(change_rows(wanted))))
    print()
    print(as_text(list(rest_rows(wanted))))
    try:
        yosys = find_yosys()
    except ToolError as error:
        print(f"\nwhat is written by hand is left out: {error}", file=sys.stderr)
        return 0
    print(f"\nWritten by hand, {version_of(yosys)}:\n")
    print(as_text(list(alternative_rows(yosys))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
