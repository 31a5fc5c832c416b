"""Why a design was chosen, and what helps where none was: as data.

The sentences are :mod:`eie.host.search.explain`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from eie.hls.boundary.errors import Shortage
from eie.hls.model.area import Demand, Edge, Range
from eie.hls.spec.design import Design
from eie.host.search.candidate import Candidate
from eie.host.search.judge import Goal

__all__ = [
    "Alternative",
    "ClockTarget",
    "LimitOfLatency",
    "LimitOfSize",
    "LimitOfSpeed",
    "MorePes",
    "NoDesign",
    "Reason",
    "Spared",
    "Tie",
    "Way",
]


@dataclass(frozen=True)
class LimitOfSize:
    """The resource of the board of which the design takes the largest share of the budget."""

    scarcest: Demand
    #: The board's other resources.
    others: tuple[Demand, ...]
    #: Range of the LUTs.
    lut: Range
    #: Which number of it was judged.
    edge: Edge


@dataclass(frozen=True)
class LimitOfSpeed:
    """The path that takes most of the cycles of one vector."""

    #: Cycles by the model.
    cycles: int
    #: The path: ``PEs``, ``broadcast``, ``input`` or ``output``.
    path: str
    #: Cycles that each path takes at least; what is left is latency between layers, and stalls.
    paths: dict[str, int]


@dataclass(frozen=True)
class Spared:
    """What a design does without, as the board has too few LUTs."""

    #: The parameter, its value, and the one that it would have.
    parameter: str
    value: int
    otherwise: int
    #: LUTs that the design would then take, and what may be taken.
    takes: int
    allowed: int


@dataclass(frozen=True)
class MorePes:
    """Why not twice the PEs."""

    #: Twice the design's.
    pes: int
    #: Why not: the number was fixed; there are no such designs; it does not fit; it is no better.
    why: Literal["fixed", "range", "short", "no better"]
    #: What is short, of the closest design with so many PEs.
    shortages: tuple[Shortage, ...] = ()
    #: Cycles of the best with so many, where it fits.
    cycles: int | None = None
    #: What the chosen design is better by, where it fits.
    decided_by: str = ""


@dataclass(frozen=True)
class Tie:
    """A parameter whose values tied in what the goal asks for."""

    parameter: str
    chosen: Any
    #: Other values that are as good.
    others: tuple[Any, ...]
    #: What broke the tie: what the chosen design is better in.
    broken_by: tuple[str, ...]


@dataclass(frozen=True)
class LimitOfLatency:
    """Whether the limit of latency that was asked for is met."""

    limit_us: float
    #: What the chosen design takes.
    latency_us: float

    @property
    def met(self) -> bool:
        """Whether it is."""
        return self.latency_us <= self.limit_us


@dataclass(frozen=True)
class Alternative:
    """The best design by a goal with another number of PEs than the chosen one's."""

    goal: Goal
    #: What it is.
    candidate: Candidate


@dataclass(frozen=True)
class ClockTarget:
    """A clock above the one that designs for the board start with."""

    clock_mhz: int
    board: str
    start_mhz: int


Reason = (
    LimitOfSize | LimitOfSpeed | Spared | MorePes | Tie | LimitOfLatency | Alternative | ClockTarget
)


@dataclass(frozen=True)
class Way:
    """Something that helps where no design fits."""

    action: Literal[
        "give", "leave out", "other pes", "pes and passes", "passes", "prune", "larger board"
    ]
    #: Parameters that it is about, with the least value that helps (None where any other would).
    changes: tuple[tuple[str, int | None], ...] = ()


@dataclass(frozen=True)
class NoDesign:
    """Why there is no design for a network."""

    #: Name of the board, or ``"none"``.
    board: str
    #: The design that comes closest.
    closest: Design
    #: Parameters that were not to be chosen.
    fixed: tuple[tuple[str, Any], ...]
    #: What the closest has too little of.
    shortages: tuple[Shortage, ...]
    #: What helps.
    ways: tuple[Way, ...]
