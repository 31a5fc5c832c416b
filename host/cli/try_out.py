"""The command `eie try`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.installation import how_to_install
from eie.host.cli.arrays import write_array
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
    from eie.host.flow.steps import Flow

    out: Path = options.out
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write to {out}: {error.strerror}") from error
    inputs, labels = test_digits()
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
        model, _BOARD, out, inputs=inputs, labels=labels.astype(np.int64), keep_weights=keep
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
