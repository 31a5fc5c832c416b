#!/usr/bin/env python3
"""Check this package, try it out, and write a report to attach to an issue.

    sudo python3 run.py                 on the board, in PYNQ's environment
    python3 run.py --emulated           on an emulated board, anywhere that has pynq

The SHA-256 of every file is compared first. Nothing is installed: the wheel that the package brings
is unpacked to a temporary folder and used from there. Python 3.10, numpy and pynq are all it takes.
"""

# Written so that Python 3.6, which PYNQ images before 2.7 have, can read it and say that it is too old.
import argparse
import atexit
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
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
    parser.add_argument(
        "--out", default=os.path.join(HERE, "report.txt"), help="the report (report.txt)"
    )
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
        print("run.py: {}".format(error), file=sys.stderr)
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


def verify(folder: str = HERE) -> str:
    """Compare every file of the package with its SHA-256; gives the path of its wheel."""
    try:
        with open(os.path.join(folder, SUMS), encoding="utf-8") as file:
            listing = [line.rstrip("\n").partition("  ") for line in file]
    except (OSError, ValueError) as error:
        raise PackageError("cannot read {}: {}".format(SUMS, error))
    problems = []
    for expected, _, name in listing:
        path = os.path.join(folder, *name.split("/"))
        try:
            if sha256(path) != expected:
                problems.append("{} is not the file that was packed".format(name))
        except FileNotFoundError:
            problems.append("{} is missing".format(name))
        except (OSError, ValueError) as error:
            problems.append("{} cannot be read: {}".format(name, error))
    names = [name for _, _, name in listing]
    wheels = [name for name in names if name.startswith("wheel/") and name.endswith(".whl")]
    if len(wheels) != 1:
        problems.append("{} must name one wheel, not {}".format(SUMS, len(wheels)))
    problems += ["{} is not named in {}".format(n, SUMS) for n in ("run.py",) if n not in names]
    if problems:
        shown = problems[:10] + ["..."] * (len(problems) > 10)
        raise PackageError(
            "the package is not whole:\n  - {}\nunpack the zip again; if that does not help, copy "
            "or make it again".format("\n  - ".join(shown))
        )
    return os.path.join(folder, *wheels[0].split("/"))


def sha256(path: str) -> str:
    """Hash a file; hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def install(wheel: str) -> None:
    """Install the wheel and nothing else, without any index."""
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index"]
    status = subprocess.call([*command, "--force-reinstall", wheel])
    if status != 0:
        raise PackageError("pip could not install {} (exit status {})".format(wheel, status))


def prepare(wheel: str = "") -> None:
    """Make this program import eie from the package's wheel, whatever else is installed.

    A notebook beside this file calls it, too.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise PackageError(
            "Python must be 3.10 or later, as in images of PYNQ 3.0 and later, not {}".format(
                sys.version.split()[0]
            )
        )
    wheel = wheel or verify()
    unpacked = tempfile.mkdtemp(prefix="eie-")
    atexit.register(shutil.rmtree, unpacked, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    for name in [name for name in sys.modules if name.partition(".")[0] == "eie"]:
        del sys.modules[name]
    sys.path.insert(0, unpacked)
    try:
        import eie.hls
    except ImportError as error:
        raise PackageError("cannot import eie from {}: {}".format(wheel, error))
    if not str(eie.hls.__file__).startswith(unpacked):
        raise PackageError(
            "another eie comes first, at {}: uninstall it, or run.py --install".format(
                os.path.dirname(str(eie.hls.__file__))
            )
        )


if __name__ == "__main__":
    # Files that lie in this folder by chance are not imported in place of libraries.
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != HERE]
    sys.exit(main())
