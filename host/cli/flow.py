"""The command `eie flow`."""

from __future__ import annotations

import argparse
from pathlib import Path

from eie.hls.boundary.errors import InputError
from eie.hls.spec.boards import BOARDS
from eie.host.cli.arrays import read_data
from eie.host.cli.cut_option import add_cut, cut_of
from eie.host.cli.density_option import densities
from eie.host.cli.flow_lines import do_steps
from eie.host.cli.parser import Commands
from eie.host.cli.results import COUNTED

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add(
        "flow",
        run,
        "do everything from a model to a report, and go on where it stopped",
        more=": compress, fit, generate, emulate, simulate, run and report, each with its files in "
        f"one folder; {COUNTED}",
    )
    sub.add_argument(
        "model",
        type=Path,
        metavar="MODEL|NET.npz",
        help="a model (.pt2, .onnx, .keras), or a network file (.npz)",
    )
    sub.add_argument("--board", required=True, help=", ".join(BOARDS))
    sub.add_argument(
        "--data",
        nargs="+",
        type=Path,
        metavar=".npy",
        help="X.npy: real inputs, which calibrate and are run; Y.npy: their classes, or wanted "
        "outputs; of a recurrent model sequences: (batch, steps, features), or an .npz with an "
        "array (steps, features) for each",
    )
    sub.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for all files")
    sub.add_argument(
        "--start-over",
        action="store_true",
        help="do all steps anew, and replace what another model left in the folder",
    )
    weights = sub.add_argument_group("how weights are compressed")
    weights.add_argument(
        "--density", action="append", metavar="F | LAYER=F", help="as for `eie compress`"
    )
    weights.add_argument(
        "--keep-weights", action="store_true", help="they are pruned and shared already"
    )
    add_cut(sub)


def run(options: argparse.Namespace) -> int:
    """Do the steps, saying a line or more for each."""
    from eie.host.flow.flow import Flow

    if options.data is not None and len(options.data) > 2:
        raise InputError(f"--data must be X.npy or X.npy Y.npy, not {len(options.data)} files")
    arrays = [read_data(path) for path in options.data or ()]
    flow = Flow(
        options.model,
        options.board,
        options.out,
        inputs=arrays[0] if arrays else None,
        labels=arrays[1] if len(arrays) > 1 else None,
        density=None if options.density is None else densities(options.density),
        keep_weights=options.keep_weights,
        cut=cut_of(options.cut),
        start_over=options.start_over,
        sources=dict(zip(("X.npy", "LABELS.npy"), map(str, options.data or ()), strict=False)),
    )
    return do_steps(flow, options.data[0] if options.data else None)
