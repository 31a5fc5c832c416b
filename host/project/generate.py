"""The project of a design: what the templates give, and golden packets for its test bench."""

from __future__ import annotations

import os
from pathlib import Path

from eie.hls.boundary.errors import EieError
from eie.hls.boundary.warning import warn
from eie.hls.model.area import warn_beyond_board
from eie.hls.project.generator import render_project
from eie.hls.project.project_folder import write_project
from eie.hls.spec.design import Design
from eie.host.project.golden import golden_packets

__all__ = ["generate", "render"]


def render(design: Design) -> dict[str, str]:
    """Render every file of the project: text by relative path, in order of path."""
    return render_project(design, golden_packets(design))


def generate(design: Design, out: str | os.PathLike[str]) -> Path:
    """Write the project of `design` to the folder `out`.

    In an earlier project the files that eie wrote are brought up to date, and all others are left
    (:mod:`eie.hls.project.project_folder`). Warns if it was for another board, and if the design
    takes more of its board than the budget allows
    (:class:`~eie.hls.boundary.errors.BeyondBoardWarning`).

    Raises
    ------
    InputError
        If `out` is a file, a folder of something else, or a project whose files were edited,
        or cannot be written.
    """
    warn_beyond_board(design)
    before = _board_of(Path(out) / "design.toml")
    project = write_project(render(design), out)
    if before not in (None, design.board):
        warn(
            f"{out} was a project for board {before!r} and is one for {design.board!r} now: what "
            "was built of it is for the other one. Give another folder to have both"
        )
    return project


def _board_of(path: Path) -> str | None:
    """Board of the design that is there; None where there is none that can be read."""
    try:
        return Design.load(path).board
    except EieError:
        return None
