"""The command `eie compress`."""

from __future__ import annotations

import argparse
from pathlib import Path

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.numerals import number
from eie.hls.boundary.text import listed
from eie.hls.boundary.warning import warn
from eie.hls.spec.boards import BOARDS, find_board
from eie.hls.spec.design import NO_BOARD
from eie.host.cli.arrays import read_data
from eie.host.cli.cut_option import add_cut, cut_of
from eie.host.cli.density_option import densities
from eie.host.cli.describe import describe
from eie.host.cli.output_paths import check_suffix
from eie.host.cli.parser import Commands
from eie.host.cli.progress import showing
from eie.host.flow.data import through
from eie.host.flow.host_side import cut_lines
from eie.host.flow.quality import quality_text
from eie.host.flow.reading import read_with_shape, sizes_of
from eie.host.flow.sequence_data import check_model_data
from eie.host.flow.task import GivenArrays

__all__ = ["add", "run"]

#: Points that a sweep may lose if not said otherwise.
_BUDGET = 1.0


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add(
        "compress", run, "make a network file of a model (.pt2, .onnx, .keras)", "out"
    )
    sub.add_argument(
        "model",
        type=Path,
        metavar="MODEL",
        help="a torch.export program (.pt2), an ONNX or QONNX model (.onnx), or a Keras 3 model "
        "(.keras); docs/reference/models.md says what they may hold",
    )
    sub.add_argument("--out", type=Path, metavar="NET.npz", help="must be given but with --sweep")
    sub.add_argument(
        "--density",
        action="append",
        metavar="F | LAYER=F",
        help="share of the weights to keep, of all layers or of one (repeated, or with commas); "
        "without one 0.1, or all that are not zero in a layer pruned or shared already",
    )
    sub.add_argument(
        "--calibration",
        type=Path,
        metavar="X.npy",
        help="real inputs to choose formats by; of a recurrent model sequences: (batch, steps, "
        "features), or of different lengths an .npz with an array (steps, features) for each",
    )
    sub.add_argument(
        "--labels",
        type=Path,
        metavar="L.npy",
        help="classes of the calibration, shape (n,), or wanted outputs, to print the accuracy; "
        "where every step has outputs, one for each: (n, steps), or an .npz by name",
    )
    sub.add_argument(
        "--keep-weights",
        action="store_true",
        help="weights are pruned and shared already (at most 15 distinct ones a layer)",
    )
    add_cut(sub)
    sweep = sub.add_argument_group("a sweep of densities, to choose one")
    sweep.add_argument(
        "--sweep",
        nargs="?",
        const="",
        metavar="F,F,...",
        help="print accuracy (or error), bytes and latency of several densities; with --out the "
        "smallest that loses little enough is written",
    )
    sweep.add_argument(
        "--budget", metavar="POINTS", help="points of accuracy or error that may be lost (1)"
    )
    sweep.add_argument("--board", help=f"whose latency to predict: {', '.join(BOARDS)}")


def run(options: argparse.Namespace) -> None:
    """Compress once, or to several densities."""
    if options.out is not None:
        check_suffix(options.out, ".npz")
    if options.labels is not None and options.calibration is None:
        raise InputError("--labels must be given with --calibration, whose classes they are")
    if options.sweep is not None:
        _sweep(options)
        return
    for name in ("budget", "board"):
        if getattr(options, name) is not None:
            raise InputError(f"--{name} must be given with --sweep")
    if options.out is None:
        options.parser.error("the following arguments are required: --out")
    if options.density is not None and options.keep_weights:
        raise InputError("--density must not be given with --keep-weights: nothing is pruned")
    density = None if options.density is None else densities(options.density)
    calibration, labels = map(_data, (options.calibration, options.labels))
    with showing("compressing"):
        parts = read_with_shape(options.model, cut=cut_of(options.cut))

        from eie.host.cut import compress_parts  # torch is only needed here
        from eie.host.flow.model_quality import evaluate_compressed

        given = check_model_data(
            calibration,
            labels,
            sizes_of(parts),
            name=f"calibration in {options.calibration}",
            labels_name=f"labels in {options.labels}",
        )
        data = through(given, parts.host)
        network = compress_parts(
            parts,
            density=density,
            calibration=data.calibration,
            keep_weights=options.keep_weights,
        )
        quality = ""
        if data.labels is not None:
            quality = quality_text(evaluate_compressed(parts, network, data))
    network.save(options.out)
    if parts.host is not None:
        parts.host.save(options.out.parent)
    describe(network, options.out)
    if parts.host is not None:
        for line in cut_lines(parts.host, network, data)[1:]:  # where the cut is, is said already
            print(line)
        written = listed(str(options.out.parent / name) for name in parts.host.names)
        if written:
            print(f"wrote {written}: what the host runs with torch")
    if quality:
        print(f"on the calibration: {quality}")


def _data(path: Path | None) -> GivenArrays | None:
    return None if path is None else read_data(path)


def _sweep(options: argparse.Namespace) -> None:
    from eie.host.flow.sweep import DENSITIES, sweep_densities

    if options.keep_weights or options.density is not None:
        raise InputError("--sweep must not be given with --density or --keep-weights")
    if options.calibration is None:
        raise InputError("--sweep must be given with --calibration, on which densities compare")
    chosen = list(DENSITIES)
    if options.sweep:
        try:
            chosen = [number(text) for text in options.sweep.split(",")]
        except InputError as error:
            raise InputError(
                f"--sweep must be densities such as 0.05,0.1,0.2, not {options.sweep!r} (the model "
                "comes before it)"
            ) from error
    budget = _BUDGET if options.budget is None else number(options.budget)
    board = NO_BOARD if options.board is None else find_board(options.board).name
    calibration, labels = read_data(options.calibration), _data(options.labels)
    with showing("compressing"):
        found = sweep_densities(
            options.model,
            calibration,
            labels=labels,
            densities=chosen,
            board=board,
            budget=budget,
            cut=cut_of(options.cut),
        )
    print(found.as_text())
    best = found.best
    if options.out is None:
        if best is not None:
            print(
                f"next: eie compress {options.model} --density {best.density:g} --calibration "
                f"{options.calibration} --out NET.npz"
            )
        return
    if best is None:
        raise InputError(f"no density loses little enough, so {options.out} was not written")
    for each in best.warnings:
        warn(each)
    best.network.save(options.out)
    print(f"wrote {options.out}: density {best.density:g}")
