"""Spare LUTs where a board has too few of them: what a design does without, the mildest first."""

from __future__ import annotations

from typing import Any

from eie.hls.boundary.errors import Shortage
from eie.hls.model.area import LUTS, LutBudget, estimate, shortages
from eie.hls.spec.boards import Board
from eie.hls.spec.design import Design

__all__ = ["SPARED", "spared"]

#: Parameters that spare LUTs, in the order in which they are tried, with the value that does. Block
#: RAM costs a cycle a layer, and what is not counted is missed by whoever looks at a run. So
#: neither is done without need.
SPARED = {"spare_luts": 1, "counters": 0}


def spared(
    design: Design, board: Board, fixed: dict[str, Any], lut_budget: LutBudget | float | None = None
) -> tuple[Design, tuple[Shortage, ...]]:
    """Give a design that `board` holds, like `design` but for what must go; and what is short.

    Parameters
    ----------
    design
        As it is wished for.
    board
        The board.
    fixed
        Parameters that stay as they are, by name.
    lut_budget
        How LUTs are judged, as :func:`eie.hls.model.area.demands` has it.

    Returns
    -------
    Design
        `design` if it fits, or if LUTs are not all that it lacks; else the first that fits, or
        where none does the one that comes closest.
    tuple of Shortage
        What it lacks.
    """
    lacking = shortages(estimate(design), board, lut_budget)
    if [each.resource for each in lacking] != [LUTS]:
        return design, lacking
    free = {name: value for name, value in SPARED.items() if name not in fixed}
    changes = [{name: value} for name, value in free.items()]
    tried = [(design, lacking)]
    for change in changes if len(free) < 2 else [*changes, free]:
        leaner = design.replace(**change)
        lacking = shortages(estimate(leaner), board, lut_budget)
        if not lacking:
            return leaner, ()
        tried.append((leaner, lacking))
    return min(tried, key=lambda each: max(one.needed / max(one.allowed, 1) for one in each[1]))
