"""The command `eie fit`."""

from __future__ import annotations

import argparse
from pathlib import Path

from eie.hls.boundary.text import counted
from eie.hls.spec.boards import BOARDS, find_board
from eie.hls.spec.design import NO_BOARD
from eie.host.cli.output_paths import check_suffix
from eie.host.cli.parameters import add_goal, add_parameters, given_goal, given_parameters
from eie.host.cli.parser import Commands
from eie.host.cli.progress import showing
from eie.host.network import Network

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add("fit", run, "choose a design for a network and a board", "out")
    sub.add_argument("network", type=Path, metavar="NET.npz")
    sub.add_argument("--board", required=True, help=", ".join((*BOARDS, NO_BOARD)))
    sub.add_argument("--out", type=Path, required=True, metavar="DESIGN.toml")
    sub.add_argument(
        "--passes",
        action="store_true",
        help="if the network is larger than the board, choose a design to run it in passes",
    )
    add_goal(sub, passes=True)
    add_parameters(sub)


def run(options: argparse.Namespace) -> None:
    """Choose a design, write it, and say why.

    Raises
    ------
    DoesNotFitError
        If no design holds the network.
    """
    from eie.host.search.fit import fit

    check_suffix(options.out, ".toml")
    board = NO_BOARD if options.board == NO_BOARD else find_board(options.board).name
    network = Network.load(options.network)
    with showing("looking at designs"):
        result = fit(
            network,
            board,
            passes=options.passes,
            **given_goal(options),
            **given_parameters(options),
        )
    result.design.save(options.out)  # first: printing fails when nobody listens any more
    print(result.explain())
    takes, pes = result.estimate, counted(result.design.pes, "PE")
    print(
        f"{options.out}: {pes}, {takes.bram36} BRAM36, {takes.uram} UltraRAM, {takes.dsp} DSP "
        f"(exact), {takes.lut.low} to {takes.lut.high} LUTs "
        f"(estimated, {takes.lut.expected} expected)"
    )
