"""The command `eie reports`."""

from __future__ import annotations

import argparse
from pathlib import Path

from eie.host.cli.parser import Commands

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add("reports", run, "lay what the tools reported beside the estimate")
    sub.add_argument("project", type=Path, metavar="PROJECT")


def run(options: argparse.Namespace) -> None:
    """Compare and print."""
    from eie.hls.tools.reports import compare_project
    from eie.hls.tools.reports.module_area import compare_modules, modules_as_text

    print(compare_project(options.project).as_text())
    if modules := modules_as_text(compare_modules(options.project)):
        print(f"\n{modules}")
