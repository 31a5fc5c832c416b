"""The command `eie info`."""

from __future__ import annotations

import argparse
from pathlib import Path

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.file_kinds import identify
from eie.hls.spec.design import Design
from eie.host.cli.area import WHOLE, print_area
from eie.host.cli.describe import describe, describe_design
from eie.host.cli.parser import Commands
from eie.host.network import Network

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add("info", run, "say what a network, a design or a bitstream is")
    sub.add_argument("file", type=Path, nargs="?", metavar="NET.npz|DESIGN.toml|F.bit")
    detail = sub.add_mutually_exclusive_group()
    detail.add_argument(
        "--stages",
        action="store_true",
        help="of a design: the cycles that pipeline stages are allowed, process by process",
    )
    detail.add_argument(
        "--area",
        nargs="?",
        const=WHOLE,
        metavar="PROCESS",
        help="of a design: what each process takes of the FPGA, or the parts of one process",
    )


def run(options: argparse.Namespace) -> None:
    """Describe the file by its kind."""
    if options.file is None and options.area not in (None, WHOLE):
        # `--area DESIGN`: what looks like the name of a process is the file.
        options.file, options.area = Path(options.area), WHOLE
    if options.file is None:
        raise InputError("a network (.npz), a design (.toml) or a bitstream (.bit) must be given")
    path: Path = options.file
    kind = identify(path)
    if options.stages:
        if path.suffix != ".toml" and kind.name != "design":
            raise InputError(f"--stages must be given with a design (.toml), not {path}")
        _print_stages(path)
    elif options.area is not None:
        if path.suffix != ".toml" and kind.name != "design":
            raise InputError(f"--area must be given with a design (.toml), not {path}")
        print_area(Design.load(path), options.area)
    elif path.suffix == ".npz" or kind.name == "network":
        describe(Network.load(path), path)
    elif path.suffix == ".toml" or kind.name == "design":
        describe_design(Design.load(path))
    elif path.suffix == ".bit":
        _describe_bitstream(path)
    elif kind.name == "missing":
        raise InputError(f"no file {path}")
    else:
        advice = f": {kind.advice}" if kind.advice else ""
        raise InputError(
            f"{path} must be a network (.npz), a design (.toml) or a bitstream (.bit), not "
            f"{kind.text}{advice}"
        )


def _print_stages(path: Path) -> None:
    """What a run takes on top of the cycles that are counted; by the project's synthesis."""
    from eie.hls.tools.reports import project_allowance

    print(project_allowance(path.parent, Design.load(path)).as_text())


def _describe_bitstream(path: Path) -> None:
    from eie.hls.tools.manifest import Manifest

    if not path.is_file():
        raise InputError(f"no bitstream {path}")
    manifest = Manifest.load(path.parent)
    manifest.verify(path.parent)
    print(f"built with {manifest.tool} on {manifest.date} for {manifest.part}")
    print(f"clock {manifest.clock_hz / 1e6:.3f} MHz, slack {manifest.wns_ns:.3f} ns")
    print(manifest.rtl.text)
    describe_design(manifest.design)
