"""The design of a project folder, for the commands that take one."""

from __future__ import annotations

from pathlib import Path

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.file_kinds import is_regular, refusal
from eie.hls.spec.design import Design

__all__ = ["project_design"]


def project_design(project: Path) -> Design:
    """Read the design of a project.

    Raises
    ------
    InputError
        If `project` is a file; says what it is.
    DesignError
        If its ``design.toml`` is missing or none.
    """
    if is_regular(project):
        raise InputError(refusal(project, "project"))
    return Design.load(project / "design.toml")
