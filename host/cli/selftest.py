"""The command `eie selftest`."""

from __future__ import annotations

import argparse
from contextlib import ExitStack

from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design, target_board
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.cli.arrays import write_file
from eie.host.run.selftest import selftest

__all__ = ["run_selftest"]


def run_selftest(options: argparse.Namespace) -> int:
    """Try a board out, or an emulated one of a design; 0 if all is well, else 1."""
    with ExitStack() as stack:
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
