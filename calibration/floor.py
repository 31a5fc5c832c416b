"""How far the kernel could shrink: ``python -m calibration.floor``.

The changes of ``eie.hls.model.area.savings``, each alone and all together, by the sum over the
parts, for LeNet-300-100 on a PYNQ-Z2 with 16 and 32 PEs and on a KV260 with 64; what is left then,
block by block, and what a PE may take if the board's budget is to hold them. Where yosys is
installed, it measures what is written by hand for this (``calibration/alternatives``).
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import small_networks
from calibration.netlist import count
from calibration.operators import VERILOG
from calibration.yosys import FAMILIES, find_yosys, synthesize, version_of
from eie.hls.boundary.errors import ToolError
from eie.hls.model.area.budget import LutBudget
from eie.hls.model.area.estimate import Estimate, estimate
from eie.hls.model.area.published import spread
from eie.hls.model.area.savings import SAVINGS, Saving, estimate_without
from eie.hls.model.cycles import Kernel, count_cycles
from eie.hls.model.gather_times import Gather
from eie.hls.model.pe_times import Pes
from eie.hls.model.resident_network import ResidentNetwork
from eie.hls.spec.boards import DSP_BUDGET, MEMORY_BUDGET, find_board
from eie.hls.spec.design import Design
from eie.hls.spec.matrix_format import decode
from eie.host.search.fit import fit

__all__ = ["alternative_rows", "change_rows", "price_rows", "rest_rows"]

#: What is wished for: a board, and PEs.
TARGETS = (("pynq-z2", 16), ("pynq-z2", 32), ("kv260", 64))
_FOLDER = Path(__file__).parent / "alternatives"
#: Modules of the folder, by what they are.
_ALTERNATIVES = {
    "write_back_half": "write-back: half a unit added, shift of up to 47",
    "write_back_bit": "write-back: the bit below added",
    "write_back_bit_15": "write-back: the bit below added, shift of up to 15",
    "write_back_dsp": "write-back: shift in DSP slices, of up to 47",
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
    for number, saving in enumerate(SAVINGS):
        cells = [saving.name, saving.where, f"{saving.lines}", saving.price]
        for each, one in zip(wanted, before, strict=True):
            alone = estimate_without(each.design, [saving])
            cells += [f"{(one.lut.parts - alone.lut.parts) / each.pes:,.0f}"]
            made = _made(each, SAVINGS[: number + 1])
            every = estimate_without(each.design, made)
            counts = saving in made
            cells += [f"{every.lut.expected:,}", f"{_bram18(every)}"] if counts else ["-", "-"]
        yield tuple(cells)
    cells = ["the board's budget", "", "", ""]
    for each in wanted:
        cells += [
            "",
            f"{LutBudget().allowed(find_board(each.board)):,}",
            f"{_allowed_bram18(each)}",
        ]
    yield tuple(cells)


def _made(target: Target, savings: Sequence[Saving]) -> list[Saving]:
    """Those that are worth their price, and take no more block RAM than the board has."""
    made: list[Saving] = []
    for saving in savings:
        every = [*made, saving]
        if saving.beside and _bram18(estimate_without(target.design, every)) <= _allowed_bram18(
            target
        ):
            made = every
    return made


def _allowed_bram18(target: Target) -> int:
    return 2 * int(MEMORY_BUDGET * find_board(target.board).bram36)


def rest_rows(wanted: Sequence[Target]) -> Iterator[tuple[str, ...]]:
    """Header; what is left with all changes made, and what a PE may take."""
    yield ("left, LUTs by parts", *(str(each) for each in wanted))
    left = [estimate_without(each.design, _made(each, SAVINGS)) for each in wanted]
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


def price_rows() -> Iterator[tuple[str, ...]]:
    """Header; what two of the changes cost in cycles of a batch, on 16 PEs."""
    yield ("network", "cycles of a vector", "rows wait", "entries wait: iterations more")
    for small in small_networks.NETWORKS:
        found = small_networks.batch(small, 16)
        resident = found.emulator.resident
        assert resident is not None
        now = count_cycles(found.packed.design, resident, found.activations).cycles
        waiting = _WaitingKernel(found.packed.design, resident).run(found.activations).cycles
        yield (
            small.name,
            f"{now / small_networks.VECTORS:.0f}",
            f"{100 * waiting / now - 100:+.1f} %",
            f"{100 * _waits(found):+.1f} %",
        )


class _WaitingPes(Pes):
    """PEs whose layers end only when the zeros of the rows before are in the memory."""

    def write_back(self, rows: int, gather: Gather) -> Iterator[None]:
        yield from super().write_back(rows, gather)
        self._last_free = self._last_free + self._write_latency


class _WaitingKernel(Kernel):
    """The kernel with such PEs."""

    def __init__(self, design: Design, network: ResidentNetwork) -> None:
        super().__init__(design, network, network.whole())
        self._pes = _WaitingPes(design)


def _waits(found: small_networks.Batch, vectors: int = 4) -> float:
    """Iterations more, over those with an entry, if an entry of a recent row waits."""
    latency = found.packed.design.write_latency
    entries = waits = 0
    for layer, values in zip(found.packed.layers, found.activations, strict=True):
        slots, columns, _ = decode(layer.encoded)
        rows, of_pe = slots // layer.encoded.pes, slots % layer.encoded.pes
        order = np.lexsort((rows, columns))
        for vector, pe in itertools.product(values[:vectors], range(layer.encoded.pes)):
            mine = order[(of_pe[order] == pe) & (vector[columns[order]] != 0)]
            written: dict[int, int] = {}
            at = 0
            for row in rows[mine].tolist():
                free = written.get(row, -latency - 1) + latency + 1
                waits += max(0, free - at)
                at = max(at, free)
                written[row] = at
                at += 1
            entries += len(mine)
    return waits / entries


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
    for rows in (change_rows(wanted), rest_rows(wanted), price_rows()):
        _print_table(rows)
    try:
        yosys = find_yosys()
    except ToolError as error:
        print(f"\nwhat is written by hand is left out: {error}", file=sys.stderr)
        return 0
    print(f"Written by hand, {version_of(yosys)}:\n")
    _print_table(alternative_rows(yosys))
    return 0


def _print_table(rows: Iterator[tuple[str, ...]]) -> None:
    head = next(rows)
    for cells in (head, ("---",) * len(head), *rows):
        print("| " + " | ".join(cells) + " |", flush=True)
    print()


if __name__ == "__main__":
    sys.exit(main())
