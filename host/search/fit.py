"""Choose a design for a network and a board, and say why.

What is better is the judge's to say (:mod:`eie.host.search.judge`), the same as for exploring: of
every number of PEs with several widths of zero runs, depths of queues and kinds of memory
(:mod:`eie.host.search.fit_whole`), the best is taken. Capacities are those of
:mod:`eie.host.search.sizing`, cycles those of :mod:`eie.host.search.prediction`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eie.hls.boundary.errors import DesignError, InputError
from eie.hls.boundary.tables import as_html
from eie.hls.boundary.voice import argument
from eie.hls.model.area import JUDGED, Edge, Estimate, LutBudget, demands, estimate
from eie.hls.spec.boards import BOARDS, Board, find_board
from eie.hls.spec.design import NO_BOARD, RANGES, Design
from eie.host.network import Network
from eie.host.packing.packed_layer import needs_cell
from eie.host.packing.packer import encode_network, knows_activity
from eie.host.packing.row_assignment import Assignment
from eie.host.search import explain
from eie.host.search.candidate import Candidate
from eie.host.search.fit_tiled import PassCost, PassSearch
from eie.host.search.fit_whole import COUNTS, Sized, WholeSearch, best_of, excess
from eie.host.search.judge import BY_LATENCY, GOALS, Goal, Judge, Merit, check_lut_budget
from eie.host.search.prediction import example_input
from eie.host.search.reasons import (
    Alternative,
    ClockTarget,
    LimitOfLatency,
    LimitOfSize,
    LimitOfSpeed,
    MorePes,
    NoDesign,
    Reason,
    Spared,
    Tie,
    Way,
)
from eie.host.search.refusal import NoDesignError
from eie.host.search.sizing import needed_accumulators, size_on_board, ways_out
from eie.host.search.sparing import SPARED

__all__ = ["Candidate", "Fit", "NoDesignError", "fit"]

#: Numbers of PEs too large for the board of which the closest design is sized exactly.
_CLOSEST_SIZED = 3
#: PEs of a design without a board: the paper's array.
_PES_WITHOUT_BOARD = 64
#: What asks for a choice among a board's designs.
_GIVEN = ("goal", "latency_us", "lut_budget", "lut_edge")
#: Parameters that the search chooses, which may tie.
_CHOSEN = ("abreast", "index_bits", "memory", "queue_depth")
#: Vectors abreast that are tried where a batch is what counts: a vector alone gains nothing.
_ABREAST = (1, 2, 4)


@dataclass(frozen=True)
class Fit:
    """A chosen design, and why."""

    design: Design
    #: What it takes.
    estimate: Estimate
    #: All that was counted or does not fit, the chosen one included.
    candidates: tuple[Candidate, ...]
    #: What was looked at for a network that fits only in passes, the chosen one first.
    in_passes: tuple[PassCost, ...] = ()
    #: By what it was chosen.
    judge: Judge = BY_LATENCY
    #: Why it, as data; :meth:`explain` says it in words.
    reasons: tuple[Reason, ...] = ()

    @property
    def chosen(self) -> Candidate:
        """The candidate that was chosen; of a network in passes there is none.

        Raises
        ------
        InputError
            If the network runs in passes.
        """
        for candidate in self.candidates:
            if candidate.design == self.design:
                return candidate
        raise InputError("the network runs in passes: see in_passes")

    def explain(self) -> str:
        """Explain the choice in a few lines."""
        if self.in_passes:
            lines = explain.pass_lines(self.in_passes)
        else:
            lines = explain.candidate_lines(self.design, self.candidates, self.judge)
        return "\n".join([*lines, *explain.reason_lines(self.reasons)])

    def __str__(self) -> str:
        return self.explain()

    def _repr_html_(self) -> str:
        rows = [(line,) for line in self.explain().splitlines()]
        return self.design._repr_html_() + as_html(rows)


def fit(
    network: Network,
    board: str = NO_BOARD,
    *,
    assignment: Assignment = "balanced",
    passes: bool = False,
    goal: Goal | None = None,
    latency_us: float | None = None,
    lut_budget: float | None = None,
    lut_edge: Edge | None = None,
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
    goal
        ``"latency"`` of one vector, ``"throughput"`` in a batch, or ``"area"``. None for latency;
        for area if `latency_us` is given; and for throughput of a network that runs in passes.
    latency_us
        Microseconds of one vector that the design should not exceed: the smallest that does not is
        chosen, or the one that comes closest.
    lut_budget
        LUTs that the design may take: a share of the board's up to 1, or a number of LUTs above.
        None for :data:`eie.hls.spec.boards.LUT_BUDGET`.
    lut_edge
        Which number of the estimate's range of LUTs must keep to it: ``"low"``, ``"expected"`` or
        ``"high"``. None for :data:`eie.hls.model.area.JUDGED`.
    **fixed
        Parameters of :class:`~eie.hls.spec.design.Design` that are not to be chosen.

    Returns
    -------
    Fit
        The design, what was looked at, and the reasons.

    Raises
    ------
    DesignError
        If a fixed parameter is unknown or out of range.
    InputError
        If goal, limit or budget are none, or given without a board.
    DoesNotFitError
        If no design fits; carries what is short and what helps (:class:`NoDesignError`).
    """
    known = [field.name for field in dataclasses.fields(Design)]
    unknown = sorted(set(fixed) - set(known))
    if unknown:
        raise DesignError(f"parameters must be among {', '.join(known)}, not {', '.join(unknown)}")
    Design(**{"pes": 1, **fixed})  # a fixed value out of range is the caller's error
    _check_abreast(network, fixed)
    judge = Judge(goal or ("latency" if latency_us is None else "area"), latency_us)
    check_lut_budget(lut_budget, lut_edge)
    if board == NO_BOARD:
        if any(each is not None for each in (goal, latency_us, lut_budget, lut_edge)):
            raise InputError(
                f"{', '.join(map(argument, _GIVEN))} must be given with a board: without one there "
                "is nothing to choose among"
            )
        return _without_board(network, assignment, fixed)
    budget = LutBudget(lut_budget, lut_edge or JUDGED)
    abreast = _ABREAST if judge.goal == "throughput" else (1,)
    look = WholeSearch(network, find_board(board), assignment, fixed, budget, abreast)
    return _on_board(look, judge, passes=passes, pass_judge=Judge(goal or "throughput", latency_us))


def _check_abreast(network: Network, fixed: dict[str, Any]) -> None:
    """Refuse vectors abreast for a network that needs a cell unit, which takes one at a time."""
    functions = [layer for layer in network.layers if needs_cell(layer)]
    abreast = fixed.get("abreast", 1)
    if functions and abreast > 1:
        raise DesignError(
            f"abreast must be 1 for a network with the function {functions[0].activation!r} (layer "
            f"{functions[0].name!r}), not {abreast}: a cell unit takes one vector at a time"
        )


def _without_board(network: Network, assignment: Assignment, fixed: dict[str, Any]) -> Fit:
    start = Design(**{"pes": _PES_WITHOUT_BOARD, **fixed, "board": NO_BOARD})
    accumulators = needed_accumulators(network)
    packed = encode_network(network, start, assignment)
    design, lacking = size_on_board(packed, None, accumulators, fixed)
    if lacking and knows_activity(network):
        packed = encode_network(network, start, assignment, by_activity=False)
        design, lacking = size_on_board(packed, None, accumulators, fixed)
    if lacking:
        ways = ways_out(lacking, fixed, Way("other pes"), Way("prune"))
        raise NoDesignError(NoDesign(NO_BOARD, design, tuple(fixed.items()), lacking, ways))
    return Fit(design, estimate(design), (Candidate(design, None, ()),))


def _on_board(look: WholeSearch, judge: Judge, *, passes: bool, pass_judge: Judge) -> Fit:
    counts = [look.fixed["pes"]] if "pes" in look.fixed else COUNTS
    sized = look.sized(counts)
    best = best_of(sized, judge)
    if best is not None:
        return _chosen(look, judge, sized, best)
    search = PassSearch(
        look.network,
        look.board,
        look.assignment,
        look.accumulators["accumulator_bits"],
        look.fixed,
        look.lut_budget,
    )
    if passes and (costs := search.costs(counts, example_input(look.network), pass_judge)):
        design, needs = costs[0].design, estimate(costs[0].design)
        candidates = tuple(each.candidate() for each in sized)
        reasons: list[Reason] = [
            *_limit_of_latency(pass_judge, costs[0].merit),
            _limit_of_size(look, needs),
            *_spared(look, design),
            *_clock_target(design),
        ]
        return Fit(design, needs, candidates, tuple(costs), pass_judge, tuple(reasons))
    rough = min(sized, key=lambda each: excess(each.shortages, look.fixed))
    closest = look.exact(rough)
    lacking = closest.shortages
    otherwise = []
    if any(shortage.resource not in look.fixed for shortage in lacking):
        otherwise = _ways(look, search, counts, rough, passes=passes)
    ways = ways_out(lacking, look.fixed, *otherwise)
    raise NoDesignError(
        NoDesign(look.board.name, closest.design, tuple(look.fixed.items()), lacking, ways)
    )


def _ways(
    look: WholeSearch,
    in_passes: PassSearch,
    counts: Sequence[int],
    rough: Sized,
    *,
    passes: bool,
) -> list[Way]:
    """What helps where the board has too little: only what is known to, as far as can be known."""
    ways = []
    # Fewer PEs first, the most of them, then more.
    others = sorted(set(COUNTS) - set(counts), key=lambda pes: (pes > max(counts), -pes))
    if pes := look.first_fitting(others):
        ways.append(Way("other pes", (("pes", pes),)))
    elif not passes and in_passes.largest(counts):
        ways.append(Way("passes"))
    elif pes := in_passes.largest(others):
        ways.append(Way("give" if passes else "pes and passes", (("pes", pes),)))
    of_logic = any(each.resource.startswith(("LUT", "DSP")) for each in rough.shortages)
    if not (others and of_logic):  # so many PEs are too large for the board with any network
        ways.append(Way("prune"))
    return [*ways, Way("larger board")]


def _chosen(look: WholeSearch, judge: Judge, sized: list[Sized], best: Sized) -> Fit:
    """Put the answer together; what its reasons rest on is counted or sized now."""
    others = [each for each in sized if each.design.pes != best.design.pes]
    found: dict[Goal, Sized | None] = {}
    for goal in GOALS:
        # A batch takes long to count: of what is no goal only the fastest of each size is.
        slow = goal == "throughput" and judge.goal != goal
        among = _fastest_of_each_size(others) if slow else others
        found[goal] = best_of(among, Judge(goal, judge.latency_us))
    sized = _with_exact(look, sized)
    reasons: list[Reason] = [
        *_limit_of_latency(judge, best.merit),
        _limit_of_size(look, estimate(best.design)),
        _limit_of_speed(best),
        *_spared(look, best.design),
        _more_pes(look, judge, sized, best),
        *_ties(judge, [each for each in sized if each.counted_for(judge)], best),
        *(Alternative(goal, each.candidate()) for goal, each in found.items() if each),
        *_clock_target(best.design),
    ]
    candidates = tuple(
        each.candidate() for each in sized if each.cycles is not None or each.shortages
    )
    return Fit(best.design, estimate(best.design), candidates, (), judge, tuple(reasons))


def _fastest_of_each_size(sized: list[Sized]) -> list[Sized]:
    counted = [each for each in sized if each.cycles is not None]
    counted.sort(key=lambda each: Judge("latency").key(each.merit))
    return list({each.design.pes: each for each in reversed(counted)}.values())


def _with_exact(look: WholeSearch, sized: list[Sized]) -> list[Sized]:
    """Size the closest of what is too large exactly, for the next larger numbers of PEs."""
    fitting = {each.design.pes for each in sized if each.fits}
    closest: dict[int, int] = {}
    order = sorted(
        (n for n, each in enumerate(sized) if not each.fits),
        key=lambda n: excess(sized[n].shortages, {}),
    )
    for number in order:
        pes = sized[number].design.pes
        if pes not in fitting and len(closest) < _CLOSEST_SIZED:
            closest.setdefault(pes, number)
    exact = list(sized)
    for number in closest.values():
        exact[number] = look.exact(sized[number])
    return exact


def _limit_of_size(look: WholeSearch, needs: Estimate) -> LimitOfSize:
    every = demands(needs, look.board, look.lut_budget)
    scarcest = max(every, key=lambda each: each.takes / max(each.allowed, 1))
    others = tuple(each for each in every if each != scarcest)
    return LimitOfSize(scarcest, others, needs.lut, look.lut_budget.edge)


def _limit_of_speed(best: Sized) -> LimitOfSpeed:
    assert best.prediction is not None
    assert best.cycles is not None
    paths = best.prediction.path_cycles()
    return LimitOfSpeed(best.cycles, max(paths, key=lambda path: paths[path]), paths)


def _spared(look: WholeSearch, design: Design) -> list[Spared]:
    """What the design does without, unless the caller fixed it so."""
    parameters, allowed = design.parameters(), look.lut_budget.allowed(look.board)
    found = []
    for name, sparing in SPARED.items():
        if name not in look.fixed and parameters[name] == sparing:
            otherwise = estimate(design.replace(**{name: 1 - sparing}))
            takes = otherwise.lut.at(look.lut_budget.edge)
            found.append(Spared(name, sparing, 1 - sparing, takes, allowed))
    return found


def _limit_of_latency(judge: Judge, merit: Merit) -> list[LimitOfLatency]:
    if judge.latency_us is None:
        return []
    return [LimitOfLatency(judge.latency_us, merit.latency_us)]


def _more_pes(look: WholeSearch, judge: Judge, sized: list[Sized], best: Sized) -> MorePes:
    """Why not twice the PEs."""
    twice = 2 * best.design.pes
    if "pes" in look.fixed:
        return MorePes(twice, "fixed")
    if twice > RANGES["pes"][1]:
        return MorePes(twice, "range")
    so_many = [each for each in sized if each.design.pes == twice]
    fitting = [each for each in so_many if each.fits]
    if fitting:
        closest = min(fitting, key=lambda each: judge.key(each.merit))
        by = judge.decided_by(best.merit, closest.merit).better
        return MorePes(twice, "no better", cycles=closest.cycles, decided_by=by)
    exact = [each for each in so_many if each.prediction is not None] or so_many
    lacking = min((each.shortages for each in exact), key=lambda each: excess(each, {}))
    return MorePes(twice, "short", lacking)


def _ties(judge: Judge, counted: list[Sized], best: Sized) -> list[Tie]:
    """Parameters of which other values are as good in what was asked for."""
    # Where the limit is missed, by how much is all that was asked for.
    asked_for = judge.criteria[: 1 if judge.missed_by(best.merit) else 2]
    chosen = best.design.parameters()
    as_good = [
        each
        for each in counted
        if each.design.pes == best.design.pes
        and all(first.value(each.merit) == first.value(best.merit) for first in asked_for)
    ]
    ties = []
    for name in _CHOSEN:
        # The best with each other value.
        rivals: dict[Any, Merit] = {}
        for each in sorted(as_good, key=lambda each: judge.key(each.merit)):
            rivals.setdefault(each.design.parameters()[name], each.merit)
        rivals.pop(chosen[name])
        if rivals:
            broken_by = dict.fromkeys(
                judge.decided_by(best.merit, merit).better for merit in rivals.values()
            )
            ties.append(Tie(name, chosen[name], tuple(rivals), tuple(broken_by)))
    return ties


def _clock_target(design: Design) -> list[ClockTarget]:
    board: Board | None = BOARDS.get(design.board)
    if board is None or design.clock_mhz <= board.clock_mhz:
        return []
    return [ClockTarget(design.clock_mhz, board.title, board.clock_mhz)]
