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
    rows: list[tuple[str, tuple[int, int], str, float]] = [
        ("LUT", needed.lut, "lut", LUT_BUDGET),
        ("Flip-flop", needed.ff, "ff", LUT_BUDGET),
        ("Block RAM (36 Kib)", (needed.bram36, needed.bram36), "bram36", MEMORY_BUDGET),
        ("UltraRAM", (needed.uram, needed.uram), "uram", MEMORY_BUDGET),
        ("DSP slice", (needed.dsp, needed.dsp), "dsp", DSP_BUDGET),
    ]
    resources = []
    for name, (low, high), field, share in rows:
        available = getattr(board, field) if board else None
        resources.append(
            Resource(
                name=name,
                low=low,
                high=high,
                exact=field not in ("lut", "ff"),
                available=available,
                budget=None if available is None else int(share * available),
            )
        )
    return tuple(each for each in resources if each.high or each.available)


def beyond_board(design: Design) -> str | None:
    """Say what the design takes beyond its board's budget; None if it keeps to it."""
    board = board_of(design)
    lacking = shortages(estimate(design), board) if board else ()
    if not lacking or board is None:
        return None
    short = "; ".join(
        f"{each.resource}: {each.needed:,} needed, {each.allowed:,} of {each.available:,} allowed"
        for each in lacking
    )
    return (
        f"The design takes more of {board.title} than its budget allows ({short}). Let eie fit "
        "choose it again."
    )
