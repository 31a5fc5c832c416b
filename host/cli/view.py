"""The command `eie view`."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from pathlib import Path

from eie.hls.boundary.errors import InputError
from eie.hls.spec.design import Design
from eie.host.cli.arrays import check_target, read_data
from eie.host.cli.parser import Commands
from eie.host.cli.progress import showing
from eie.host.network import Network

__all__ = ["add", "run"]

#: Set where there is a screen to open a window on, or a browser is asked for.
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add(
        "view",
        run,
        "look at a design, and step through a layer of a network on it",
        "output",
        more="; the page is one HTML file, or the array alone for a --output that ends in .svg",
    )
    sub.add_argument("design", type=Path, nargs="?", metavar="DESIGN.toml")
    sub.add_argument("network", type=Path, nargs="?", metavar="NET.npz")
    sub.add_argument("--example", action="store_true", help="the paper's example on four PEs")
    sub.add_argument(
        "--layer",
        type=int,
        metavar="N",
        help="layer to step through, from 0 (the first that can be)",
    )
    sub.add_argument(
        "--input",
        type=Path,
        metavar="X.npy",
        help="a vector, or a batch of which the first is taken (a golden vector); of a recurrent "
        "network a sequence, whose last step is taken",
    )
    sub.add_argument("--output", type=Path, metavar="FILE", help="(DESIGN-view.html, here)")
    sub.add_argument("--no-open", action="store_true", help="write the page without opening it")


def run(options: argparse.Namespace) -> None:
    """Write the page, and open it in a browser if there is one."""
    from eie.host.view import view, view_example

    _check(options)
    target = options.output or _default_target(options)
    check_target(target)
    if options.example:
        made = view_example()
    else:
        design = Design.load(options.design)
        network = Network.load(options.network) if options.network is not None else None
        inputs = read_data(options.input) if options.input is not None else None
        with showing("looking at the design"):
            made = view(design, network, layer=options.layer, inputs=inputs)
    made.save(target)
    print(f"wrote {target}: {made.summary()}")
    if made.animation is not None:
        for limit in made.animation.limits:
            print(limit)
    if not options.no_open and not _opened(target):
        print(f"no browser was found here: open {target.resolve().as_uri()}")


def _check(options: argparse.Namespace) -> None:
    """Refuse what does not go together."""
    if options.example == (options.design is not None):
        raise InputError("a design (DESIGN.toml) or --example must be given, one of them")
    if options.network is None:
        for name in ("layer", "input"):
            if getattr(options, name) is not None:
                raise InputError(f"--{name} must be given with a network (NET.npz)")


def _default_target(options: argparse.Namespace) -> Path:
    return Path("example-view.html" if options.example else f"{options.design.stem}-view.html")


def _opened(target: Path) -> bool:
    """Open a page in a browser; False if there is none, or no screen for it.

    Without a screen Python would take a browser for terminals, which takes the terminal.
    """
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in _SCREENS):
        return False
    try:
        return webbrowser.open(target.resolve().as_uri())
    except (webbrowser.Error, OSError):
        return False
