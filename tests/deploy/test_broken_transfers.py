"""What goes wrong while a package is on its way: nothing of it stays on the board."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from folder_contents import names

from eie.hls.boundary.errors import DeviceError, InputError
from eie.host.deploy.ssh import Connection, UnreachableError

pytest.importorskip("pynq", reason="the far side runs the real pynq package")


def send(connection: Connection, there: Path, input, package: Path, **changes):
    data = package.read_bytes()
    values = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), **changes}
    return connection.call("receive", input=input, folder=str(there), name="package", **values)


def test_what_changes_on_the_way_is_not_taken(connection, quick_package, there):
    with (
        quick_package.open("rb") as file,
        pytest.raises(DeviceError, match="altered on its way: its SHA-256 differs"),
    ):
        send(connection, there, file, quick_package, sha256="0" * 64)
    assert names(there) == []


def test_what_ends_early_is_not_taken(connection, quick_package, there, tmp_path):
    (tmp_path / "half").write_bytes(quick_package.read_bytes()[:1000])
    with (
        (tmp_path / "half").open("rb") as file,
        pytest.raises(DeviceError, match="the connection ended after 1000 of"),
    ):
        send(connection, there, file, quick_package)
    assert names(there) == []


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "eie", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk, and not everywhere")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


# Too small for the zip, for what is in it, and for both at once.
@pytest.mark.parametrize("size", ["128k", "700k", "1100k"])
def test_a_disk_that_fills_up_on_the_way(connection, quick_package, tmp_path, size):
    with small_disk(tmp_path / "disk", size) as disk:
        with (
            quick_package.open("rb") as file,
            pytest.raises(DeviceError, match="No space left on device"),
        ):
            send(connection, disk / "eie", file, quick_package)
        assert names(disk / "eie") == []


def test_a_disk_that_is_too_full_is_found_before(to_board, quick_package, tmp_path):
    with small_disk(tmp_path / "disk", "2M") as disk:
        with pytest.raises(InputError, match=r"MB free for .*make room, or see --dir"):
            to_board(quick_package, folder=str(disk / "eie"))
        assert names(disk) == []


@pytest.fixture
def half_sent(connection, quick_package, there, eventually):
    """A transfer in its middle; gives its pipe, how it ended (when it has), and its thread."""
    read, write = os.pipe()
    ended: list[BaseException | None] = []

    def work() -> None:
        try:
            with os.fdopen(read, "rb") as input:
                send(connection, there, input, quick_package)
            ended.append(None)
        except BaseException as error:
            ended.append(error)

    half = quick_package.read_bytes()[:40_000]
    thread = threading.Thread(target=work)
    thread.start()
    os.write(write, half)
    eventually(lambda: there.exists() and any(there.glob(".eie-*.partial")), "nothing came")
    try:
        yield write, ended, thread
    finally:
        with contextlib.suppress(OSError):
            os.close(write)
        thread.join()


def descendants(pid: int) -> set[int]:
    """All processes below one."""
    parents = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parents[int(entry.name)] = int(
                (entry / "stat").read_text().rpartition(")")[2].split()[1]
            )
    found = {pid}
    while more := {each for each, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def command_line(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def test_a_sender_that_is_killed_leaves_nothing(
    half_sent, there, eventually, to_board, quick_package
):
    _, ended, thread = half_sent
    (sender,) = [
        pid for pid in descendants(os.getpid()) if b'"task": "receive"' in command_line(pid)
        and command_line(pid).split(b"\0")[0].endswith(b"ssh")
    ]  # fmt: skip
    os.kill(sender, signal.SIGKILL)
    thread.join()
    assert isinstance(ended[0], DeviceError | UnreachableError)
    eventually(lambda: names(there) == [], "a partial package is left")
    assert to_board(quick_package)[0].passed


def test_a_connection_that_breaks_leaves_nothing(half_sent, there, board, eventually):
    _, ended, thread = half_sent
    for session in board.sessions():
        os.kill(session, signal.SIGKILL)
    thread.join()
    assert isinstance(ended[0], UnreachableError)
    assert "broke" in str(ended[0])
    eventually(lambda: names(there) == [], "a partial package is left")


def test_what_a_killed_receiver_left_is_removed_next_time(
    half_sent, there, board, eventually, to_board, quick_package
):
    _, ended, thread = half_sent
    (receiver,) = [
        pid for pid in descendants(board.pid)
        if command_line(pid).startswith(os.fsencode(sys.executable))
    ]  # fmt: skip
    os.kill(receiver, signal.SIGKILL)
    thread.join()
    assert isinstance(ended[0], DeviceError)
    (left,) = names(there)
    assert left.endswith(".partial")
    found, _ = to_board(quick_package)
    assert set(names(there)) == {Path(found.folder).name}


def test_two_at_a_time_do_not_disturb_each_other(half_sent, there, to_board, quick_package):
    write, ended, thread = half_sent
    found, _ = to_board(quick_package)
    assert found.passed
    os.write(write, quick_package.read_bytes()[40_000:][: 1 << 15])
    rest = memoryview(quick_package.read_bytes())[40_000 + (1 << 15) :]
    while rest:
        rest = rest[os.write(write, rest) :]
    thread.join()
    assert ended == [None]
    assert set(names(there)) == {"package", Path(found.folder).name}
