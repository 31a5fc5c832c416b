"""The command `eie try`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.installation import how_to_install
from eie.host.cli.arrays import read_array, write_array
from eie.host.cli.flow_lines import do_steps
from eie.host.cli.parser import Commands
from eie.host.cli.progress import showing

__all__ = ["add", "run"]

_BOARD = "pynq-z2"


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add(
        "try",
        run,
        "do everything with a network of handwritten digits that comes with eie",
        more="; its model, inputs and labels stay in the folder, to try other commands on",
    )
    sub.add_argument(
        "--out", type=Path, default=Path("eie-try"), metavar="DIR", help="folder (eie-try)"
    )


def run(options: argparse.Namespace) -> int:
    """Lay out model, inputs and labels, and take them all the way."""
    from eie.host.flow.digits import digits_network, save_program, test_digits
    from eie.host.flow.flow import Flow

    out: Path = options.out
    inputs, labels = test_digits()
    _check_folder(out, inputs, labels)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write to {out}: {error.strerror}") from error
    network = digits_network()
    write_array(out / "inputs.npy", inputs)
    write_array(out / "labels.npy", labels)
    print(f"{len(labels)} handwritten digits are in {out / 'inputs.npy'} and {out / 'labels.npy'}")
    model, keep = out / "model.pt2", True
    if not model.exists():
        try:
            with showing("writing the model as a torch program"):
                save_program(network, model)
        except ImportError:
            model, keep = out / "digits.npz", False
            network.save(model)
            print(
                "torch is not installed, so the network is taken as it was compressed, without "
                f"model.pt2: {how_to_install('compress')}"
            )
    print(f"the network that `make demo` trained on others is in {model}")
    flow = Flow(
        model,
        _BOARD,
        out,
        inputs=inputs,
        labels=labels,
        keep_weights=keep,
        sources={"X.npy": str(out / "inputs.npy"), "LABELS.npy": str(out / "labels.npy")},
    )
    status = do_steps(flow, out / "inputs.npy")
    print(
        f"try: eie compress {model} --sweep --calibration {out / 'inputs.npy'} --labels "
        f"{out / 'labels.npy'}\n"
        f"     eie flow {model} --board kv260 --data {out / 'inputs.npy'} {out / 'labels.npy'} "
        "--out kv260"
        if keep
        else f"try: eie fit {out / 'network.npz'} --board kv260 --out kv260.toml"
    )
    return status


def _check_folder(out: Path, inputs: npt.NDArray[Any], labels: npt.NDArray[Any]) -> None:
    """Refuse a folder that holds other files of the names that are written here."""
    expected = {out / "inputs.npy": inputs, out / "labels.npy": labels}
    others = [
        path.name
        for path, array in expected.items()
        if path.exists() and not np.array_equal(read_array(path), array)
    ]
    # The model comes last: where it is alone, it is another one.
    if not all(path.exists() for path in expected):
        others += [name for name in ("model.pt2", "digits.npz") if (out / name).exists()]
    if others:
        raise InputError(
            f"{out} holds {' and '.join(others)} of something else, which would be lost: give "
            "another --out"
        )
