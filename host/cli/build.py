"""The command `eie build`."""

from __future__ import annotations

import argparse
import datetime
import sys
from pathlib import Path

from eie.host.cli.parser import Commands
from eie.host.cli.progress import showing
from eie.host.cli.project_design import project_design
from eie.host.cli.rtl_check import print_verdict

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add(
        "build",
        run,
        "build the bitstream of a project",
        more=" with Vitis HLS and Vivado, which run its scripts with your rights; in between, the "
        "RTL is simulated and must do what the model does (`eie rtl-check`)",
    )
    sub.add_argument("project", type=Path, metavar="PROJECT")
    sub.add_argument("--out", type=Path, help="folder for the result (bitstreams/BOARD-Npe)")
    sub.add_argument("--hls-only", action="store_true", help="stop after Vitis HLS")
    rtl = sub.add_mutually_exclusive_group()
    rtl.add_argument(
        "--require-rtl", action="store_true", help="stop where the RTL cannot be simulated"
    )
    rtl.add_argument("--skip-rtl", action="store_true", help="do not simulate the RTL")
    sub.add_argument("--block", help="synthesise one part only: lnzd, broadcast, pe, ...")


def run(options: argparse.Namespace) -> None:
    """Synthesise, and build unless told otherwise."""
    from eie.hls.tools.vendor import build_bitstream, run_block, run_hls

    design = project_design(options.project)
    if options.block is not None:
        with showing(f"synthesising {options.block} with Vitis HLS"):
            solution = run_block(options.project, options.block)
        print(f"synthesised {options.block}: reports are in {solution / 'syn' / 'report'}")
        return
    out = options.out or Path("bitstreams") / f"{design.board}-{design.pes}pe"
    with showing("synthesising with Vitis HLS"):
        solution = run_hls(options.project)
    if options.hls_only:
        print(f"synthesised: reports are in {solution / 'syn' / 'report'}")
        return
    _check_rtl(options)
    with showing("building the bitstream with Vivado"):
        manifest = build_bitstream(options.project, out, date=datetime.date.today())
    print(f"wrote {out}: slack {manifest.wns_ns:.3f} ns, {manifest.tool}")


def _check_rtl(options: argparse.Namespace) -> None:
    """Simulate what Vitis HLS wrote, or say why not; hours of Vivado rest on it."""
    from eie.hls.tools.rtl.check import check_before_build

    with showing("simulating the RTL"):
        verdict = check_before_build(
            options.project, skip=options.skip_rtl, demand=options.require_rtl
        )
    if verdict.passed:
        print_verdict(verdict)
    else:
        print(f"eie: warning: {verdict.text}", file=sys.stderr)
