"""Sentences for what a search found: the only place of the search where words are made."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from eie.hls.boundary.errors import Shortage
from eie.hls.boundary.text import counted
from eie.hls.boundary.voice import argument
from eie.hls.model.area import Demand, Edge
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import NO_BOARD, RANGES, Design
from eie.host.search.candidate import Candidate
from eie.host.search.fit_tiled import BATCH, PassCost
from eie.host.search.judge import Judge, Merit
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

__all__ = [
    "candidate_lines",
    "candidate_text",
    "no_design",
    "pass_lines",
    "reason_lines",
    "sentence",
]

#: Designs that do not fit of which an explanation says what they lack.
_CLOSEST_SHOWN = 3
_EDGES: dict[Edge, str] = {
    "low": "low end", "expected": "expected value", "high": "high end"
}  # fmt: skip
_SPARED = {
    "spare_luts": "biases, accumulators and queues of words are in block RAM; in LUTs",
    "counters": "PEs do not count; with counters",
}
_GOALS = {
    "latency": "the lowest latency of one vector",
    "throughput": "the highest throughput in a batch",
    "area": "the smallest share of the board",
}


def candidate_lines(design: Design, candidates: Sequence[Candidate], judge: Judge) -> list[str]:
    """What was looked at: the best of each number of PEs, and what is closest to fitting."""
    fitting = [each for each in candidates if each.cycles is not None]
    if not fitting:  # no board to compare designs for
        return [f"-> {candidate_text(each)}" for each in candidates]
    chosen = next(each for each in fitting if each.design == design)
    best = {design.pes: chosen}
    for each in sorted(fitting, key=lambda each: Judge("latency").key(each.merit)):
        best.setdefault(each.design.pes, each)
    lines = [
        f"{'->' if each is chosen else '  '} {candidate_text(each)}"
        for each in sorted(best.values(), key=lambda each: -each.design.pes)
    ]
    lines += _do_not_fit([each for each in candidates if each.shortages], set(best))
    missed = judge.missed_by(chosen.merit)
    lines.append(
        f"chosen for {'the latency closest to the limit' if missed else _GOALS[judge.goal]}: "
        f"predicted {_latency(chosen)}{_in_a_batch(chosen.merit)} at {design.clock_mhz} MHz "
        "(a target: not synthesised)"
    )
    return lines


def candidate_text(candidate: Candidate) -> str:
    """Say what a design is, and how fast or what it lacks."""
    design = candidate.design
    abreast = f"{design.abreast} vectors abreast, " if design.abreast > 1 else ""
    text = f"{_pes_aligned(design)}, {abreast}{design.index_bits}-bit runs, {design.memory}: "
    if candidate.cycles is not None:
        merit = candidate.merit
        return text + (
            f"at least {counted(candidate.cycles, 'cycle')} a vector, {merit.latency_us:.1f} us "
            f"with stages{_in_a_batch(merit)}, {100 * merit.share:.0f} % of {merit.scarcest}, "
            f"queues of {design.queue_depth}"
        )
    if design.board == NO_BOARD:
        return text + "holds the network; no board to compare designs for"
    needs = "needs at least" if candidate.at_least else "needs"
    return text + "; ".join(str(each).replace("needs", needs, 1) for each in candidate.shortages)


def pass_lines(costs: Sequence[PassCost]) -> list[str]:
    """What was looked at for a network that runs in passes, the chosen first."""
    chosen = costs[0]
    lines = ["no design of the board holds the network whole; in passes:"]
    for cost in costs:
        passes = "1 pass" if cost.passes == 1 else f"{cost.passes} passes"
        lines.append(
            f"{'->' if cost is chosen else '  '} {_pes_aligned(cost.design)}, "
            f"{cost.design.memory}: {passes}; loading them takes {cost.load_cycles} cycles a "
            f"batch, a vector at least {cost.vector_cycles}"
        )
    lines.append(
        f"predicted: {chosen.latency_us:.0f} us for one vector with {chosen.allowance} cycles "
        f"allowed for pipeline stages (at least {chosen.batch_us(1):.0f} us), at least "
        f"{chosen.batch_us(BATCH) / BATCH:.0f} us a vector in a batch of {BATCH}, "
        f"at {chosen.design.clock_mhz} MHz (a target: not synthesised)"
    )
    return lines


def reason_lines(reasons: Sequence[Reason]) -> list[str]:
    """A sentence for each reason; alternatives that are the same design share one."""
    lines = [sentence(each) for each in reasons if not isinstance(each, Alternative)]
    goals: dict[Candidate, list[str]] = {}
    for each in reasons:
        if isinstance(each, Alternative):
            goals.setdefault(each.candidate, []).append(each.goal)
    # What is to be warned of stays last.
    place = len(lines) - sum(isinstance(each, ClockTarget) for each in reasons)
    lines[place:place] = [
        f"otherwise, best in {' and '.join(names)}: {candidate_text(candidate).lstrip()}"
        for candidate, names in goals.items()
    ]
    return lines


@functools.singledispatch
def sentence(reason: Reason) -> str:
    """Say a reason in a sentence."""
    raise TypeError(f"no sentence for {type(reason).__name__}")


@sentence.register
def _(reason: LimitOfLatency) -> str:
    limit, takes = f"{reason.limit_us:g} us", f"{reason.latency_us:g} us with pipeline stages"
    if reason.met:
        return f"limit of latency: {takes} of at most {limit}"
    return f"limit of latency: no design that fits meets {limit}; the closest takes {takes}"


@sentence.register
def _(reason: LimitOfSize) -> str:
    others = ", ".join(_demand(each) for each in reason.others if each.available)
    return (
        f"size: closest to its budget is {_demand(reason.scarcest)}; {others}. LUTs are judged "
        f"by the {_EDGES[reason.edge]} of {reason.lut.low} to {reason.lut.high}, an estimate by "
        "parts that no synthesis has calibrated"
    )


@sentence.register
def _(reason: LimitOfSpeed) -> str:
    paths = ", ".join(f"{path} {cycles}" for path, cycles in reason.paths.items())
    return (
        f"speed: limited by {reason.path}; of {counted(reason.cycles, 'cycle')} they take at "
        f"least: {paths}; the rest is waiting between layers and on queues"
    )


@sentence.register
def _(reason: Spared) -> str:
    return (
        f"LUTs spared: {_SPARED[reason.parameter]} ({argument(reason.parameter, reason.otherwise)})"
        f" the design would take {reason.takes} of {reason.allowed}"
    )


@sentence.register
def _(reason: MorePes) -> str:
    start = f"why not {reason.pes} PEs: "
    if reason.why == "fixed":
        return f"{start}pes was given"
    if reason.why == "range":
        return f"{start}a design has at most {RANGES['pes'][1]}"
    if reason.why == "short":
        return start + "; ".join(map(str, reason.shortages))
    cycles = "" if reason.cycles is None else f" ({counted(reason.cycles, 'cycle')} a vector)"
    return f"{start}they fit{cycles}, but fewer have {reason.decided_by}"


@sentence.register
def _(reason: Tie) -> str:
    others = ", ".join(map(str, sorted(reason.others)))
    return (
        f"tied: {reason.parameter} {reason.chosen} with {others}; what broke the tie: "
        + " and ".join(reason.broken_by)
    )


@sentence.register
def _(reason: Alternative) -> str:
    return f"otherwise, best in {reason.goal}: {candidate_text(reason.candidate).lstrip()}"


@sentence.register
def _(reason: ClockTarget) -> str:
    return (
        f"{reason.clock_mhz} MHz is a target that Vivado has to meet, which may be out of reach: "
        f"the starting clock for {reason.board} is {reason.start_mhz} MHz"
    )


def no_design(found: NoDesign) -> str:
    """Say that there is no design, what the closest lacks, and what helps."""
    closest = found.closest
    if found.board == NO_BOARD:
        first = (
            f"no design with {counted(closest.pes, 'PE')}{_given(found, ' and ')} holds this "
            "network:"
        )
    else:
        first = (
            f"no design for {BOARDS[found.board].title}{_given(found, ' with ')} holds this "
            f"network; the closest has {counted(closest.pes, 'PE')} and "
            f"{closest.index_bits}-bit zero runs:"
        )
    return "\n".join([first, *_listing(found.shortages), _advice(found.ways)])


def _advice(ways: Sequence[Way]) -> str:
    words = [_way(way) for way in ways]
    return ", ".join(words[:-1]) + (", or " if len(words) > 1 else "") + words[-1]


def _way(way: Way) -> str:
    names = [name for name, _ in way.changes]
    value = next((value for _, value in way.changes), None)
    given = ", ".join(argument(name, value) for name in names)
    passes = f"run it in passes ({argument('passes', True)})"
    if way.action == "give" and value and names != ["pes"]:
        return f"give {given} or more{', or 0' if names == ['length_bits'] else ''}"
    return {
        "give": f"give {given}",
        "leave out": f"leave {', '.join(map(argument, names))} out",
        "other pes": f"give {given}, which fits" if value else "take other PEs",
        "passes": passes,
        "pes and passes": f"give {given} and {passes}",
        "prune": "prune it further",
        "larger board": "take a larger board",
    }[way.action]


def _given(found: NoDesign, word: str) -> str:
    """Name what was fixed, which may be why nothing fits."""
    others = [f"{name} {value}" for name, value in found.fixed if name not in ("pes", "board")]
    return word + ", ".join(others) if others else ""


def _listing(lacking: Sequence[Shortage]) -> list[str]:
    return [f"  - {shortage}" for shortage in lacking]


def _demand(demand: Demand) -> str:
    return f"{demand.resource} with {demand.takes} of {demand.allowed} (board: {demand.available})"


def _in_a_batch(merit: Merit) -> str:
    return "" if merit.batch_us is None else f" ({merit.batch_us:.1f} us in a batch)"


def _latency(chosen: Candidate) -> str:
    """What one vector takes with the allowance, and at least."""
    assert chosen.cycles is not None
    return (
        f"{chosen.latency_us:.1f} us a vector with {counted(chosen.allowance, 'cycle')} allowed "
        f"for pipeline stages, at least {chosen.cycles / chosen.design.clock_mhz:.1f} us"
    )


def _pes_aligned(design: Design) -> str:
    return f"{counted(design.pes, 'PE'):>7}"


def _do_not_fit(candidates: Sequence[Candidate], fitting: set[int]) -> list[str]:
    """Lines on the closest of what does not fit, one for a number of PEs, and on how many remain.

    What is larger still lacks the same and more, which nobody reads twenty lines of. Of numbers of
    PEs of which some design fits, in `fitting`, nobody asks what another lacks.
    """
    # Of one number of PEs that whose figures are exact.
    shown: dict[int, Candidate] = {}
    for candidate in sorted(candidates, key=_excess):
        pes = candidate.design.pes
        if pes in fitting or (pes not in shown and len(shown) == _CLOSEST_SHOWN):
            continue
        if pes not in shown or (shown[pes].at_least and not candidate.at_least):
            shown[pes] = candidate
    lines = [f"   {candidate_text(candidate)}" for candidate in shown.values()]
    if more := len(candidates) - len(shown):
        lines.append(
            f"   and {counted(more, 'other design')} that {'does' if more == 1 else 'do'} not fit "
            "either"
        )
    return lines


def _excess(candidate: Candidate) -> float:
    return max(each.needed / max(each.allowed, 1) for each in candidate.shortages)
