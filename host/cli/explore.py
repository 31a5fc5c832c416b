"""The command `eie explore`."""

from __future__ import annotations

import argparse
import math
import sys
from typing import Any

from eie.hls.boundary.errors import DoesNotFitError, InputError, Problems, ToolError
from eie.host.cli.explore_options import add_explore
from eie.host.cli.output_paths import check_suffix, check_targets
from eie.host.cli.parameters import GIVEN_GOAL, OPTIONS, given_goal, option_of
from eie.host.cli.parser import Commands
from eie.host.cli.progress import wanted
from eie.host.network import Network
from eie.host.search.explore.builds import build_front
from eie.host.search.explore.exploration import Exploration, explore
from eie.host.search.explore.grid import Grid, parse_values
from eie.host.search.explore.pick import pick

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    add_explore(commands.add("explore", run, "compare many designs of a network on boards"))


def run(options: argparse.Namespace) -> None:
    """Explore what the command line asks for, or pick of what was explored.

    Raises
    ------
    DoesNotFitError
        If no design fits, after everything is written.
    """
    if options.pick is not None:
        _pick(options)
        return
    if options.source.is_dir():
        raise InputError(f"{options.source} is a folder: give --pick N to take a design out of it")
    grid = Grid.of(options.board or (), _axes(options))
    network = Network.load(options.source)
    try:
        found = explore(
            network,
            grid,
            options.out,
            **given_goal(options),
            scheduler=options.scheduler,
            workers=options.workers,
            wait=options.wait,
            on_progress=_say if wanted() else lambda _: None,
            on_notice=_say,
        )
    except KeyboardInterrupt:
        print(f"interrupted: the same command goes on with what is in {options.out}")
        raise
    paths = found.save(options.out)
    print(found.as_text())
    print("wrote " + ", ".join(map(str, paths)))
    if found.front:
        print(f"take the first with `eie explore {options.out} --pick 1 --out design.toml`")
    if found.results and not found.front:
        raise DoesNotFitError(
            "no design that was looked at holds this network: explore other values or a larger "
            "board, prune the network further, or choose a design that runs it in passes "
            "(eie fit --passes)"
        )
    if options.build:
        _build(found, options)


def _pick(options: argparse.Namespace) -> None:
    """Write a design that was explored; nothing is evaluated."""
    given = [option_of(name) for name in OPTIONS if getattr(options, name) is not None]
    given += [
        option_of(name)
        for name in (*GIVEN_GOAL, "board", "scheduler", "workers", "build", "build_workers")
        if getattr(options, name)
    ]
    if given:
        raise InputError(
            f"--pick must not be given with {', '.join(given)}: it takes a design that was "
            "explored, with its number in pareto.txt"
        )
    check_suffix(options.out, ".toml")
    check_targets({"out": options.out}, {"source": options.source})
    design = pick(options.source, options.pick)
    design.save(options.out)
    print(f"wrote {options.out}:")
    print(design)


def _say(what: object) -> None:
    print(what, file=sys.stderr, flush=True)


def _axes(options: argparse.Namespace) -> dict[str, tuple[Any, ...]]:
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
