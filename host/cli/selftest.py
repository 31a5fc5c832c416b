"""The command `eie selftest`."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from eie.hls.boundary.numerals import seconds
from eie.host.cli.arrays import write_file
from eie.host.cli.parser import Commands
from eie.host.cli.progress import showing

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add(
        "selftest", run, "try a board out; prints a report to attach to an issue", "out"
    )
    where = sub.add_mutually_exclusive_group(required=True)
    where.add_argument("--bitstream", type=Path, metavar="F.bit")
    where.add_argument("--emulated-design", type=Path, metavar="DESIGN.toml")
    sub.add_argument("--out", type=Path, metavar="REPORT.txt")
    sub.add_argument("--timeout", type=seconds, default=10.0, help="seconds a packet may take (10)")


def run(options: argparse.Namespace) -> int:
    """Try a board out, or an emulated one of a design; 0 if all is well, else 1."""
    from eie.hls.model.emulator import Emulator
    from eie.hls.spec.design import Design, target_board
    from eie.host.board.driver import Accelerator
    from eie.host.board_emulator import EmulatedBoard
    from eie.host.run.selftest import selftest

    with ExitStack() as stack:
        stack.enter_context(showing("trying the board out"))
        bitfile = options.bitstream
        if bitfile is None:
            design = Design.load(options.emulated_design)
            board = EmulatedBoard(target_board(design), lambda: Emulator(design))
            bitfile = stack.enter_context(board).bitfile
        accelerator = stack.enter_context(Accelerator(bitfile, timeout=options.timeout))
        found = selftest(accelerator, emulated=options.bitstream is None)
    print(found.as_text())
    if options.out is not None:
        write_file(options.out, found.as_text() + "\n")
    return 0 if found.passed else 1
