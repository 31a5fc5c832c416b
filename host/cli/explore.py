"""The command `eie explore`."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from typing import Any

from eie.hls.boundary.errors import DoesNotFitError, InputError, Problems, ToolError
from eie.host.network import Network
from eie.host.search.explore.builds import build_front
from eie.host.search.explore.exploration import Exploration, explore
from eie.host.search.explore.grid import Grid, parse_values

__all__ = ["run_explore"]


def run_explore(options: argparse.Namespace, names: Sequence[str]) -> None:
    """Explore what the command line asks for; `names` are the parameters that it knows.

    Raises
    ------
    DoesNotFitError
        If no design fits, after everything is written.
    """
    grid = Grid.of(options.board, _axes(options, names))
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


def _axes(options: argparse.Namespace, names: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """Read the values of parameters, and check what the other options say."""
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
    for name in names:
        if (text := getattr(options, name)) is not None:
            try:
                axes[name] = parse_values(text, name)
            except InputError as error:
                problems.require(False, str(error))
    problems.raise_as(InputError)
    return axes


def _build(found: Exploration, options: argparse.Namespace) -> None:
    """Synthesise the front; what fails does not stop the others, but is an error in the end."""
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
