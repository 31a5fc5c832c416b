"""What `eie info DESIGN --area` prints: where the LUTs of a design go."""

from __future__ import annotations

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.tables import as_text
from eie.hls.boundary.text import shown
from eie.hls.model.area import AREA_HEAD, JUDGED, PARTS_HEAD, LutBudget, estimate, part_rows
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import Design, target_board

__all__ = ["WHOLE", "print_area"]

#: Stands for all processes, where one may be named.
WHOLE = ""


def print_area(design: Design, process: str = WHOLE) -> None:
    """Print what each process takes, or the parts of one.

    Raises
    ------
    InputError
        If there is no such process.
    """
    needed = estimate(design)
    names = [row.name for row in needed.rows]
    if process != WHOLE:
        if process not in names:
            raise InputError(f"--area must be one of {', '.join(names)}, not {shown(process)}")
        print(as_text([PARTS_HEAD, *part_rows(design, process)]))
        return
    print(as_text([AREA_HEAD, *needed.area_table()]))
    where = "" if design.board in BOARDS else ", which stands in for no board"
    board = target_board(design)
    budget = LutBudget()
    print(
        f"LUTs on {board.title}{where}: {needed.lut.parts:,} by parts; {needed.lut}, by what "
        "published designs take beyond their parts"
    )
    print(
        f"budget: {budget.allowed(board):,} of {board.lut:,}, against which the {JUDGED} value is "
        "judged. Operators were measured with yosys; nothing was synthesised by Vitis or Vivado"
    )
