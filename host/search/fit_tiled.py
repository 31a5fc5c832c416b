"""Choose a design for a network that fits no design of a board whole: it will run in passes.

For each number of PEs the sparse matrix memory gets all that the board's budget leaves, the passes
are planned (:mod:`eie.host.packing.tiling`), and the design is taken that is fastest for a batch,
since weights are loaded once for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DesignError, DoesNotFitError
from eie.hls.model.resources import estimate, shortages
from eie.hls.spec.boards import Board
from eie.hls.spec.design import RANGES, Design
from eie.host.network import Network
from eie.host.packing.row_assignment import Assignment
from eie.host.packing.tiling import Plan, plan_passes
from eie.host.run.batch import emulate_plan
from eie.host.search.sizing import may_be_compact

__all__ = ["BATCH", "PassCost", "PassSearch"]

#: Vectors of the batch whose time decides.
BATCH = 64
#: Numbers of PEs, from the largest that fits downwards, of which the fastest is taken.
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

    def batch_us(self, batch: int) -> float:
        """Microseconds of a batch of vectors, the weights loaded once."""
        return (self.load_cycles + batch * self.vector_cycles) / self.design.clock_mhz

    def __str__(self) -> str:
        passes = "1 pass" if self.passes == 1 else f"{self.passes} passes"
        return (
            f"{passes}; loading them takes {self.load_cycles} cycles a batch, "
            f"a vector {self.vector_cycles}"
        )


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

    def costs(self, counts: Iterable[int], inputs: npt.NDArray[np.int16]) -> list[PassCost]:
        """Cost of the network on designs with these numbers of PEs, fastest for a batch first.

        Parameters
        ----------
        counts
            Numbers of PEs to look at, until enough of them can run the network.
        inputs
            int16, shape (1, inputs): a vector to count cycles with.

        Returns
        -------
        list of PassCost
            Empty if not even a few rows of a layer fit any design.
        """
        found: list[PassCost] = []
        counts_that_fit = 0
        for pes in counts:
            before = len(found)
            for plan in self._plans(pes):
                report = emulate_plan(plan, inputs).report
                assert report is not None
                cycles = report.total_cycles - report.load_cycles
                found.append(PassCost(plan.design, len(plan.passes), plan.load_cycles, cycles))
            counts_that_fit += len(found) > before
            if counts_that_fit == _COUNTS_LOOKED_AT:
                break
        return sorted(found, key=lambda cost: cost.batch_us(BATCH))

    def largest(self, counts: Iterable[int]) -> int | None:
        """Find the first of these numbers of PEs with which the network runs in passes."""
        return next((pes for pes in counts if any(self._plans(pes))), None)

    def _plans(self, pes: int) -> Iterator[Plan]:
        """Plans on the largest design with so many PEs in each kind of memory."""
        fixed = self.fixed
        every = ["uram", "bram"][not self.board.uram :]
        for memory in [fixed["memory"]] if "memory" in fixed else every:
            start = {**fixed, "pes": pes, "memory": memory}
            plan = _plan(self.network, self.board, start, self.accumulator_bits, self.assignment)
            if plan is not None:
                yield plan


def _plan(
    network: Network,
    board: Board,
    start: dict[str, Any],
    accumulator_bits: int,
    assignment: Assignment,
) -> Plan | None:
    """Plan the passes on the largest design; None if not even a few rows of a layer fit it.

    How long columns are is known only once rows are dealt out, so lengths start with what chance
    makes likely.
    """
    chosen = "length_bits" not in start
    # A fixed number of pointers may make no whole words of compact ones; plain ones always do.
    widths = (range(3, 9) if may_be_compact(start) else (0,)) if chosen else (start["length_bits"],)
    for bits in widths:
        design = _largest(network, board, {**start, "length_bits": bits}, accumulator_bits)
        if design is None:
            return None
        rows = max(design.rows_per_pe * design.pes, 1)
        if chosen and bits and _longest_expected(network, rows, design.pes) >= 1 << bits:
            continue
        try:
            return plan_passes(network, design, assignment=assignment)
        except DoesNotFitError:
            continue
    return None


def _longest_expected(network: Network, rows: int, pes: int) -> float:
    """Entries of a PE in the fullest column of a share of `rows` rows, if dealt by chance."""
    means = [
        float(np.diff(layer.indptr).max()) * min(rows / layer.rows, 1) / pes
        for layer in network.layers
    ]
    # Six deviations of a Poisson distribution above the mean: rare among any number of columns.
    return max(float(mean + 6 * mean**0.5 + 1) for mean in means)


def _largest(
    network: Network, board: Board, start: dict[str, Any], accumulator_bits: int
) -> Design | None:
    """The design with most entries a PE that the board's budget holds, or None."""
    step = (4096 if start["memory"] == "uram" else 512) * 8
    low, high = 0, RANGES["entries_per_pe"][1] // step
    # An upper end that no board exceeds keeps the search short.
    high = min(
        high, -(-max(layer.nonzeros for layer in network.layers) // start["pes"] // step) + 1
    )
    best: Design | None = None
    while low < high:
        steps = (low + high + 1) // 2
        design = _sized(network, board, start, steps * step, accumulator_bits)
        if design is not None and not shortages(estimate(design), board):
            best, low = design, steps
        else:
            high = steps - 1
    return best


def _sized(
    network: Network, board: Board, start: dict[str, Any], entries: int, accumulator_bits: int
) -> Design | None:
    """A design with `entries` a PE, and everything else as small as passes of that size need."""
    pes = start["pes"]
    probe = Design(pes=pes)
    rows = 1
    for layer in network.layers:
        # Rows of a share whose weights would fill the matrix memories.
        share = max(1, -(-layer.nonzeros // (pes * entries)))
        rows = max(rows, probe.local_rows(-(-layer.rows // share)))
    hidden = [probe.local_rows(layer.rows) * pes for layer in network.layers[:-1]]
    smallest = min(hidden, default=0)
    sizes: dict[str, Any] = {
        "queue_depth": 32,
        "clock_mhz": board.clock_mhz,
        # Eight entries to a beat: loading is what passes cost.
        "index_bits": 4,
        "entries_per_pe": entries,
        # A plain layer has a pointer more than columns.
        "pointers_per_pe": _round_up(
            max(layer.columns for layer in network.layers) + (not start["length_bits"]), 2048
        ),
        "rows_per_pe": _round_up(rows, 16),
        "biases_per_pe": _round_up(2 * rows, 16),
        "layers": 8,
        "hidden_activations": max(4096, _round_up(smallest, 512)),
        "result_depth": max(2, min(_round_up(rows, 32), 256)),
        "accumulator_bits": max(32, _round_up(accumulator_bits, 4)),
        "board": board.name,
        **start,
    }
    try:
        return Design(**sizes)
    except DesignError:
        return None


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
