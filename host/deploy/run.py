#!/usr/bin/env python3
"""Check this package, try it out, and write a report to attach to an issue.

    sudo python3 run.py                 on the board, in PYNQ's environment
    python3 run.py --emulated           on an emulated board, anywhere that has pynq

The SHA-256 of every file is compared first. Nothing is installed: the wheel that the package brings
is unpacked to a temporary folder and used from there. Python 3.10, numpy and pynq are all it takes.
"""

# Written so that Python 3.6, as PYNQ images before 2.7 have it, can read it and say that it is too
# old.
import sys

if __name__ == "__main__" and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    # What lies in this folder by chance is not imported in place of libraries.
    del sys.path[0]

import argparse
import atexit
import hashlib
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SUMS = "SHA256SUMS"
OLDEST_PYTHON = (3, 10)


def main() -> int:
    """Run the script; 0 if all is well, 1 if a check failed, 2 if there is nothing to check."""
    parser = argparse.ArgumentParser(
        description="Check this package and try it out.",
        epilog="Exit status: 0 all is well, 1 a check failed, 2 it could not be tried.",
    )
    parser.add_argument("--emulated", action="store_true", help="on an emulated board, without one")
    parser.add_argument(
        "--install", action="store_true", help="install the package's wheel first, and only it"
    )
    parser.add_argument("--out", default=str(HERE / "report.txt"), help="the report (report.txt)")
    parser.add_argument(
        "--timeout", type=float, default=10.0, help="seconds that a packet may take (10)"
    )
    options = parser.parse_args()
    try:
        wheel = verify()
        if options.install:
            install(wheel)
        prepare(wheel)
    except PackageError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    from eie.host.deploy.board_check import run_checks

    try:
        return run_checks(
            HERE, emulated=options.emulated, report=options.out, timeout=options.timeout
        )
    except KeyboardInterrupt:
        print("run.py: interrupted", file=sys.stderr)
        return 130


class PackageError(Exception):
    """The package is not as it was made, or cannot be used here."""


def verify(folder: Path = HERE) -> Path:
    """Compare every file of the package with its SHA-256; gives the path of its wheel."""
    try:
        with (folder / SUMS).open(encoding="utf-8") as file:
            listing = [line.rstrip("\n").partition("  ") for line in file]
    except (OSError, ValueError) as error:
        raise PackageError(f"cannot read {SUMS}: {error}") from error
    problems = []
    for expected, _, name in listing:
        path = folder.joinpath(*name.split("/"))
        try:
            if sha256(path) != expected:
                problems.append(f"{name} is not the file that was packed")
        except FileNotFoundError:
            problems.append(f"{name} is missing")
        except (OSError, ValueError) as error:
            problems.append(f"{name} cannot be read: {error}")
    names = [name for _, _, name in listing]
    wheels = [name for name in names if name.startswith("wheel/") and name.endswith(".whl")]
    if len(wheels) != 1:
        problems.append(f"{SUMS} must name one wheel, not {len(wheels)}")
    problems += [f"{n} is not named in {SUMS}" for n in ("run.py",) if n not in names]
    if problems:
        shown = problems[:10] + ["..."] * (len(problems) > 10)
        raise PackageError(
            "the package is not whole:\n  - {}\nunpack the zip again; if that does not help, copy "
            "or make it again".format("\n  - ".join(shown))
        )
    return folder.joinpath(*wheels[0].split("/"))


def sha256(path: Path) -> str:
    """Hash a file; hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def install(wheel: Path) -> None:
    """Install the wheel and nothing else, without any index."""
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index"]
    status = subprocess.call([*command, "--force-reinstall", str(wheel)])
    if status != 0:
        raise PackageError(f"pip could not install {wheel} (exit status {status})")


def prepare(wheel: "Path | None" = None) -> None:
    """Make this program import eie from the package's wheel, whatever else is installed.

    A notebook beside this file calls it, too.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise PackageError(
            "Python must be 3.10 or later, as in images of PYNQ 3.0 and later, not "
            + sys.version.split()[0]
        )
    wheel = wheel or verify()
    unpacked = tempfile.mkdtemp(prefix="eie-")
    atexit.register(shutil.rmtree, unpacked, ignore_errors=True)
    with zipfile.ZipFile(str(wheel)) as archive:
        archive.extractall(unpacked)
    for name in [name for name in sys.modules if name.partition(".")[0] == "eie"]:
        del sys.modules[name]
    sys.path.insert(0, unpacked)
    try:
        import eie.hls
    except ImportError as error:
        raise PackageError(f"cannot import eie from {wheel}: {error}") from error
    found = str(eie.hls.__file__)
    if not found.startswith(unpacked):
        raise PackageError(f"another eie comes first, {found}: uninstall it, or run.py --install")


if __name__ == "__main__":
    sys.exit(main())
