"""The judge of designs: one ordering for :mod:`fit <eie.host.search.fit>` and for exploring.

A goal says what counts first; then come the same tie-breakers for everyone, each with a name, so
that it can be said which of them decided:

1. how far a limit of latency is missed, if there is one (0 where it is met);
2. the goal: ``latency`` (of one vector alone), ``throughput`` (time of a vector in a batch of
   :func:`~eie.host.search.prediction.batch_vectors`) or ``area`` (share of the board's scarcest
   resource; without a board bits of memory);
3. area, or latency where the goal is area;
4. fewest bits of memory, then BRAM36s, UltraRAMs, DSP slices and LUTs;
5. the deepest queues (``queue_depth``, then ``result_depth``): of designs with as many LUTs depth
   is free, never slower, and helps with inputs other than the one that was counted;
6. the smallest of each other parameter, so that no two designs are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.text import shown
from eie.hls.model.area import EDGES, JUDGED, Estimate, demands, estimate
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import RANGES, Design

__all__ = ["BY_LATENCY", "GOALS", "Criterion", "Goal", "Judge", "Merit", "check_lut_budget"]

Goal = Literal["latency", "throughput", "area"]
GOALS: tuple[Goal, ...] = get_args(Goal)

Judged = TypeVar("Judged")


@dataclass(frozen=True)
class Merit:
    """What designs of a network are compared by."""

    #: Parameters of the design, by name.
    design: Mapping[str, Any]
    #: Microseconds of one vector alone, at the design's clock, with the allowance for pipeline
    #: stages: a limit that is met without it would not be met.
    latency_us: float
    #: Microseconds of a vector in a batch, at least; None where nobody counted it.
    batch_us: float | None
    #: The largest share of one of the board's resources, and which; without a board 0 and "".
    share: float
    scarcest: str
    #: Bits of all memories.
    memory_bits: int
    bram36: int
    uram: int
    dsp: int
    #: The number of the range that is judged.
    lut: int

    @classmethod
    def of(cls, design: Design, latency_us: float, batch_us: float | None) -> Merit:
        """Put together what is known of a design; times in microseconds."""
        needs = estimate(design)
        share, scarcest = _scarcest(needs, design.board)
        return cls(
            design=design.parameters(),
            latency_us=round(latency_us, 3),
            batch_us=None if batch_us is None else round(batch_us, 3),
            share=round(share, 4),
            scarcest=scarcest,
            memory_bits=round(sum(memory.kibibits for memory in needs.memories) * 1024),
            bram36=needs.bram36,
            uram=needs.uram,
            dsp=needs.dsp,
            lut=needs.lut.at(JUDGED),
        )

    @property
    def cost(self) -> float:
        """What is weighed against speed: the share of the board, without one bits of memory."""
        return self.share if self.scarcest else self.memory_bits


@dataclass(frozen=True)
class Criterion:
    """One thing that designs are compared by, the smaller the better."""

    #: What is better, in words: "the lowest latency".
    better: str
    value: Callable[[Merit], Any]


@dataclass(frozen=True)
class Judge:
    """Compares designs.

    Raises
    ------
    InputError
        On construction, if the goal is none, or the limit no time.
    """

    #: What counts first.
    goal: Goal = "latency"
    #: Microseconds of one vector that a design should not exceed; None for no limit.
    latency_us: float | None = None

    def __post_init__(self) -> None:
        problems = Problems("goal")
        problems.require(
            self.goal in GOALS, f"goal must be one of {', '.join(GOALS)}, not {shown(self.goal)}"
        )
        limit = self.latency_us
        problems.require(
            limit is None or 0 < limit < float("inf"),
            f"latency_us must be a number of microseconds above 0, not {shown(limit)}",
        )
        problems.raise_as(InputError)

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """What designs are compared by, the first that differs decides."""
        latency = Criterion("the lowest latency", lambda merit: merit.latency_us)
        throughput = Criterion("the highest throughput", _batch_us)
        area = Criterion("the smallest share of the board", lambda merit: merit.cost)
        first = {
            "latency": (latency, area),
            "throughput": (throughput, area, latency),
            "area": (area, latency),
        }[self.goal]
        return (Criterion("the limit of latency", self.missed_by), *first, *_TIE_BREAKERS)

    def missed_by(self, merit: Merit) -> float:
        """Microseconds by which a design misses the limit; 0 where it meets it."""
        return 0.0 if self.latency_us is None else max(0.0, merit.latency_us - self.latency_us)

    def speed(self, merit: Merit) -> float:
        """What is weighed against area: microseconds of a vector alone, or in a batch."""
        return _batch_us(merit) if self.goal == "throughput" else merit.latency_us

    def key(self, merit: Merit) -> tuple[Any, ...]:
        """Sort by this: the better, the earlier; no two designs of a network are equal."""
        return tuple(criterion.value(merit) for criterion in self.criteria)

    def sort(self, judged: Iterable[Judged], merit_of: Callable[[Judged], Merit]) -> list[Judged]:
        """Sort what has merits, the best first."""
        return sorted(judged, key=lambda each: self.key(merit_of(each)))

    def decided_by(self, better: Merit, worse: Merit) -> Criterion:
        """Find the criterion by which one design is better than another."""
        for criterion in self.criteria:
            if criterion.value(better) != criterion.value(worse):
                return criterion
        raise ValueError("the same design")

    def front(self, judged: Iterable[Judged], merit_of: Callable[[Judged], Merit]) -> list[Judged]:
        """Give those that none is better than in both speed and area, in the order of the goal.

        Of those that are equal in both, one stands for all: the one that the tie-breakers choose.
        All of them must be of one board.
        """
        by_speed = Judge("throughput" if self.goal == "throughput" else "latency")
        found: list[Judged] = []
        smallest = float("inf")
        for each in by_speed.sort(judged, merit_of):
            if (cost := merit_of(each).cost) < smallest:
                found.append(each)
                smallest = cost
        return self.sort(found, merit_of)


#: The judge of whoever asks for nothing else.
BY_LATENCY = Judge()


def check_lut_budget(lut_budget: float | None, lut_edge: str | None = None) -> None:
    """Refuse a budget of LUTs, or a number of their range, that is none; None is the usual one.

    Raises
    ------
    InputError
        If the budget is not above 0 and finite, or there is no such number.
    """
    if lut_edge is not None and lut_edge not in EDGES:
        raise InputError(f"lut_edge must be one of {', '.join(EDGES)}, not {shown(lut_edge)}")
    if lut_budget is not None and not 0 < lut_budget < float("inf"):
        raise InputError(
            f"lut_budget must be a share up to 1 or a number of LUTs above, not {shown(lut_budget)}"
        )


def _batch_us(merit: Merit) -> float:
    # Nobody is asked for it who did not count it.
    assert merit.batch_us is not None, "the time in a batch was not counted"
    return merit.batch_us


def _parameter(name: str) -> Criterion:
    return Criterion(f"the smallest {name}", lambda merit: merit.design[name])


def _deepest(name: str) -> Criterion:
    return Criterion(f"the deepest {name}, which takes no more", lambda m: -m.design[name])


_TIE_BREAKERS = (
    Criterion("the fewest bits of memory", lambda merit: merit.memory_bits),
    Criterion("the fewest BRAM36s", lambda merit: merit.bram36),
    Criterion("the fewest UltraRAMs", lambda merit: merit.uram),
    Criterion("the fewest DSP slices", lambda merit: merit.dsp),
    Criterion("the fewest LUTs", lambda merit: merit.lut),
    *map(_deepest, ("queue_depth", "result_depth")),
    *map(_parameter, (*RANGES, "memory")),
)


def _scarcest(needs: Estimate, board: str) -> tuple[float, str]:
    """The largest share of one of the board's resources, and which."""
    if board not in BOARDS:
        return 0.0, ""
    return max((each.share, each.resource) for each in demands(needs, BOARDS[board]))
