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
from pathlib import Path

import numpy as np
import pytest
from folder_contents import names

from eie.hls.boundary.errors import DeviceError, InputError
from eie.host.cli.main import main
from eie.host.deploy import ssh
from eie.host.deploy.preflight import BoardFacts
from eie.host.deploy.ssh import Connection

pytest.importorskip("pynq", reason="the far side runs the real pynq package")


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
    assert set(names(there)) == {f"eie-pynq-z2-4pe-{digest[:12]}"}
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
    assert set(names(there)) == {Path(first.folder).name}


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
