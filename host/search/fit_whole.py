"""Look for designs that hold a network whole, best first.

Every number of PEs is sized with several widths of zero runs, both kinds of memory and as many
vectors abreast as are asked for. Counting
cycles is what takes time, so designs are counted in the order of what they could be at best, until
no other can be better: what is found is the best of all by the judge, as if all had been counted.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eie.hls.boundary.errors import Shortage
from eie.hls.model.area import LutBudget
from eie.hls.spec.boards import Board
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.packed_layer import needs_cell
from eie.host.packing.packer import encode_network, knows_activity
from eie.host.packing.row_assignment import Assignment
from eie.host.search.candidate import Candidate
from eie.host.search.judge import Judge, Merit
from eie.host.search.prediction import Prediction, batch_vectors
from eie.host.search.sizing import (
    beyond,
    may_be_compact,
    needed_accumulators,
    needs_of,
    size_on_board,
    with_capacities,
)
from eie.host.search.sparing import spared

__all__ = ["COUNTS", "Sized", "WholeSearch", "best_of", "excess"]

#: Every number of PEs, the largest first.
COUNTS = tuple(1 << power for power in range(8, -1, -1))
#: Widths of zero runs that are tried; 7 bits take as much memory as 8.
_INDEX_BITS = (3, 4, 5, 6, 8)
#: Depths of queues that are tried. Up to 32 they take the same LUTs (a shift register a bit,
#: UG474) and the deeper is never slower for a vector alone, so the judge prefers 32 to anything
#: below. In a batch the order of turns may change with it, for a few per cent either way.
_QUEUE_DEPTHS = (32, 64)


@dataclass(eq=False)
class Sized:
    """A design with capacities for the network."""

    design: Design
    shortages: tuple[Shortage, ...]
    #: How to count its cycles; None where it was too large before anything was encoded.
    prediction: Prediction | None
    cycles: int | None = None
    batch_cycles: int | None = None

    @property
    def fits(self) -> bool:
        """Whether the board holds it."""
        return not self.shortages

    @functools.cached_property
    def at_best(self) -> Merit:
        """Its merit if nothing stalls."""
        assert self.prediction is not None
        design, least = self.design, self.prediction.least_cycles()
        batch = self.prediction.least_batch_cycles(design.abreast) / batch_vectors(design)
        alone = least + self.prediction.allowance(design)
        return Merit.of(design, alone / design.clock_mhz, batch / design.clock_mhz)

    @property
    def merit(self) -> Merit:
        """Its merit as far as it is counted, and at best where it is not."""
        clock, found = self.design.clock_mhz, self.at_best
        if self.cycles is not None:
            alone = self.cycles + self._allowance
            found = replace(found, latency_us=round(alone / clock, 3))
        if self.batch_cycles is not None:
            one = self.batch_cycles / batch_vectors(self.design)
            found = replace(found, batch_us=round(one / clock, 3))
        return found

    def counted_for(self, judge: Judge) -> bool:
        """Whether all is counted that `judge` asks for."""
        return self.cycles is not None and (
            judge.goal != "throughput" or self.batch_cycles is not None
        )

    def count(self, judge: Judge) -> Merit:
        """Count the cycles that `judge` asks for; gives the merit."""
        assert self.prediction is not None
        if judge.goal == "throughput":
            self.batch_cycles = self.prediction.batch_cycles(self.design)
        self.cycles = self.prediction.cycles(self.design)
        return self.merit

    def candidate(self) -> Candidate:
        """What is known of it."""
        return Candidate(
            self.design,
            self.cycles,
            self.shortages,
            self.batch_cycles,
            at_least=self.prediction is None,
            allowance=self._allowance,
        )

    @property
    def _allowance(self) -> int:
        """What pipeline stages add to a vector alone; 0 where nothing was encoded."""
        return 0 if self.prediction is None else self.prediction.allowance(self.design)


@dataclass(frozen=True, eq=False)
class WholeSearch:
    """Looks for designs that hold a network whole."""

    network: Network
    board: Board
    assignment: Assignment
    #: Parameters that are not to be chosen.
    fixed: dict[str, Any]
    #: As :func:`eie.hls.model.area.demands` takes it.
    lut_budget: LutBudget = field(default_factory=LutBudget)
    #: How many vectors may go abreast; each number is tried, but for networks that need a cell.
    abreast: tuple[int, ...] = (1,)

    @functools.cached_property
    def accumulators(self) -> dict[str, int]:
        """Width of the accumulators, by its name."""
        return needed_accumulators(self.network)

    def sized(self, counts: Iterable[int]) -> list[Sized]:
        """Size designs with these numbers of PEs for the network."""
        fixed = self.fixed
        widths = [fixed["index_bits"]] if "index_bits" in fixed else _INDEX_BITS
        return [each for pes in counts for width in widths for each in self._encoded(pes, width)]

    def first_fitting(self, counts: Iterable[int]) -> int | None:
        """Find the first of these numbers of PEs with which a design fits."""
        return next((n for n in counts if any(each.fits for each in self.sized([n]))), None)

    def exact(self, sized: Sized) -> Sized:
        """Encode the network for a design that was too large before it was."""
        if sized.prediction is not None:
            return sized
        design = sized.design
        start = self._start(design.pes, design.index_bits, design.memory, design.abreast)
        wanted = {**start, **self.fixed}
        packed = encode_network(self.network, design, self.assignment)
        design, lacking = self._size(packed, {**wanted, "queue_depth": design.queue_depth})
        return Sized(design, lacking, Prediction(packed))

    def _encoded(self, pes: int, width: int) -> list[Sized]:
        """Designs with so many PEs and so wide zero runs, which share an encoding."""
        fixed = self.fixed
        memories = (
            [fixed["memory"]] if "memory" in fixed else ["uram", "bram"][not self.board.uram :]
        )
        depths = [fixed["queue_depth"]] if "queue_depth" in fixed else _QUEUE_DEPTHS
        found: list[Sized] = []
        may_fit = []
        for memory, abreast in itertools.product(memories, self._abreast):
            start = {**self._start(pes, width, memory, abreast), "queue_depth": depths[0]}
            # Perfectly balanced, without padding and with short columns it would take this much:
            # often already too much.
            design, lacking = self._quick(start)
            if lacking:
                found.append(Sized(design, lacking, None))
            else:
                may_fit.append(start)
        if not may_fit:
            return found
        sized = self._sized_as(pes, width, may_fit, depths, by_activity=True)
        if knows_activity(self.network) and not any(each.fits for each in sized):
            # Without it the fullest PE holds fewer entries; the packer then packs so, too.
            sized = self._sized_as(pes, width, may_fit, depths, by_activity=False)
        return found + sized

    def _sized_as(
        self,
        pes: int,
        width: int,
        starts: Iterable[dict[str, Any]],
        depths: Sequence[int],
        *,
        by_activity: bool,
    ) -> list[Sized]:
        """Designs that start so, with capacities for one encoding."""
        design = Design(pes=pes, index_bits=width)
        packed = encode_network(self.network, design, self.assignment, by_activity=by_activity)
        prediction = Prediction(packed)
        found: list[Sized] = []
        for start in starts:
            for depth in depths:
                design, lacking = self._size(packed, {**start, "queue_depth": depth})
                found.append(Sized(design, lacking, prediction))
                if lacking:  # deeper queues take more still
                    break
        return found

    @functools.cached_property
    def _abreast(self) -> tuple[int, ...]:
        if "abreast" in self.fixed:
            return (self.fixed["abreast"],)
        one_by_one = any(map(needs_cell, self.network.layers)) or self.fixed.get("cell_units")
        return (1,) if one_by_one else self.abreast

    def _start(self, pes: int, width: int, memory: str, abreast: int) -> dict[str, Any]:
        """What is given of a design before it is sized."""
        chosen: dict[str, Any] = {"clock_mhz": self.board.clock_mhz, **self.fixed}
        return {
            **chosen,
            "pes": pes,
            "abreast": abreast,
            "index_bits": width,
            "memory": memory,
            "board": self.board.name,
        }

    def _quick(self, start: dict[str, Any]) -> tuple[Design, tuple[Shortage, ...]]:
        design = Design(**{"length_bits": int(may_be_compact(start)), **start})
        weights = sum(layer.nonzeros for layer in self.network.layers)
        needs = needs_of(design, self.network, -(-weights // design.pes)) | self.accumulators
        sized, over = spared(
            with_capacities(design, needs, start), self.board, start, self.lut_budget
        )
        return sized, beyond(needs, start) + over

    def _size(self, packed: Any, start: dict[str, Any]) -> tuple[Design, tuple[Shortage, ...]]:
        return size_on_board(packed, self.board, self.accumulators, start, self.lut_budget)


def best_of(sized: Sequence[Sized], judge: Judge) -> Sized | None:
    """The best of the designs that fit; counts only those that could be better than others."""
    best: tuple[tuple[Any, ...], Sized] | None = None
    fitting = [each for each in sized if each.fits]
    for each in judge.sort(fitting, lambda each: each.at_best):
        if best is not None and judge.key(each.at_best) > best[0]:
            break
        key = judge.key(each.count(judge))
        if best is None or key < best[0]:
            best = key, each
    return None if best is None else best[1]


def excess(lacking: Sequence[Shortage], fixed: dict[str, Any]) -> tuple[bool, float]:
    """How far a design is from fitting, by what it lacks most.

    One that lacks only what the caller fixed is closer than any that lacks something else.
    """
    return (
        any(shortage.resource not in fixed for shortage in lacking),
        max(shortage.needed / max(shortage.allowed, 1) for shortage in lacking),
    )
