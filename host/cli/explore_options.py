"""The options of `eie explore`, without what it takes to explore."""

from __future__ import annotations

import argparse
from pathlib import Path

from eie.hls.boundary.numerals import integer, seconds
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import NO_BOARD
from eie.host.cli.parameters import add_axes, add_goal

__all__ = ["add_explore"]


def add_explore(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "source", type=Path, metavar="NET.npz|FOLDER", help="a network; with --pick its results"
    )
    parser.add_argument(
        "--board", action="append", help=f"{', '.join((*BOARDS, NO_BOARD))}; again for more"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER|DESIGN.toml",
        help="folder for the results; with --pick the file to write",
    )
    parser.add_argument(
        "--pick",
        type=integer,
        metavar="N",
        help="write the design with this number in FOLDER/pareto.txt, which an earlier call wrote",
    )
    add_goal(parser)
    add_axes(parser)
    where = parser.add_argument_group("where it runs")
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="a Dask scheduler, which is trusted: what it sends is run (this machine)",
    )
    where.add_argument("--workers", type=integer, metavar="N", help="processes here (one a core)")
    where.add_argument(
        "--wait",
        type=seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long to wait for scheduler and workers that are not there, or not any more (60)",
    )
    where.add_argument(
        "--build", action="store_true", help="synthesise the best with Vitis HLS afterwards"
    )
    where.add_argument(
        "--build-workers", type=integer, metavar="N", help="syntheses at the same time here (1)"
    )
