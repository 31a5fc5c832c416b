"""`eie deploy` over a real ssh, to a machine that plays the board with an emulated one."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from eie.hls.boundary.errors import DeviceError, InputError
from eie.host.cli.main import main
from eie.host.deploy import ssh
from eie.host.deploy.deploy import deploy
from eie.host.deploy.preflight import BoardFacts
from eie.host.deploy.ssh import Connection, Target, UnreachableError

pytest.importorskip("pynq", reason="the far side runs the real pynq package")


@pytest.fixture
def there(tmp_path) -> Path:
    """Where packages go on the board; a name that a shell would take apart."""
    return tmp_path / "a board's $(folder)"


@pytest.fixture
def to_board(board, there):
    """Deploy a package; gives what came of it, and the lines that were said."""

    def run(package, **changes):
        said: list[str] = []
        values = {
            "port": board.port,
            "identity": board.key,
            "python": sys.executable,
            "folder": str(there),
            "emulated": True,
            "say": said.append,
            **changes,
        }
        return deploy(package, board.target, **values), said

    return run


@pytest.fixture
def connection(board) -> Connection:
    return Connection(Target.parse(board.target), board.port, board.key, sys.executable)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_a_package_is_copied_tried_and_reported_on(to_board, project_package, there, unpacked):
    found, said = to_board(project_package)
    assert found.passed
    assert "60 outputs of 6 golden vectors are right" in found.report
    assert "network 300-200: 1800 outputs and " in found.report
    assert found.report.endswith("All checks passed.\n")
    assert found.report == (Path(found.folder) / "report.txt").read_text()
    assert any(line.startswith("board: ") for line in said)
    assert "All checks passed." in said
    # What is there is what was packed, under a name that its contents have.
    digest = hashlib.sha256(project_package.read_bytes()).hexdigest()
    assert files(there) == {f"eie-pynq-z2-4pe-{digest[:12]}"}
    here = unpacked(project_package)
    for path in here.rglob("*"):
        if path.is_file():
            copied = Path(found.folder) / path.relative_to(here)
            assert copied.read_bytes() == path.read_bytes()
    assert os.access(Path(found.folder) / "run.py", os.X_OK)


def test_again_takes_the_place_of_what_is_there(to_board, quick_package, there):
    first, _ = to_board(quick_package)
    network = Path(first.folder) / "network.npz"
    whole = network.read_bytes()
    network.write_bytes(b"edited")
    second, _ = to_board(quick_package)
    assert second.passed
    assert second.folder == first.folder
    assert network.read_bytes() == whole
    assert files(there) == {Path(first.folder).name}


def test_a_check_that_fails_is_reported(to_board, project_package, repacked, network):
    stream = io.BytesIO()
    np.save(stream, network.golden_outputs ^ 1)
    found, said = to_board(repacked(project_package, {"vectors/outputs.npy": stream.getvalue()}))
    assert not found.passed
    assert "FAILED  test vectors: 60 of 60 outputs are wrong" in found.report
    assert "SOMETHING FAILED: see above." in said


def test_what_run_py_cannot_do_is_told(to_board, project_package, repacked):
    script = b"import sys; print('something \x1b[2J', file=sys.stderr); sys.exit(2)"
    changed = repacked(project_package, {"run.py": script})
    said: list[str] = []
    with pytest.raises(DeviceError, match=r"run.py ended with status 2"):
        to_board(changed, say=said.append)
    assert said[-1] == "something \\x1b[2J"


def test_an_altered_package_is_not_sent(to_board, quick_package, repacked, there):
    changed = repacked(quick_package, {"network.npz": b"altered"}, right=False)
    with pytest.raises(InputError, match=r"network.npz is not the file that was packed"):
        to_board(changed)
    assert not there.exists()


def test_this_machine_is_no_board(to_board, built_package, there):
    with pytest.raises(InputError, match="the processor of a pynq-z2 is armv7l, not"):
        to_board(built_package, emulated=False)
    assert not there.exists()


def test_a_package_without_a_bitstream_is_not_sent(to_board, quick_package, there):
    with pytest.raises(InputError, match="the package has no bitstream yet"):
        to_board(quick_package, emulated=False)
    assert not there.exists()


def test_a_place_that_is_a_file_is_refused(to_board, quick_package, there):
    there.write_text("a file")
    with pytest.raises(InputError, match="cannot be written: see --dir"):
        to_board(quick_package)
    assert there.read_text() == "a file"


def test_an_empty_place_is_refused(to_board, quick_package):
    with pytest.raises(InputError, match="folder must be a path on the board"):
        to_board(quick_package, folder="")


@pytest.fixture
def as_a_board(monkeypatch):
    """Let this machine pass for a board whose sudo asks for a password."""
    parse = BoardFacts.parse

    def passing(answer):
        return dataclasses.replace(
            parse(answer), machine="armv7l", pynq="3.0.1", numpy="1.21.5", root=False, sudo=False
        )

    monkeypatch.setattr(BoardFacts, "parse", passing)


def test_sudo_is_given_the_password_that_was_asked_for(
    to_board, built_package, as_a_board, tmp_path, monkeypatch
):
    sudo = tmp_path / "sudo"
    sudo.write_text(f'#!/bin/sh\nread word\necho "$word" >{tmp_path}/word\nexec "$@"\n')
    sudo.chmod(0o755)
    monkeypatch.setattr(ssh, "_SUDO_ASKING", (str(sudo),))
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "the password")
    monkeypatch.setattr(Connection, "asking", lambda self: contextlib.nullcontext(self))
    said: list[str] = []
    with pytest.raises(DeviceError, match=r"run\.py ended with status 2"):
        to_board(built_package, emulated=False, ask=True, say=said.append)
    assert (tmp_path / "word").read_text() == "the password\n"
    # It came as far as a machine without an FPGA comes.
    assert any(re.search("pynq finds no device|belongs to root", line) for line in said)


def test_without_a_terminal_no_password_is_asked_for(
    to_board, built_package, as_a_board, there, monkeypatch
):
    def none(prompt):
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", none)
    monkeypatch.setattr(Connection, "asking", lambda self: contextlib.nullcontext(self))
    with pytest.raises(InputError, match="there must be a terminal"):
        to_board(built_package, emulated=False, ask=True)
    assert not there.exists()
    with pytest.raises(InputError, match="sudo asks for a password here"):
        to_board(built_package, emulated=False)


# What goes wrong on the way.


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
    assert files(there) == set()


def test_what_ends_early_is_not_taken(connection, quick_package, there, tmp_path):
    (tmp_path / "half").write_bytes(quick_package.read_bytes()[:1000])
    with (
        (tmp_path / "half").open("rb") as file,
        pytest.raises(DeviceError, match="the connection ended after 1000 of"),
    ):
        send(connection, there, file, quick_package)
    assert files(there) == set()


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
        assert files(disk / "eie") == set()


def test_a_disk_that_is_too_full_is_found_before(to_board, quick_package, tmp_path):
    with small_disk(tmp_path / "disk", "2M") as disk:
        with pytest.raises(InputError, match=r"MB free for .*make room, or see --dir"):
            to_board(quick_package, folder=str(disk / "eie"))
        assert files(disk) == set()


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
    eventually(lambda: files(there) == set(), "a partial package is left")
    assert to_board(quick_package)[0].passed


def test_a_connection_that_breaks_leaves_nothing(half_sent, there, board, eventually):
    _, ended, thread = half_sent
    for session in board.sessions():
        os.kill(session, signal.SIGKILL)
    thread.join()
    assert isinstance(ended[0], UnreachableError)
    assert "broke" in str(ended[0])
    eventually(lambda: files(there) == set(), "a partial package is left")


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
    (left,) = files(there)
    assert left.endswith(".partial")
    found, _ = to_board(quick_package)
    assert files(there) == {Path(found.folder).name}


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
    assert files(there) == {"package", Path(found.folder).name}


# The command.


@pytest.fixture
def arguments(board, there, quick_package, tmp_path) -> list[str]:
    shutil.copy(quick_package, tmp_path / "digits.zip")
    words = ["deploy", tmp_path / "digits.zip", board.target, "--port", board.port]
    words += ["--identity", board.key, "--python", sys.executable, "--dir", there, "--emulated"]
    return [str(word) for word in words]


def test_the_command_brings_the_report_back(arguments, tmp_path, capsys):
    assert main(arguments) == 0
    report = (tmp_path / "digits.report.txt").read_text()
    assert report == "nothing was checked\n"
    printed = capsys.readouterr().out
    assert printed.startswith("connecting to ")
    assert "All checks passed." in printed
    assert f"wrote {tmp_path}/digits.report.txt" in printed


def test_the_command_says_where_the_report_goes(arguments, tmp_path):
    assert main([*arguments, "--out", str(tmp_path / "r.txt")]) == 0
    assert (tmp_path / "r.txt").exists()
    assert not (tmp_path / "digits.report.txt").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--port", "0"], "port must be 1 to 65535"),
        (["--out", "/missing/r.txt"], "there is no folder /missing"),
        (["--identity", "/missing"], "no file /missing with a private key"),
        (["--python", "-x"], "python must be a program|expected one argument"),
    ],
)
def test_the_command_refuses(arguments, capsys, change, message, there):
    with contextlib.suppress(SystemExit):
        assert main([*arguments, *change]) == 2
    captured = capsys.readouterr()
    assert re.search(message, captured.err)
    assert "Traceback" not in captured.err
    assert not there.exists()


def test_ctrl_c_ends_what_runs_on_the_board(
    arguments, quick_package, repacked, tmp_path, eventually
):
    started = tmp_path / "started"
    script = f"""
import os, time
with open({str(started)!r}, "w") as file:
    file.write(str(os.getpid()))
print("it runs", flush=True)
time.sleep(600)
"""
    changed = repacked(quick_package, {"run.py": script.encode()})
    shutil.copy(changed, arguments[1])
    command = [sys.executable, "-m", "eie.host.cli.main", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        eventually(lambda: started.exists() and started.read_text(), "run.py does not run")
        far = int(started.read_text())
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert errors.decode().splitlines()[-1] == "eie: interrupted"
    eventually(lambda: not Path(f"/proc/{far}").exists(), "run.py goes on")
    assert not (tmp_path / "digits.report.txt").exists()
