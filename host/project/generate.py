"""The project of a design: what the templates give, and golden packets for its test bench."""

from __future__ import annotations

import os
from pathlib import Path

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
    (:mod:`eie.hls.project.project_folder`).

    Raises
    ------
    InputError
        If `out` is a file, a folder of something else, or a project whose files were edited,
        or cannot be written.
    """
    return write_project(render(design), out)
