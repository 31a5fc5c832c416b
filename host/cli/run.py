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
from eie.host.cli.batch import Batch, read_batch
from eie.host.cli.parser import Commands
from eie.host.cli.progress import showing
from eie.host.cli.project_design import project_design
from eie.host.cli.results import COUNTED, add_inputs_outputs, write_outputs
from eie.host.network import Network
from eie.host.run.costs import SAMPLE, batch_text
from eie.host.run.step_costs import side_by_side

if TYPE_CHECKING:
    from eie.hls.model.allowance import RunAllowance
    from eie.host.board.driver import Accelerator

__all__ = ["add", "run"]

_IN_PASSES = (
    "in {} passes, of which the accelerator counts the last alone: `eie emulate --report` counts "
    "all"
)


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add(
        "run",
        run,
        "run a network on a board, or on an emulated one",
        "outputs",
        more=f"; {COUNTED}",
    )
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
    batch = read_batch(options, network)
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
        outputs = accelerator.run(batch.codes, outputs=batch.outputs)
        took = time.perf_counter() - began
        info = accelerator.info()
        lines = [f"ran on the {board}: {counted(info.design.pes, 'PE')}"]
        if options.bitstream is not None:
            clock_mhz = info.clock_mhz
            lines.append(
                f"host and board together: {1e6 * took / batch.vectors:.1f} us a {batch.unit}, in "
                f"{took:.3f} s for all"
            )
        allowance = None if options.emulated_board is None else _allowance(options.emulated_board)
        lines += (
            [_IN_PASSES.format(info.passes)]
            if info.passes > 1
            else _costs(
                accelerator,
                batch,
                clock_mhz or info.design.clock_mhz,
                allowance,
                len(network.layers),
            )
        )
    write_outputs(options, batch, outputs)
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


def _allowance(project: Path) -> RunAllowance:
    """What compiled C++ does not count: a pipeline's stages. Hardware counts its own."""
    from eie.hls.tools.reports import project_allowance

    return project_allowance(project, project_design(project))


def _costs(
    accelerator: Accelerator,
    batch: Batch,
    clock_mhz: float,
    allowance: RunAllowance | None,
    layers: int,
) -> list[str]:
    """Say what the accelerator's own counters give, for one vector or step alone and for some."""
    with warnings.catch_warnings():  # told of already, with the whole batch
        warnings.simplefilter("ignore", SaturationWarning)
        if batch.sequences is None:
            accelerator.run(batch.codes[:1])
            single = accelerator.counters().cycles
            vectors = len(batch.codes[:SAMPLE])
            accelerator.run(batch.codes[:SAMPLE])
            of = f"in a batch of the first {vectors}"
        else:
            single = _step_alone(accelerator, max(batch.codes, key=len)[:SAMPLE])
            some = side_by_side(batch.codes, accelerator.sequences.lanes)
            vectors = sum(map(len, some))
            accelerator.run(some, outputs="all")
            of = batch_text(vectors, "step", len(some))
        each = accelerator.counters().cycles / vectors
    latency = (
        f"latency of one {batch.unit} alone: at least {single} cycles counted in the accelerator, "
        f"{single / clock_mhz:.2f} us at {clock_mhz:g} MHz"
    )
    throughput = (
        f"throughput {of}: at least {each:.1f} cycles a {batch.unit}, at most "
        f"{1e6 * clock_mhz / each:,.0f} {batch.unit}s a second"
    )
    if allowance is not None:
        more, most = allowance.of(layers), each + allowance.of(layers, vectors) / vectors
        latency += (
            f"; {(single + more) / clock_mhz:.2f} us with {counted(more, 'cycle')} allowed for "
            f"pipeline stages ({allowance.source})"
        )
        throughput += (
            f"; {1e6 * clock_mhz / most:,.0f} with what is allowed for pipeline stages "
            f"({allowance.source})"
        )
    return [latency, throughput]


def _step_alone(accelerator: Accelerator, sequence: npt.NDArray[np.int16]) -> int:
    """Cycles of the last step by itself, in the state that those before it leave."""
    before = sequence[:-1]
    if len(before):
        accelerator.run([before])
    accelerator.run([sequence[-1:]], keep_state=bool(len(before)))
    return accelerator.counters().cycles
