"""The command `eie deploy`."""

from __future__ import annotations

import argparse
from pathlib import Path

from eie.hls.boundary.numerals import integer, seconds
from eie.host.cli.arrays import write_file
from eie.host.cli.parser import Commands

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add("deploy", run, "take a package to a board by ssh and try it", "out")
    sub.add_argument("package", type=Path, metavar="PACKAGE.zip")
    sub.add_argument("target", metavar="USER@BOARD", help="or a host of ~/.ssh/config")
    sub.add_argument("--port", type=integer, metavar="N", help="ssh's port (22)")
    sub.add_argument("--identity", type=Path, metavar="KEY", help="file of a private key")
    sub.add_argument("--python", metavar="PYTHON", help="Python on the board (PYNQ's)")
    sub.add_argument(
        "--dir", default="eie", metavar="FOLDER", help="where on the board (eie, in the home)"
    )
    sub.add_argument(
        "--ask", action="store_true", help="let ssh and sudo ask for passwords in the terminal"
    )
    sub.add_argument(
        "--emulated", action="store_true", help="run on an emulated board there, as a rehearsal"
    )
    sub.add_argument("--timeout", type=seconds, default=10.0, help="seconds a packet may take (10)")
    sub.add_argument(
        "--out", type=Path, metavar="REPORT.txt", help="the report (PACKAGE.report.txt)"
    )


def run(options: argparse.Namespace) -> int:
    """Take a package to a board; 0 if all is well there, 1 if a check failed."""
    from eie.host.cli.arrays import check_target
    from eie.host.deploy.deploy import deploy

    out = options.out or options.package.with_suffix(".report.txt")
    check_target(out)
    found = deploy(
        options.package,
        options.target,
        port=options.port,
        identity=options.identity,
        python=options.python,
        folder=options.dir,
        ask=options.ask,
        emulated=options.emulated,
        timeout=options.timeout,
        say=lambda line: print(line, flush=True),
    )
    write_file(out, found.report)
    print(f"wrote {out}; the package is in {found.folder} on the board")
    return 0 if found.passed else 1
