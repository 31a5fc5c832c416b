"""The command `eie generate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from eie.hls.boundary.errors import EieError
from eie.hls.spec.design import Design
from eie.host.cli.parser import Commands

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add("generate", run, "write the HLS project of a design")
    sub.add_argument("design", type=Path, metavar="DESIGN.toml")
    sub.add_argument("--out", type=Path, required=True, metavar="PROJECT", help="its folder")


def run(options: argparse.Namespace) -> None:
    """Generate, and say which design the folder had before."""
    from eie.host.project.generate import generate

    design = Design.load(options.design)
    before = _design_in(options.out)
    project = generate(design, options.out)
    print(f"wrote {project}; its README.md says what to do next")
    if before is not None and before != design:
        changed = [
            f"{name} {old} before, now {new}"
            for (name, old), new in zip(
                before.parameters().items(), design.parameters().values(), strict=True
            )
            if old != new
        ]
        print(f"it replaces the project of another design: {', '.join(changed)}")


def _design_in(project: Path) -> Design | None:
    try:
        return Design.load(project / "design.toml")
    except EieError:
        return None
