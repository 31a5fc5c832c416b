"""The command `eie explore`."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eie.hls.boundary.errors import DoesNotFitError, InputError, Problems, ToolError
from eie.hls.boundary.numerals import integer, seconds
from eie.host.cli.parameters import OPTIONS, add_axes
from eie.host.cli.parser import Commands
from eie.host.network import Network

if TYPE_CHECKING:
    from eie.host.search.explore.exploration import Exploration

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add("explore", run, "compare many designs of a network on boards")
    sub.add_argument("network", type=Path, metavar="NET.npz")
    sub.add_argument("--board", required=True, action="append", help="again for more than one")
    sub.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    cluster = sub.add_argument_group("where it is done")
    cluster.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="a Dask scheduler, which is trusted: what it sends is run (this machine)",
    )
    cluster.add_argument("--workers", type=integer, metavar="N", help="processes here (one a core)")
    cluster.add_argument(
        "--wait",
        type=seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long to wait for scheduler and workers that are not there, or not any more (60)",
    )
    cluster.add_argument(
        "--build", action="store_true", help="synthesise the best with Vitis HLS afterwards"
    )
    cluster.add_argument(
        "--build-workers", type=integer, metavar="N", help="syntheses at the same time here (1)"
    )
    add_axes(sub)


def run(options: argparse.Namespace) -> None:
    """Explore what the command line asks for.

    Raises
    ------
    DoesNotFitError
        If no design fits, after everything is written.
    """
    from eie.host.search.explore.exploration import explore
    from eie.host.search.explore.grid import Grid

    grid = Grid.of(options.board, _axes(options))
    network = Network.load(options.network)
    try:
        found = explore(
            network,
            grid,
            options.out,
            scheduler=options.scheduler,
            workers=options.workers,
            wait=options.wait,
            on_progress=_say,
            on_notice=_say,
        )
    except KeyboardInterrupt:
        print(f"interrupted: the same command goes on with what is in {options.out}")
        raise
    paths = found.save(options.out)
    print(found.as_text())
    print("wrote " + ", ".join(map(str, paths)))
    if found.results and not found.front:
        raise DoesNotFitError(
            "no design that was looked at holds this network: explore other values or a larger "
            "board, prune the network further, or choose a design that runs it in passes "
            "(eie fit --passes)"
        )
    if options.build:
        _build(found, options)


def _say(what: object) -> None:
    print(what, file=sys.stderr, flush=True)


def _axes(options: argparse.Namespace) -> dict[str, tuple[Any, ...]]:
    """Read the values of parameters, and check what the other options say."""
    from eie.host.search.explore.grid import parse_values

    problems = Problems("explore")
    for name in ("workers", "build_workers"):
        value, option = getattr(options, name), f"--{name.replace('_', '-')}"
        problems.require(value is None or value >= 1, f"{option} must be at least 1, not {value}")
        problems.require(
            value is None or options.scheduler is None,
            f"{option} must not be given with --scheduler: a cluster's workers are its own",
        )
    problems.require(
        options.wait > 0 and math.isfinite(options.wait),
        f"--wait must be a number of seconds above 0, not {options.wait}",
    )
    problems.require(
        options.build_workers is None or options.build,
        "--build-workers must not be given without --build: nothing is synthesised",
    )
    axes = {}
    for name in OPTIONS:
        if (text := getattr(options, name)) is not None:
            try:
                axes[name] = parse_values(text, name)
            except InputError as error:
                problems.require(False, str(error))
    problems.raise_as(InputError)
    return axes


def _build(found: Exploration, options: argparse.Namespace) -> None:
    """Synthesise the front; what fails does not stop the others, but is an error in the end."""
    from eie.host.search.explore.builds import build_front

    failed = total = 0
    for build in build_front(
        found.front,
        options.out / "builds",
        scheduler=options.scheduler,
        workers=options.build_workers or 1,
        wait=options.wait,
        on_notice=_say,
    ):
        print(f"{build.project}: {'synthesised' if build.succeeded else 'failed'}")
        print(build.text, flush=True)
        failed += not build.succeeded
        total += 1
    if failed:
        raise ToolError(f"{failed} of {total} designs could not be synthesised: see above why")
