"""The command `eie retrain`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import InputError
from eie.hls.boundary.numerals import integer, number
from eie.hls.spec.boards import BOARDS
from eie.host.cli.arrays import write_array
from eie.host.cli.density_option import densities
from eie.host.cli.parser import Commands
from eie.host.cli.progress import clear_line, showing

if TYPE_CHECKING:
    from eie.host.retrain import Retrained, StepReport
    from eie.host.retrain.tasks import Task

__all__ = ["add", "run"]

#: The built-in examples (:data:`eie.host.retrain.tasks.TASKS`, which needs torch).
_EXAMPLES = ("digits", "mnist", "lenet5")
_BOARD = "pynq-z2"
#: Widths of the table's columns, which is printed line by line.
_WIDTHS = (21, 9, 8, 8, 12, 10, 8, 10)


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add(
        "retrain",
        run,
        "prune, share and round a built-in example, training in between",
        more=" (eie.retrain does it with your model and your training loop: "
        "docs/how-to/retrain.md); the same command goes on where it was interrupted",
    )
    sub.add_argument("example", choices=_EXAMPLES, metavar="EXAMPLE", help=", ".join(_EXAMPLES))
    sub.add_argument("--out", type=Path, metavar="DIR", help="folder (eie-retrain-EXAMPLE)")
    sub.add_argument("--board", default=_BOARD, help=f"{', '.join(BOARDS)} ({_BOARD})")
    kept = sub.add_argument_group("how much is kept; without any, what the scan proposes")
    kept.add_argument(
        "--budget", metavar="POINTS", help="points of accuracy that the scan may plan to lose (0.5)"
    )
    kept.add_argument(
        "--total-density",
        metavar="F",
        help="share of all weights to keep, which the scan spreads over the layers",
    )
    kept.add_argument(
        "--density",
        action="append",
        metavar="F | LAYER=F",
        help="share of the weights to keep, of all layers or of one (repeated, or with commas)",
    )
    how = sub.add_argument_group("how")
    how.add_argument(
        "--activation-bits", type=integer, default=16, metavar="N", help="2 to 16 (16)"
    )
    how.add_argument(
        "--balance", type=integer, metavar="PES", help="masks with the same share on each PE"
    )
    how.add_argument(
        "--seed", type=integer, default=0, metavar="N", help="of data and training (0)"
    )
    how.add_argument(
        "--start-over", action="store_true", help="begin anew, whatever was done in the folder"
    )


def run(options: argparse.Namespace) -> int:
    """Train, retrain, and leave the result in a folder."""
    given = [
        name
        for name in ("budget", "total_density", "density")
        if getattr(options, name) is not None
    ]
    if len(given) > 1:
        names = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        raise InputError(f"{names} must not be given together")
    kept: dict[str, Any] = {}
    if options.density is not None:
        kept["density"] = densities(options.density)
    for name in ("budget", "total_density"):
        if getattr(options, name) is not None:
            kept[name] = number(getattr(options, name))

    from eie.host.retrain.report import HEAD
    from eie.host.retrain.tasks import TASKS

    task = TASKS[options.example]
    kept |= {
        "board": options.board,
        "activation_bits": options.activation_bits,
        "balance": options.balance,
        "seed": options.seed,
    }
    task.check(**kept)
    out = Path(f"eie-retrain-{task.name}") if options.out is None else options.out
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write to {out}: {error.strerror}") from error
    checkpoint = out / "checkpoint"
    if options.start_over:
        checkpoint.unlink(missing_ok=True)
    print(f"{task.name}: {task.text}")
    if checkpoint.exists():
        print(f"going on from {checkpoint} (--start-over begins anew)")
    with showing(""):
        data = task.load(options.seed)
        model = task.trained(data, options.seed)
        _print_row(HEAD)
        found = task.retrain(model, data, checkpoint=checkpoint, on_step=_print_step, **kept)
    if found.sensitivity is not None:
        print(found.sensitivity)
    for note in found.summary().notes:
        print(note)
    _write(task, found, data, out)
    return 0


def _print_step(report: StepReport) -> None:
    _print_row(report.cells())


def _print_row(cells: tuple[str, ...]) -> None:
    clear_line()
    padded = (cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
    print("  ".join(padded).rstrip(), flush=True)


def _write(task: Task, found: Retrained, data: Any, out: Path) -> None:
    """Leave what the next commands take: model, network, and test data of the part."""
    from eie.host.retrain.integer_part import part_inputs
    from eie.host.retrain.saving import program_bytes

    assert found.network is not None
    inputs = part_inputs(found.model, task.head, data.test_inputs)
    write_whole(out / "model.pt2", program_bytes(found.part, inputs))
    found.network.save(out / "network.npz")
    write_array(out / "inputs.npy", inputs.astype("float32"))
    write_array(out / "labels.npy", data.test_labels)
    print(
        f"in {out}: model.pt2, network.npz, and inputs.npy and labels.npy of the test data\n"
        f"next: eie flow {out / 'model.pt2'} --keep-weights --board {found.board} --data "
        f"{out / 'inputs.npy'} {out / 'labels.npy'} --out {out / 'flow'}"
    )
