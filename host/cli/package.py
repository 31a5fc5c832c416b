"""The command `eie package`."""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

from eie.hls.boundary.errors import EieWarning
from eie.hls.boundary.text import listed
from eie.hls.boundary.warning import warn
from eie.hls.spec.design import Design
from eie.host.cli.arrays import read_data
from eie.host.cli.output_paths import check_suffix
from eie.host.cli.parser import Commands
from eie.host.network import Network
from eie.host.network.head_record import HOST_FILES, HeadRecord

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add("package", run, "put all that a board needs into one zip", "out")
    sub.add_argument("network", type=Path, metavar="NET.npz")
    sub.add_argument("--bitstream", type=Path, metavar="F.bit", help="what `eie build` made")
    sub.add_argument(
        "--project", type=Path, metavar="PROJECT", help="before a build: the project to build"
    )
    sub.add_argument(
        "--design", type=Path, metavar="DESIGN.toml", help="before a build: its project is made"
    )
    sub.add_argument(
        "--inputs",
        type=Path,
        metavar="X.npy",
        help="test vectors (the network's golden ones); of a recurrent network sequences, as "
        "`eie emulate` takes them",
    )
    sub.add_argument(
        "--outputs", type=Path, metavar="Y.npy", help="what `eie emulate` gave for them"
    )
    sub.add_argument("--labels", type=Path, metavar="L.npy", help="classes, to show accuracy")
    sub.add_argument("--out", type=Path, required=True, metavar="PACKAGE.zip")


def run(options: argparse.Namespace) -> None:
    """Write a package, and say what is in it and what comes next."""
    from eie.host.deploy.package import package
    from eie.host.deploy.zip_file import read_package

    check_suffix(options.out, ".zip")
    arrays = {
        name: read_data(getattr(options, name))
        for name in ("inputs", "outputs", "labels")
        if getattr(options, name) is not None
    }
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", EieWarning)
        network = Network.load(options.network)
        package(
            options.out,
            network=network,
            design=Design.load(options.design) if options.design is not None else None,
            project=options.project,
            bitstream=options.bitstream,
            host_files=_host_files(options.network, network),
            **arrays,
        )
    for each in told:
        print(f"eie: {each.message}", file=sys.stderr)
    made = read_package(options.out)
    facts = made.facts
    held = "bitstream" if facts.built else "project, no bitstream yet"
    print(
        f"wrote {options.out}: {made.size / 1e6:.1f} MB, {len(made.members)} files in "
        f"{facts.folder}/ ({held}, network, {facts.tests}, wheel, notebook, run.py)"
    )
    emulated = "" if facts.built else " --emulated"
    print(f"next: eie deploy {options.out} root@BOARD{emulated}")
    print(
        f"or here: python -m zipfile -e {options.out} . && cd {facts.folder} && "
        "python run.py --emulated"
    )
    if not facts.built:
        print("a bitstream: `eie build` its project where Vitis HLS and Vivado are, then again")


def _host_files(path: Path, network: Network) -> dict[str, bytes]:
    """What the host does of the model, which lies beside the network; warns where it does not."""
    record = HeadRecord.of(network)
    if record is None:
        return {}
    does = zip(HOST_FILES, (record.front, record.behind), strict=True)
    wanted = [name for name, text in does if text]
    missing = [name for name in wanted if not (path.parent / name).is_file()]
    if missing:
        warn(
            f"{path} is the head of a model, and {listed(missing)}, which the host runs with "
            "torch, is not beside it: the package takes what the host makes of the model's inputs"
        )
        return {}
    return {name: (path.parent / name).read_bytes() for name in wanted}
