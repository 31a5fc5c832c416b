"""The command `eie fit`."""

from __future__ import annotations

import argparse
from pathlib import Path

from eie.hls.boundary.errors import DoesNotFitError
from eie.hls.boundary.text import counted
from eie.hls.spec.boards import BOARDS, find_board
from eie.host.cli.output_paths import check_suffix
from eie.host.cli.parameters import add_parameters, given_parameters
from eie.host.cli.parser import Commands
from eie.host.cli.progress import showing
from eie.host.network import Network

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add("fit", run, "choose a design for a network and a board", "out")
    sub.add_argument("network", type=Path, metavar="NET.npz")
    sub.add_argument("--board", required=True, help=", ".join(BOARDS))
    sub.add_argument("--out", type=Path, required=True, metavar="DESIGN.toml")
    sub.add_argument(
        "--passes",
        action="store_true",
        help="if the network is larger than the board, choose a design to run it in passes",
    )
    add_parameters(sub)


def run(options: argparse.Namespace) -> None:
    """Choose, write, and say why."""
    from eie.host.search.fit import fit

    check_suffix(options.out, ".toml")
    board = find_board(options.board).name
    network = Network.load(options.network)
    try:
        with showing("looking at designs"):
            result = fit(network, board, passes=options.passes, **given_parameters(options))
    except DoesNotFitError as error:
        raise DoesNotFitError(str(error).replace("passes=True", "--passes")) from error
    result.design.save(options.out)  # first: printing fails when nobody listens any more
    print(result.explain())
    pes = counted(result.design.pes, "PE")
    print(f"{options.out}: {pes}, {result.estimate.bram36} BRAM36, ", end="")
    print(f"{result.estimate.uram} UltraRAM, {result.estimate.dsp} DSP (exact), ", end="")
    low, high = result.estimate.lut
    print(f"{low} to {high} LUTs (uncalibrated)")
