"""What a design takes of its board, with the uncertainty of what no synthesis has calibrated."""

from __future__ import annotations

from eie.hls.model.resources import estimate, shortages
from eie.hls.spec.boards import BOARDS, DSP_BUDGET, LUT_BUDGET, MEMORY_BUDGET, Board
from eie.hls.spec.design import Design
from eie.host.report.facts import Resource

__all__ = ["beyond_board", "board_of", "resources_of"]


def board_of(design: Design) -> Board | None:
    """Look the design's board up; None for a design that is only emulated."""
    return BOARDS.get(design.board)


def resources_of(design: Design) -> tuple[Resource, ...]:
    """Lay what a design takes beside what its board has, the least certain first."""
    needed, board = estimate(design), board_of(design)
    resources = [
        _resource("LUT", needed.lut, board and board.lut, LUT_BUDGET, exact=False),
        _resource("Flip-flop", needed.ff, board and board.ff, LUT_BUDGET, exact=False),
        _resource("Block RAM (36 Kib)", _exactly(needed.bram36), board and board.bram36),
        _resource("UltraRAM", _exactly(needed.uram), board and board.uram),
        _resource("DSP slice", _exactly(needed.dsp), board and board.dsp, DSP_BUDGET),
    ]
    return tuple(each for each in resources if each.high or each.available)


def beyond_board(design: Design) -> str | None:
    """Say what the design takes beyond its board's budget; None if it keeps to it."""
    board = board_of(design)
    lacking = shortages(estimate(design), board) if board else ()
    if not lacking or board is None:
        return None
    return (
        f"The design takes more of {board.title} than its budget allows: "
        f"{'; '.join(map(str, lacking))}. Let `eie fit` choose it again."
    )




def _exactly(count: int) -> tuple[int, int]:
    return count, count


def _resource(
    name: str,
    needed: tuple[int, int],
    available: int | None,
    budget: float = MEMORY_BUDGET,
    *,
    exact: bool = True,
) -> Resource:
    low, high = needed
    return Resource(
        name=name,
        low=low,
        high=high,
        exact=exact,
        available=available,
        budget=None if available is None else int(budget * available),
    )
