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
from typing import Any, Callable, Dict, Iterator, Optional  # noqa: UP035  # Python 3.6

ANSWER, PROGRESS = "eie-answer: ", "eie-progress: "
#: As eie names what is not yet whole.
PARTIAL = re.compile(r"\.eie-[0-9a-f]{32}\.partial")
#: What sets PYNQ's environment up in a shell.
PROFILES = tuple("/etc/profile.d/%s.sh" % name for name in ("boardname", "pynq_venv", "xrt_setup"))
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


def preflight(folder: str) -> "Dict[str, Any]":
    """Say what this board is, and what it has."""
    folder = os.path.abspath(os.path.expanduser(folder))
    there = folder
    while not os.path.lexists(there) and there != "/":
        there = os.path.dirname(there)
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
        "folder": folder,
        "writable": os.path.isdir(there) and os.access(there, os.W_OK | os.X_OK),
        "free": shutil.disk_usage(there).free,
    }


def read_text(path: str) -> str:
    """First line of a small file; nothing if there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline(200).strip("\0\n ")
    except OSError:
        return ""


def installed(name: str) -> "Optional[str]":
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


def receive(folder: str, name: str, size: int, sha256: str) -> "Dict[str, Any]":
    """Read a package from the input and unpack it to `folder`/`name`: whole, or not at all."""
    try:
        os.makedirs(folder, exist_ok=True)
        sweep(folder)
        with partial_folder(folder) as partial:
            package = os.path.join(partial, "package.zip")
            with open(package, "wb") as file:
                copy(file.write, size, sha256)
            with zipfile.ZipFile(package) as archive:
                top = unpack(archive, partial)
            os.unlink(package)
            put(top, os.path.join(folder, name), partial)
    except zipfile.BadZipFile as error:
        raise FailedError("the package cannot be unpacked: {}".format(error)) from error
    return {}


def copy(write: "Callable[[bytes], Any]", size: int, sha256: str) -> None:
    """Take exactly `size` bytes from the input, and compare their sum."""
    digest = hashlib.sha256()
    left, told = size, time.monotonic()
    while left:
        block = os.read(0, min(BLOCK, left))
        if not block:
            raise FailedError("the connection ended after {} of {} bytes".format(size - left, size))
        write(block)
        digest.update(block)
        left -= len(block)
        if time.monotonic() - told > 1:
            told = time.monotonic()
            say(PROGRESS, "copied {} %".format(100 * (size - left) // size))
    if digest.hexdigest() != sha256:
        raise FailedError("the package was altered on its way: its SHA-256 differs")


def unpack(archive: zipfile.ZipFile, to: str) -> str:
    """Unpack all files below one folder; gives that folder."""
    tops = set()
    for member in archive.infolist():
        parts = member.filename.split("/")
        if len(parts) < 2 or any(part in ("", ".", "..") for part in parts):
            raise FailedError("the package has a file of no plain path: {!r}".format(parts))
        tops.add(parts[0])
        path = os.path.join(to, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(member) as source, open(path, "xb") as file:
            shutil.copyfileobj(source, file, BLOCK)
        if (member.external_attr >> 16) & 0o100:
            os.chmod(path, 0o755)
    if len(tops) != 1:
        raise FailedError("the package must have one folder, not {}".format(len(tops)))
    return os.path.join(to, tops.pop())


def put(new: str, target: str, aside: str) -> None:
    """Put a folder in its place, and what was there among what is removed in the end."""
    with contextlib.suppress(FileNotFoundError):
        os.rename(target, os.path.join(aside, "before"))
    os.rename(new, target)


@contextlib.contextmanager
def partial_folder(parent: str) -> "Iterator[str]":
    """Give a folder that is known as unfinished: locked while this process lives, then removed."""
    path = os.path.join(parent, ".eie-{}.partial".format(secrets.token_hex(16)))
    os.mkdir(path, 0o755)
    lock = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def sweep(folder: str) -> None:
    """Remove what transfers left that were killed, and nothing of one that is under way."""
    for name in os.listdir(folder):
        if not PARTIAL.fullmatch(name):
            continue
        with contextlib.suppress(OSError):
            lock = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
            finally:
                os.close(lock)


def run(folder: str, emulated: bool, timeout: float) -> "Dict[str, Any]":
    """Run the package in PYNQ's environment; it ends when the connection does."""
    shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
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
        with open(os.path.join(folder, "report.txt"), encoding="utf-8", errors="replace") as file:
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
    tasks = {task.__name__: task for task in (preflight, receive, run)}  # type: Dict[str, Any]
    try:
        answer = tasks[request.pop("task")](**request)
    except FailedError as error:
        answer = {"error": str(error)}
    except OSError as error:
        what = error.strerror or str(error)
        answer = {"error": "{}: {}".format(error.filename, what) if error.filename else what}
    say(ANSWER, answer)
    return 1 if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main())
