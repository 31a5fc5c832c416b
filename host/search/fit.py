"""Choose a design for a network and a board.

The largest numbers of PEs that fit the board are tried, each with several widths of zero runs, by
the cycle model on a golden vector of the network; the design with the lowest predicted latency
wins. Its capacities are those of :mod:`eie.host.search.sizing`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DesignError, DoesNotFitError
from eie.hls.boundary.text import counted
from eie.hls.model.cycles import count_cycles
from eie.hls.model.load_sections import LoadSections
from eie.hls.model.memory_image import ResidentNetwork, read_sections
from eie.hls.model.resources import Estimate, Shortage, estimate, shortages
from eie.hls.spec.boards import BOARDS, Board, find_board
from eie.hls.spec.design import NO_BOARD, Design
from eie.host.network import Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import encode_network
from eie.host.packing.row_assignment import Assignment
from eie.host.search.sizing import (
    advice,
    beyond,
    may_be_compact,
    needed_accumulators,
    needs_of,
    size_on_board,
    with_capacities,
)

if TYPE_CHECKING:
    from eie.host.search.fit_tiled import PassCost, PassSearch

__all__ = ["Candidate", "Fit", "example_input", "fit"]

#: Queues deeper than the paper's 8 cost nothing up to 32: one shift register a bit (UG474).
_QUEUE_DEPTH = 32
#: Widths of zero runs that are tried; 7 bits take as much memory as 8.
_INDEX_BITS = (3, 4, 5, 6, 8)
#: Numbers of PEs, from the largest that fits downwards, of which the fastest is taken.
_COUNTS_LOOKED_AT = 3
#: Every number of PEs, the largest first.
_COUNTS = tuple(1 << power for power in range(8, -1, -1))
#: Designs that do not fit of which an explanation says what they lack.
_CLOSEST_SHOWN = 3
#: PEs of a design without a board: the paper's array.
_PES_WITHOUT_BOARD = 64
#: Share of non-zero activations assumed for a network without golden vectors.
_ASSUMED_DENSITY = 0.5


@dataclass(frozen=True)
class Candidate:
    """A design that was looked at."""

    design: Design
    #: Predicted cycles for one vector, or None where the design does not fit the board.
    cycles: int | None
    #: What board or design have too little of.
    shortages: tuple[Shortage, ...]

    @property
    def latency_us(self) -> float | None:
        """Predicted time of one vector in microseconds, at the design's clock."""
        return None if self.cycles is None else self.cycles / self.design.clock_mhz

    def __str__(self) -> str:
        design = self.design
        if design.board == NO_BOARD:
            what = "holds the network; no board to compare designs for"
        elif self.cycles is None:
            what = "; ".join(map(str, self.shortages))
        else:
            what = f"{counted(self.cycles, 'cycle')} a vector"
        return f"{_pes_aligned(design)}, {design.index_bits}-bit runs, {design.memory}: {what}"


@dataclass(frozen=True)
class Fit:
    """A chosen design, and why."""

    design: Design
    #: What it takes.
    estimate: Estimate
    #: All that was looked at, the chosen one included.
    candidates: tuple[Candidate, ...]
    #: What was looked at for a network that fits only in passes, the chosen one first.
    in_passes: tuple[PassCost, ...] = ()

    def explain(self) -> str:
        """Explain the choice in a few lines."""
        if self.in_passes:
            return self._explain_passes()
        chosen = next(c for c in self.candidates if c.design == self.design)
        lines = [
            f"{'->' if candidate.design == self.design else '  '} {candidate}"
            for candidate in self.candidates
            if not candidate.shortages
        ]
        lines += _do_not_fit([each for each in self.candidates if each.shortages])
        if chosen.cycles is not None:
            lines.append(
                f"lowest predicted latency: {chosen.latency_us:.1f} us "
                f"at {self.design.clock_mhz} MHz (a target: not synthesised)"
            )
        return "\n".join(lines + _on_the_clock(self.design))

    def _explain_passes(self) -> str:
        lines = ["no design of the board holds the network whole; in passes:"]
        for cost in self.in_passes:
            mark = "->" if cost.design == self.design else "  "
            lines.append(f"{mark} {_pes_aligned(cost.design)}, {cost.design.memory}: {cost}")
        from eie.host.search.fit_tiled import BATCH

        chosen = self.in_passes[0]
        lines.append(
            f"predicted: {chosen.batch_us(1):.0f} us for one vector, "
            f"{chosen.batch_us(BATCH) / BATCH:.0f} us a vector in a batch of {BATCH}, "
            f"at {self.design.clock_mhz} MHz (a target: not synthesised)"
        )
        return "\n".join(lines + _on_the_clock(self.design))


def fit(
    network: Network,
    board: str = NO_BOARD,
    *,
    assignment: Assignment = "balanced",
    passes: bool = False,
    **fixed: Any,
) -> Fit:
    """Choose a design that holds `network` on `board`.

    Parameters
    ----------
    network
        The network.
    board
        Name in :data:`eie.hls.spec.boards.BOARDS`, or ``"none"``.
    assignment
        How the network's rows will be dealt to PEs (:func:`eie.host.packing.packer.pack`).
    passes
        Where no design holds the whole network, choose one that runs it in passes
        (:mod:`eie.host.packing.tiling`).
    **fixed
        Parameters of :class:`~eie.hls.spec.design.Design` that are not to be chosen.

    Raises
    ------
    DesignError
        If a fixed parameter is unknown or out of range.
    DoesNotFitError
        If no design fits; says which resource is short, by how much at best, and what helps.
    """
    known = [field.name for field in dataclasses.fields(Design)]
    unknown = sorted(set(fixed) - set(known))
    if unknown:
        raise DesignError(f"parameters must be among {', '.join(known)}, not {', '.join(unknown)}")
    Design(**{"pes": 1, **fixed})  # a fixed value out of range is the caller's error
    if board == NO_BOARD:
        return _without_board(network, assignment, fixed)
    return _on_board(network, find_board(board), assignment, fixed, passes=passes)


def _without_board(network: Network, assignment: Assignment, fixed: dict[str, Any]) -> Fit:
    start = Design(**{"pes": _PES_WITHOUT_BOARD, **fixed, "board": NO_BOARD})
    packed = encode_network(network, start.pes, start.index_bits, assignment, start)
    design, lacking = size_on_board(packed, None, needed_accumulators(network), fixed)
    if lacking:
        raise DoesNotFitError(
            f"no design with {counted(start.pes, 'PE')}{_and_given(fixed, ' and ')} holds this "
            "network:\n"
            f"{_listing(lacking)}\n{advice(lacking, fixed, 'take other PEs', 'prune it further')}"
        )
    return Fit(design, estimate(design), (Candidate(design, None, ()),))


def _on_board(
    network: Network,
    board: Board,
    assignment: Assignment,
    fixed: dict[str, Any],
    *,
    passes: bool,
) -> Fit:
    from eie.host.search.fit_tiled import PassSearch

    look = _Search(network, board, assignment, fixed)
    counts = [fixed["pes"]] if "pes" in fixed else _COUNTS
    candidates = look.at(counts, _COUNTS_LOOKED_AT)
    fitting = [c for c in candidates if c.cycles is not None]
    if fitting:
        best = min(fitting, key=lambda c: (c.latency_us, estimate(c.design).bram18, c.design.pes))
        return Fit(best.design, estimate(best.design), tuple(candidates))
    in_passes = PassSearch(network, board, assignment, look.accumulators["accumulator_bits"], fixed)
    if passes and (costs := in_passes.costs(counts, example_input(network))):
        chosen = costs[0].design
        return Fit(chosen, estimate(chosen), tuple(candidates), tuple(costs))
    closest = min(candidates, key=lambda candidate: _excess(candidate, fixed))
    lacking = closest.shortages
    otherwise = []
    if any(shortage.resource not in fixed for shortage in lacking):
        otherwise = _ways(look, in_passes, counts, lacking, passes=passes)
    raise DoesNotFitError(
        f"no design for {board.title}{_and_given(fixed, ' with ')} holds this network; "
        f"the closest has {counted(closest.design.pes, 'PE')} and "
        f"{closest.design.index_bits}-bit zero runs:\n{_listing(lacking)}\n"
        + advice(lacking, fixed, *otherwise)
    )


def _ways(
    look: _Search,
    in_passes: PassSearch,
    counts: Sequence[int],
    lacking: tuple[Shortage, ...],
    *,
    passes: bool,
) -> list[str]:
    """What helps where the board has too little: only what is known to, as far as can be known."""
    ways = []
    # Fewer PEs first, the most of them, then more.
    others = sorted(set(_COUNTS) - set(counts), key=lambda pes: (pes > max(counts), -pes))
    fitting = [each for each in look.at(others, 1) if each.cycles is not None]
    if fitting:
        ways.append(f"give pes {fitting[0].design.pes}, which fits")
    elif not passes and in_passes.largest(counts):
        ways.append("run it in passes (passes=True)")
    elif pes := in_passes.largest(others):
        ways.append(f"give pes {pes}" + ("" if passes else " and run it in passes (passes=True)"))
    of_logic = any(shortage.resource.startswith(("LUT", "DSP")) for shortage in lacking)
    if not (others and of_logic):  # so many PEs are too large for the board with any network
        ways.append("prune it further")
    return [*ways, "take a larger board"]


@dataclass(frozen=True, eq=False)
class _Search:
    """Looks for designs that hold a network whole."""

    network: Network
    board: Board
    assignment: Assignment
    fixed: dict[str, Any]

    @functools.cached_property
    def accumulators(self) -> dict[str, int]:
        return needed_accumulators(self.network)

    def at(self, counts: Iterable[int], enough: int) -> list[Candidate]:
        """Look at designs with these numbers of PEs, until `enough` of the numbers fit."""
        candidates: list[Candidate] = []
        counts_that_fit = 0
        for pes in counts:
            looked_at = [
                _look_at(self.network, self.accumulators, self.board, self.assignment, start)
                for start in _starts(self.board, pes, self.fixed)
            ]
            candidates += looked_at
            counts_that_fit += any(candidate.cycles is not None for candidate in looked_at)
            if counts_that_fit == enough:
                break
        return candidates


def _look_at(
    network: Network,
    accumulators: dict[str, int],
    board: Board,
    assignment: Assignment,
    start: tuple[Design, dict[str, Any]],
) -> Candidate:
    """Size a design for the network, and predict its cycles if it fits."""
    design, fixed = start
    # Perfectly balanced, without padding and with short columns it would take this much: often
    # already too much.
    weights = sum(layer.nonzeros for layer in network.layers)
    design = design.replace(**{"length_bits": int(may_be_compact(fixed)), **fixed})
    needs = needs_of(design, network, -(-weights // design.pes)) | accumulators
    sized = with_capacities(design, needs, fixed)
    lacking = beyond(needs, fixed) + shortages(estimate(sized), board)
    if lacking:
        return Candidate(sized, None, lacking)
    packed = encode_network(network, design.pes, design.index_bits, assignment, design)
    sized, lacking = size_on_board(packed, board, accumulators, fixed)
    return Candidate(sized, None if lacking else _predict(packed, sized), lacking)


def _starts(board: Board, pes: int, fixed: dict[str, Any]) -> list[tuple[Design, dict[str, Any]]]:
    """Designs to size: every kind of memory and width of zero runs, with what is fixed in each."""
    memories = [fixed["memory"]] if "memory" in fixed else ["uram", "bram"][not board.uram :]
    widths = [fixed["index_bits"]] if "index_bits" in fixed else _INDEX_BITS
    starts = []
    for memory in memories:
        for width in widths:
            chosen: dict[str, Any] = {
                "queue_depth": _QUEUE_DEPTH,
                "clock_mhz": board.clock_mhz,
                **fixed,
                "pes": pes,
                "index_bits": width,
                "memory": memory,
                "board": board.name,
            }
            starts.append((Design(**chosen), chosen))
    return starts


def _predict(packed: PackedNetwork, design: Design) -> int:
    """Cycles of one vector by the cycle model."""
    sized = packed.on(design)
    resident = ResidentNetwork(
        sized.network_id,
        sized.input_beats,
        sized.output_beats,
        read_sections(design, LoadSections.parse(design, sized.sections)),
    )
    activations = resident.run(packed.in_order_sent(example_input(packed.network))).activations
    return count_cycles(design, resident, activations[:-1]).cycles


def example_input(network: Network) -> npt.NDArray[np.int16]:
    """The vector that cycles are predicted with, int16 of shape (1, inputs)."""
    if len(network.golden_inputs):
        return network.golden_inputs[:1]
    random = np.random.default_rng(0)
    codes = random.integers(1, 1 << 10, (1, network.inputs))
    return (codes * (random.random(codes.shape) < _ASSUMED_DENSITY)).astype(np.int16)


def _and_given(fixed: dict[str, Any], word: str) -> str:
    """Name what was fixed, which may be why nothing fits."""
    others = [f"{name} {value}" for name, value in fixed.items() if name not in ("pes", "board")]
    return word + ", ".join(others) if others else ""


def _pes_aligned(design: Design) -> str:
    return f"{counted(design.pes, 'PE'):>7}"


def _do_not_fit(candidates: Sequence[Candidate]) -> list[str]:
    """Lines on the closest of what does not fit, one for a number of PEs, and on how many remain.

    What is larger still lacks the same and more, which nobody reads twenty lines of.
    """
    shown: dict[int, Candidate] = {}
    for candidate in sorted(candidates, key=lambda candidate: _excess(candidate, {})):
        if len(shown) < _CLOSEST_SHOWN:
            shown.setdefault(candidate.design.pes, candidate)
    lines = [f"   {candidate}" for candidate in shown.values()]
    if more := len(candidates) - len(shown):
        lines.append(f"   and {counted(more, 'other design')} that {_do(more)} not fit either")
    return lines


def _do(count: int) -> str:
    return "does" if count == 1 else "do"


def _on_the_clock(design: Design) -> list[str]:
    """A line on a clock above the one that designs for the board start with."""
    board = BOARDS.get(design.board)
    if board is None or design.clock_mhz <= board.clock_mhz:
        return []
    return [
        f"{design.clock_mhz} MHz is a target that Vivado has to meet, which may be out of reach: "
        f"the starting clock for {board.title} is {board.clock_mhz} MHz"
    ]


def _listing(lacking: tuple[Shortage, ...]) -> str:
    return "\n".join(f"  - {shortage}" for shortage in lacking)


def _excess(candidate: Candidate, fixed: dict[str, Any]) -> tuple[bool, float]:
    """How far a candidate is from fitting, by what it lacks most.

    One that lacks only what the caller fixed is closer than any that lacks something else.
    """
    lacking = candidate.shortages
    return (
        any(shortage.resource not in fixed for shortage in lacking),
        max(shortage.needed / max(shortage.allowed, 1) for shortage in lacking),
    )
