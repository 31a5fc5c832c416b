"""What a board allows: which number of an estimate's range is held against which share of it.

This is the one place that decides; fit, explore, warnings, the bounds of a board and the report
all ask here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from eie.hls.boundary.errors import BeyondBoardWarning, Shortage
from eie.hls.boundary.voice import either
from eie.hls.boundary.warning import warn
from eie.hls.model.area.estimate import Edge, Estimate, estimate
from eie.hls.spec.boards import BOARDS, DSP_BUDGET, LUT_BUDGET, MEMORY_BUDGET, Board
from eie.hls.spec.design import Design

__all__ = [
    "EDGES",
    "JUDGED",
    "LUTS",
    "Demand",
    "LutBudget",
    "beyond_board",
    "demands",
    "shortages",
    "warn_beyond_board",
]

#: What may be judged: the numbers of a range.
EDGES: tuple[Edge, ...] = get_args(Edge)
#: The number of a range that is judged: what is expected, the median of what published designs
#: show. The budget leaves 30 % of the LUTs, which pays for placement and routing, and for part of
#: what an estimate misses; whoever wants to be safe against the whole range judges ``"high"``.
JUDGED: Edge = "expected"
#: LUTs, as people know them, with what they must not take for certain.
LUTS = "LUT (estimated)"


@dataclass(frozen=True)
class Demand:
    """What a design takes of one resource of a board."""

    #: Name, as people know it.
    resource: str
    #: What the design takes; of LUTs the number of the range that is judged.
    takes: int
    #: What the budget allows.
    allowed: int
    #: What the board has.
    available: int

    @property
    def share(self) -> float:
        """Share of what the board has; 0 of what neither has."""
        return self.takes / self.available if self.available else float(self.takes)


@dataclass(frozen=True)
class LutBudget:
    """How LUTs are judged."""

    #: What a design may take: a share of the board's up to 1, or a number of LUTs above; None for
    #: :data:`~eie.hls.spec.boards.LUT_BUDGET`.
    limit: float | None = None
    #: Which number of the range must keep to it.
    edge: Edge = JUDGED

    def allowed(self, board: Board) -> int:
        """LUTs of `board` that a design may take."""
        limit = LUT_BUDGET if self.limit is None else self.limit
        return int(limit * board.lut) if limit <= 1 else min(int(limit), board.lut)


def demands(
    needed: Estimate, board: Board, lut_budget: LutBudget | float | None = None
) -> tuple[Demand, ...]:
    """What `needed` takes of each of the board's resources, against its budget.

    Parameters
    ----------
    needed, board
        A design's resources, and where they come from.
    lut_budget
        How LUTs are judged; a number is the limit, None the usual one.
    """
    judge = lut_budget if isinstance(lut_budget, LutBudget) else LutBudget(lut_budget)
    return (
        Demand("BRAM36", needed.bram36, int(MEMORY_BUDGET * board.bram36), board.bram36),
        Demand("UltraRAM", needed.uram, int(MEMORY_BUDGET * board.uram), board.uram),
        Demand("DSP", needed.dsp, int(DSP_BUDGET * board.dsp), board.dsp),
        Demand(LUTS, needed.lut.at(judge.edge), judge.allowed(board), board.lut),
    )


def shortages(
    needed: Estimate, board: Board, lut_budget: LutBudget | float | None = None
) -> tuple[Shortage, ...]:
    """Resources of which `needed` takes more than the usual share of `board`.

    LUTs are judged as :func:`demands` has it.
    """
    return tuple(
        Shortage(each.resource, each.takes, each.allowed, each.available)
        for each in demands(needed, board, lut_budget)
        if each.takes > each.allowed
    )


def beyond_board(design: Design) -> tuple[Shortage, ...]:
    """What a design takes too much of, of its board; () too where it names none."""
    board = BOARDS.get(design.board)
    return () if board is None else shortages(estimate(design), board)


def warn_beyond_board(design: Design) -> None:
    """Warn if a design takes more of its board than the budget allows.

    It may have been edited by hand, or made with another budget.
    """
    if lacking := beyond_board(design):
        listing = "; ".join(map(str, lacking))
        warn(
            BeyondBoardWarning(
                f"the design is beyond the budget of {BOARDS[design.board].title}, and a build "
                f"may fail: {listing}. Take fewer PEs or smaller capacities, or let "
                f"{either('eie.fit', '`eie fit`')} choose",
                lacking,
            )
        )
