"""The command `eie run`."""

from __future__ import annotations

import argparse
import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import SaturationWarning
from eie.hls.boundary.numerals import seconds
from eie.hls.boundary.text import counted
from eie.host.cli.arrays import read_inputs
from eie.host.cli.parser import Commands
from eie.host.cli.progress import showing
from eie.host.cli.project_design import project_design
from eie.host.cli.results import add_inputs_outputs, read_labels, write_outputs
from eie.host.network import Network

if TYPE_CHECKING:
    from eie.host.board.driver import Accelerator

__all__ = ["add", "run"]

#: Vectors whose cycles are read from the accelerator's counters for the throughput.
_BATCH = 16


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add("run", run, "run a network on a board, or on an emulated one", "outputs")
    sub.add_argument("network", type=Path, metavar="NET.npz")
    where = sub.add_mutually_exclusive_group(required=True)
    where.add_argument("--bitstream", type=Path, metavar="F.bit", help="on the board that this is")
    where.add_argument(
        "--emulated-board",
        type=Path,
        metavar="PROJECT",
        help="a project whose code is compiled and run here, with your rights: one that you trust",
    )
    where.add_argument(
        "--emulated-design",
        type=Path,
        metavar="DESIGN.toml",
        help="an emulated board with the model of a design: same answers, for many vectors",
    )
    add_inputs_outputs(sub)
    sub.add_argument("--timeout", type=seconds, default=60.0, help="seconds a packet may take (60)")


def run(options: argparse.Namespace) -> None:
    """Run, write the outputs, and say what ran and what it cost."""
    from eie.host.board.driver import Accelerator

    network = Network.load(options.network)
    codes, saturated = read_inputs(options.inputs, network)
    labels = read_labels(options.labels, len(codes))
    with ExitStack() as stack:
        bitfile, board = options.bitstream, f"board with {options.bitstream}"
        clock_mhz: float | None = None
        if options.bitstream is None:
            stack.enter_context(showing("running on the emulated board"))
            bitfile, board, clock_mhz = _emulated(options, stack)
        else:
            stack.enter_context(showing("running on the board"))
        accelerator = stack.enter_context(Accelerator(bitfile, timeout=options.timeout))
        accelerator.load(network)
        began = time.perf_counter()
        outputs = accelerator.run(codes)
        took = time.perf_counter() - began
        info = accelerator.info()
        lines = [f"ran on the {board}: {counted(info.design.pes, 'PE')}"]
        if options.bitstream is not None:
            clock_mhz = info.clock_mhz
            lines.append(
                f"host and board together: {1e6 * took / len(codes):.1f} us a vector, in "
                f"{took:.3f} s for all"
            )
        lines += _costs(accelerator, codes, info.passes, clock_mhz or info.design.clock_mhz)
    write_outputs(options, network, outputs, labels, saturated)
    print("\n".join(lines))


def _emulated(options: argparse.Namespace, stack: ExitStack) -> tuple[Path, str, int]:
    """Switch an emulated board on; gives its bitstream, what it is, and its clock."""
    from eie.hls.model.emulator import Emulator
    from eie.hls.spec.design import Design, target_board
    from eie.hls.tools.compiled_kernel import CompiledKernel
    from eie.host.board_emulator import EmulatedBoard

    project = options.emulated_board
    if project is not None:
        design = project_design(project)
        board = EmulatedBoard(target_board(design), lambda: CompiledKernel(project))
        fabric = f"the C++ of {project} compiled by g++"
    else:
        design = Design.load(options.emulated_design)
        board = EmulatedBoard(target_board(design), lambda: Emulator(design))
        fabric = f"the model of {options.emulated_design}"
    what = (
        f"emulated board: a {board.board.title} in software, with {fabric} as its fabric, behind "
        "the driver and pynq as on a board"
    )
    return stack.enter_context(board).bitfile, what, design.clock_mhz


def _costs(
    accelerator: Accelerator, codes: npt.NDArray[np.int16], passes: int, clock_mhz: float
) -> list[str]:
    """Say what the accelerator's own counters give, for one vector alone and for some."""
    if passes > 1:
        return [
            f"in {passes} passes, of which the accelerator counts the last alone: `eie emulate "
            "--report` counts all"
        ]

    def cycles(part: npt.NDArray[np.int16]) -> int:
        accelerator.run(part)
        return accelerator.counters().cycles

    with warnings.catch_warnings():  # told of already, with the whole batch
        warnings.simplefilter("ignore", SaturationWarning)
        single, batch = cycles(codes[:1]), cycles(codes[:_BATCH])
    each = batch / len(codes[:_BATCH])
    return [
        f"latency of one vector alone: at least {single} cycles counted in the accelerator, "
        f"{single / clock_mhz:.2f} us at {clock_mhz:g} MHz",
        f"throughput in a batch of {len(codes[:_BATCH])}: at least {each:.1f} cycles a vector, at "
        f"most {1e6 * clock_mhz / each:,.0f} vectors a second",
    ]
