"""The board's end of `eie deploy`: sent over ssh as ``python3 -c SOURCE REQUEST``, never installed.

It does one thing and says how it went on a line of its own, as JSON. Everything that it is told is
in the request, JSON as well: no shell on the board ever reads a path. The standard library is all
it needs, of Python 3.6, so that it can say what an old image lacks.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any, Callable, Iterator  # noqa: UP035  # Python 3.6

ANSWER, PROGRESS = "eie-answer: ", "eie-progress: "
#: As eie names what is not yet whole.
PARTIAL = re.compile(r"\.eie-[0-9a-f]{32}\.partial")
#: What sets PYNQ's environment up in a shell.
PROFILES = (
    "/etc/profile.d/boardname.sh",
    "/etc/profile.d/pynq_venv.sh",
    "/etc/profile.d/xrt_setup.sh",
)
REVISIONS = ("/home/xilinx/REVISION", "/boot/REVISION")
BLOCK = 1 << 18
GRACE_SECONDS = 10
MOST_REPORT_BYTES = 1 << 20


class FailedError(Exception):
    """It could not be done; the message says why."""


def say(marker: str, value: Any) -> None:
    """Write a line for the other end; ASCII, whatever the board's locale is."""
    sys.stdout.write(marker + json.dumps(value) + "\n")
    sys.stdout.flush()


def preflight(folder: str) -> "dict[str, Any]":
    """Say what this board is, and what it has."""
    place = Path.cwd() / Path(folder).expanduser()
    there = place
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    return {
        "python": list(sys.version_info[:3]),
        "executable": sys.executable,
        "machine": platform.machine(),
        "model": read_text("/proc/device-tree/model"),
        "image": next(filter(None, map(read_text, REVISIONS)), ""),
        "pynq": installed("pynq"),
        "numpy": installed("numpy"),
        "root": os.geteuid() == 0,
        "sudo": may_sudo(),
        "folder": str(place),
        "writable": there.is_dir() and os.access(there, os.W_OK | os.X_OK),
        "free": shutil.disk_usage(str(there)).free,
    }


def read_text(path: str) -> str:
    """First line of a small file; nothing if there is none."""
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            return file.readline(200).strip("\0\n ")
    except OSError:
        return ""


def installed(name: str) -> "str | None":
    """Version of a distribution of this Python, which is not imported; None if there is none."""
    try:
        from importlib.metadata import PackageNotFoundError, version
    except ImportError:  # before Python 3.8
        return None
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def may_sudo() -> bool:
    """Whether sudo asks for no password."""
    try:
        return (
            subprocess.call(
                ["sudo", "-n", "true"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=20,
            )
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def receive(folder: str, name: str, size: int, sha256: str) -> "dict[str, Any]":
    """Read a package from the input and unpack it to `folder`/`name`: whole, or not at all."""
    try:
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        sweep(place)
        with partial_folder(place) as partial:
            package = partial / "package.zip"
            with package.open("wb") as file:
                copy(file.write, size, sha256)
            with zipfile.ZipFile(str(package)) as archive:
                top = unpack(archive, partial)
            package.unlink()
            put(top, place / name, partial)
    except zipfile.BadZipFile as error:
        raise FailedError(f"the package cannot be unpacked: {error}") from error
    return {}


def copy(write: "Callable[[bytes], Any]", size: int, sha256: str) -> None:
    """Take exactly `size` bytes from the input, and compare their sum."""
    digest = hashlib.sha256()
    left, told = size, time.monotonic()
    while left:
        block = os.read(0, min(BLOCK, left))
        if not block:
            raise FailedError(f"the connection ended after {size - left} of {size} bytes")
        write(block)
        digest.update(block)
        left -= len(block)
        if time.monotonic() - told > 1:
            told = time.monotonic()
            say(PROGRESS, f"copied {100 * (size - left) // size} %")
    if digest.hexdigest() != sha256:
        raise FailedError("the package was altered on its way: its SHA-256 differs")


def unpack(archive: zipfile.ZipFile, to: Path) -> Path:
    """Unpack all files below one folder; gives that folder."""
    tops = set()
    for member in archive.infolist():
        parts = member.filename.split("/")
        if len(parts) < 2 or any(part in ("", ".", "..") for part in parts):
            raise FailedError(f"the package has a file of no plain path: {parts!r}")
        tops.add(parts[0])
        path = to.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, path.open("xb") as file:
            shutil.copyfileobj(source, file, BLOCK)
        if (member.external_attr >> 16) & 0o100:
            path.chmod(0o755)
    if len(tops) != 1:
        raise FailedError(f"the package must have one folder, not {len(tops)}")
    return to / tops.pop()


def put(new: Path, target: Path, aside: Path) -> None:
    """Put a folder in its place, and what was there among what is removed in the end."""
    with contextlib.suppress(FileNotFoundError):
        target.rename(aside / "before")
    new.rename(target)


@contextlib.contextmanager
def partial_folder(parent: Path) -> "Iterator[Path]":
    """Give a folder that is known as unfinished: locked while this process lives, then removed."""
    path = parent / f".eie-{secrets.token_hex(16)}.partial"
    path.mkdir(0o755)
    lock = os.open(str(path), os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield path
    finally:
        shutil.rmtree(str(path), ignore_errors=True)
        os.close(lock)


def sweep(folder: Path) -> None:
    """Remove what transfers left that were killed, and nothing of one that is under way."""
    for path in folder.iterdir():
        if not PARTIAL.fullmatch(path.name):
            continue
        with contextlib.suppress(OSError):
            lock = os.open(str(path), os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(str(path), ignore_errors=True)
            finally:
                os.close(lock)


def run(folder: str, emulated: bool, timeout: float) -> "dict[str, Any]":
    """Run the package in PYNQ's environment; it ends when the connection does."""
    shell = "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"
    setup = 'for file in {}; do if [ -r "$file" ]; then . "$file"; fi; done; exec "$@"'
    command = [sys.executable, "run.py", "--out", "report.txt", "--timeout", str(timeout)]
    child = subprocess.Popen(
        [shell, "-c", setup.format(" ".join(PROFILES)), "eie", *command]
        + ["--emulated"] * emulated,
        cwd=folder,
        env=dict(os.environ, PYTHONUNBUFFERED="1"),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    threading.Thread(target=end_with_input, args=(child,), daemon=True).start()
    status = child.wait()
    try:
        with (Path(folder) / "report.txt").open(encoding="utf-8", errors="replace") as file:
            report = file.read(MOST_REPORT_BYTES)
    except FileNotFoundError:
        report = ""
    return {"status": status, "report": report}


def end_with_input(child: "subprocess.Popen[bytes]") -> None:
    """End a process once nobody is at the other end any more, so that the device is free again."""
    while os.read(0, BLOCK):
        pass
    for request in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, request)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)


def main() -> int:
    """Do what is asked; 0 if it was done."""
    request = json.loads(sys.argv[1])
    # From a broken connection comes no answer, and what was begun is tidied up all the same.
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(1))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    tasks: dict[str, Any] = {task.__name__: task for task in (preflight, receive, run)}
    try:
        answer = tasks[request.pop("task")](**request)
    except FailedError as error:
        answer = {"error": str(error)}
    except OSError as error:
        what = error.strerror or str(error)
        answer = {"error": f"{error.filename}: {what}" if error.filename else what}
    say(ANSWER, answer)
    return 1 if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main())
