"""Choose a design for a network that fits no design of a board whole: it will run in passes.

For each number of PEs the sparse matrix memory gets all that the board's budget leaves, the passes
are planned (:mod:`eie.host.packing.tiling`), and the judge chooses; if nobody asks for anything
else, by throughput in a batch, since weights are loaded once for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DesignError, DoesNotFitError
from eie.hls.model.area import LutBudget
from eie.hls.spec.boards import Board
from eie.hls.spec.design import RANGES, Design
from eie.host.network import Network
from eie.host.network.graph import cuts_of, part_of
from eie.host.packing.row_assignment import Assignment
from eie.host.packing.tiling import Plan, plan_passes
from eie.host.search.judge import Judge, Merit
from eie.host.search.prediction import vector_cycles_in_passes
from eie.host.search.sizing import (
    bounds_for,
    cell_units_for,
    may_be_compact,
    needs_of,
    result_depth_for,
    steps_of,
    with_capacities,
)
from eie.host.search.sparing import spared

__all__ = ["BATCH", "PassCost", "PassSearch"]

#: Vectors of the batch whose time decides.
BATCH = 64
#: Numbers of PEs, from the largest that fits downwards, that are looked at.
_COUNTS_LOOKED_AT = 3


@dataclass(frozen=True)
class PassCost:
    """What a network costs in passes on a design; cycles by the model, a load beat a cycle."""

    design: Design
    #: How many passes.
    passes: int
    #: Cycles to load all weights, once for each batch.
    load_cycles: int
    #: Cycles of one vector through all passes, its weights loaded.
    vector_cycles: int
    #: Cycles that pipeline stages add to a vector: assumed, not measured.
    allowance: int = 0

    def batch_us(self, batch: int) -> float:
        """Microseconds of a batch of vectors, the weights loaded once; at least."""
        return (self.load_cycles + batch * self.vector_cycles) / self.design.clock_mhz

    @property
    def latency_us(self) -> float:
        """Microseconds of one vector with all loads and the allowance for pipeline stages."""
        return self.batch_us(1) + self.allowance / self.design.clock_mhz

    @property
    def merit(self) -> Merit:
        """What it is judged by: one vector with all loads, and a share of a batch's."""
        return Merit.of(self.design, self.latency_us, self.batch_us(BATCH) / BATCH)


@dataclass(frozen=True, eq=False)
class PassSearch:
    """Looks for designs that run a network in passes."""

    #: The network.
    network: Network
    #: The board.
    board: Board
    #: How rows are dealt to PEs.
    assignment: Assignment
    #: Bits that the network's accumulators need.
    accumulator_bits: int
    #: Parameters that are not to be chosen.
    fixed: dict[str, Any]
    #: As :func:`eie.hls.model.area.demands` takes it.
    lut_budget: LutBudget = field(default_factory=LutBudget)

    def costs(
        self, counts: Sequence[int], inputs: npt.NDArray[np.int16], judge: Judge
    ) -> list[PassCost]:
        """Cost of the network on designs with these numbers of PEs, the best first.

        Parameters
        ----------
        counts
            Numbers of PEs to look at, the largest first, until enough of them can run the network.
        inputs
            int16, shape (1, inputs): a vector to count cycles with.
        judge
            What is better.

        Returns
        -------
        list of PassCost
            Empty if not even a few rows of a layer fit any design.
        """
        found: list[PassCost] = []
        counts_that_fit = 0
        # Small designs are slow, and may be what is asked for.
        enough = _COUNTS_LOOKED_AT if judge.goal != "area" else len(counts)
        for pes in counts:
            before = len(found)
            for plan in self._plans(pes):
                cycles, allowance = vector_cycles_in_passes(plan, inputs)
                found.append(
                    PassCost(plan.design, len(plan.passes), plan.load_cycles, cycles, allowance)
                )
            counts_that_fit += len(found) > before
            if counts_that_fit == enough:
                break
        return judge.sort(found, lambda cost: cost.merit)

    def largest(self, counts: Iterable[int]) -> int | None:
        """Find the first of these numbers of PEs with which the network runs in passes."""
        return next((pes for pes in counts if any(self._plans(pes))), None)

    def _plans(self, pes: int) -> Iterator[Plan]:
        """Plans on the largest design with so many PEs in each kind of memory."""
        every = ["uram", "bram"][not self.board.uram :]
        for memory in [self.fixed["memory"]] if "memory" in self.fixed else every:
            plan = self._plan({**self.fixed, "pes": pes, "memory": memory})
            if plan is not None:
                yield plan

    def _plan(self, start: dict[str, Any]) -> Plan | None:
        """Plan the passes on the largest design; None if not even a few rows of a layer fit it.

        How long columns are is known only once rows are dealt out, so lengths start with what
        chance makes likely.
        """
        chosen = "length_bits" not in start
        # A fixed number of pointers may make no whole words of compact ones; plain ones always do.
        widths = (range(3, 9) if may_be_compact(start) else (0,)) if chosen else ()
        for bits in widths or (start["length_bits"],):
            design = self._largest({**start, "length_bits": bits})
            if design is None:
                return None
            rows = max(design.rows_per_pe * design.pes, 1)
            if chosen and bits and _longest_expected(self.network, rows, design.pes) >= 1 << bits:
                continue
            try:
                return plan_passes(self.network, design, assignment=self.assignment)
            except DoesNotFitError:
                continue
        return None

    def _largest(self, start: dict[str, Any]) -> Design | None:
        """The design with most entries a PE that the board's budget holds, or None."""
        try:
            step = steps_of(self._begin(start, 1))["entries_per_pe"]
        except DesignError:
            return None
        # An upper end that no board exceeds keeps the search short.
        weights = max(layer.nonzeros for layer in self.network.layers)
        most = -(-weights // start["pes"] // step) + 1
        low, high = 0, min(RANGES["entries_per_pe"][1] // step, most)
        best: Design | None = None
        while low < high:
            steps = (low + high + 1) // 2
            wished = self._sized(start, steps * step)
            design, lacking = spared(wished, self.board, start, self.lut_budget)
            if not lacking:
                best, low = design, steps
            else:
                high = steps - 1
        return best

    def _sized(self, start: dict[str, Any], entries: int) -> Design:
        """A design with `entries` a PE, and all else as small as passes of that size need."""
        layers, probe = self.network.layers, Design(pes=start["pes"])
        ends = (*cuts_of(layers), len(layers))
        parts = [
            Network(part_of(layers, first, stop))
            for first, stop in zip((0, *ends), ends, strict=False)
        ]
        rows = biases = 1
        for part in parts:
            # Rows of a share whose weights would fill the matrix memories.
            weights = sum(layer.nonzeros for layer in part.layers)
            share = max(1, -(-weights // (probe.pes * entries))) if len(part.chains) == 1 else 1
            local = [probe.local_rows(-(-layer.rows // share)) for layer in part.layers]
            rows = max(rows, *local)
            ending = zip(local, part.layers, strict=True)
            biases = max(biases, sum(each for each, layer in ending if not layer.accumulate))
        design = self._begin(start, rows)
        needs = [needs_of(design, part, entries) for part in parts]
        hidden = [probe.local_rows(layer.rows) * probe.pes for layer in layers[:-1]]
        within = [
            each["hidden_activations"]
            for each, part in zip(needs, parts, strict=True)
            if len(part.chains) > 1
        ]
        wanted = {
            "entries_per_pe": entries,
            "pointers_per_pe": max(each["pointers_per_pe"] for each in needs),
            "rows_per_pe": rows,
            "biases_per_pe": max(2 * rows, biases),
            "layers": max(each["layers"] for each in needs),
            # Layers that stay together must have it; of others two, if there is room.
            "hidden_activations": max(1, min(hidden, default=0), *within),
            "held_activations": max(each["held_activations"] for each in needs),
            "accumulator_bits": self.accumulator_bits,
        }
        return with_capacities(design, wanted, start)

    def _begin(self, start: dict[str, Any], rows: int) -> Design:
        """A design whose capacities are still to be chosen, for `rows` rows in a PE."""
        chosen: dict[str, Any] = {
            "queue_depth": 32,
            "clock_mhz": self.board.clock_mhz,
            # Eight entries to a beat: loading is what passes cost.
            "index_bits": 4,
            "result_depth": result_depth_for(rows),
            "cell_units": cell_units_for(self.network, start["pes"]),
            "bounds": bounds_for(self.network),
            **start,
        }
        return Design(**{**chosen, "board": self.board.name})


def _longest_expected(network: Network, rows: int, pes: int) -> float:
    """Entries of a PE in the fullest column of a share of `rows` rows, if dealt by chance."""
    means = [
        float(np.diff(layer.indptr).max()) * min(rows / layer.rows, 1) / pes
        for layer in network.layers
    ]
    # Six deviations of a Poisson distribution above the mean: rare among any number of columns.
    return max(float(mean + 6 * mean**0.5 + 1) for mean in means)
