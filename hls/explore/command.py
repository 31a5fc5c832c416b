"""The command `eie explore`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from eie.hls.explore.builds import build_front
from eie.hls.explore.exploration import explore
from eie.hls.explore.grid import Grid, parse_values
from eie.host.errors import InputError
from eie.host.network import Network

__all__ = ["run_explore"]


def run_explore(options: argparse.Namespace, names: Sequence[str]) -> None:
    """Explore what the command line asks for; `names` are the parameters that it knows."""
    if options.workers is not None and options.workers < 1:
        raise InputError(f"--workers must be at least 1, not {options.workers}")
    given = {name: getattr(options, name) for name in names}
    axes = {name: parse_values(text, name) for name, text in given.items() if text is not None}
    grid = Grid.of(options.board, axes)
    network = Network.load(options.network)
    where = {"scheduler": options.scheduler, "workers": options.workers}
    try:
        found = explore(
            network,
            grid,
            options.out,
            on_progress=lambda progress: print(progress, file=sys.stderr, flush=True),
            **where,
        )
    except KeyboardInterrupt:
        print(f"interrupted: the same command goes on with what is in {options.out}")
        raise
    paths = found.save(options.out)
    print(found.as_text())
    print("wrote " + ", ".join(map(str, paths)))
    if options.build:
        for build in build_front(found.front, options.out / "builds", **where):
            print(f"{build.project}: {'synthesised' if build.succeeded else 'failed'}")
            print(build.text)
