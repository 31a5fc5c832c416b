"""What a project folder's code is, before it is compiled and run: eie's own, or somebody's.

The list of sums in the folder came with the folder, so it proves nothing: the files are compared
with what this version of eie generates for the folder's design.
"""

from __future__ import annotations

from pathlib import Path

from eie.hls.boundary.errors import EieError
from eie.hls.project.generator import render_sources
from eie.hls.spec.design import Design

__all__ = ["foreign_sources", "warning_text"]

#: What of a project is compiled for simulation, and by what.
_SOURCES = ("Makefile", "kernel/", "simulation/")
#: Files that a warning names.
_MOST_NAMED = 6


def foreign_sources(project: Path) -> list[str]:
    """Relative paths of the files that would be compiled and are not as this eie generates them.

    Files that eie would not have written at all are among them. Every file is, where there is no
    design that says what eie would have written.
    """
    there = {
        path.relative_to(project).as_posix(): path
        for name in _SOURCES
        for path in (project / name, *sorted((project / name).rglob("*")))
        if path.is_file()
    }
    try:
        expected = render_sources(Design.load(project / "design.toml"), _SOURCES)
    except EieError:
        expected = {}
    return [
        name
        for name, path in there.items()
        if name not in expected or path.read_bytes() != expected[name].encode()
    ]


def warning_text(project: Path, foreign: list[str]) -> str:
    """Say whose code is about to be run."""
    named = ", ".join(foreign[:_MOST_NAMED])
    more = f" and {len(foreign) - _MOST_NAMED} more" if len(foreign) > _MOST_NAMED else ""
    return (
        f"{project} holds code that this eie did not generate ({named}{more}): edited, or of "
        "another version. It is compiled and run with your rights: go on only with a project that "
        "you trust, or generate it anew from its design.toml"
    )
