"""How a board is called: what ssh is told, what it cannot be made to do, and why it may fail."""

from __future__ import annotations

import dataclasses
import json
import shlex
import shutil
import socket
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import DeviceError, InputError, ToolError
from eie.host.deploy import ssh
from eie.host.deploy.ssh import Connection, Target, UnreachableError


@pytest.mark.parametrize(
    ("text", "user", "host"),
    [
        ("xilinx@192.168.2.99", "xilinx", "192.168.2.99"),
        ("pynq", None, "pynq"),
        ("a.b-c_d@board-1.lab.example", "a.b-c_d", "board-1.lab.example"),
        ("root@fe80::1%eth0", "root", "fe80::1%eth0"),
        ("root@::1", "root", "::1"),
    ],
)
def test_targets(text, user, host):
    assert Target.parse(text) == Target(user, host)
    assert str(Target.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "@pynq",
        "xilinx@",
        "-oProxyCommand=touch /tmp/x",
        "xilinx@-oProxyCommand=x",
        "-l@pynq",
        "pynq;reboot",
        "$(reboot)@pynq",
        "`reboot`",
        "a b",
        "pynq\n",
        "ssh://pynq",
        "a@b@c",
        "fe80::1%$(reboot)",
        "pynq%h",
        "pynq|x",
        "pýnq",
    ],
)
def test_what_is_no_target_is_refused(text):
    with pytest.raises(InputError, match="must be given as user@host"):
        Target.parse(text)


@given(st.text(max_size=20))
def test_no_target_reaches_ssh_as_an_option_or_a_word_of_a_shell(text):
    try:
        target = str(Target.parse(text))
    except InputError:
        return
    assert not target.startswith("-")
    assert shlex.quote(target) == target or "%" in target
    assert target.isascii()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"port": 0}, "port must be 1 to 65535, not 0"),
        ({"port": 65536}, "port must be 1 to 65535"),
        ({"python": "-c"}, "python must be a program"),
        ({"python": ""}, "python must be a program"),
    ],
)
def test_what_makes_no_connection_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        Connection(Target.parse("pynq"), **values)


def test_a_key_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no file .* with a private key"):
        Connection(Target.parse("pynq"), identity=tmp_path / "none")
    (tmp_path / "${HOME}").touch()
    with pytest.raises(InputError, match="ssh takes it for a variable"):
        Connection(Target.parse("pynq"), identity=tmp_path / "${HOME}")


@settings(max_examples=20, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30))
def test_no_shell_reads_what_a_request_holds(text):
    python = Connection(Target.parse("pynq"), python="/some where/py'thon")
    words = shlex.split(python._remote(json.dumps({"task": text}), False, None))
    assert words[0] == "/some where/py'thon"
    assert json.loads(words[-1]) == {"task": text}
    # As a board's shell reads it.
    line = Connection(Target.parse("pynq"), python="words")._remote(
        json.dumps({"task": text}), False, None
    )
    for shell in ("sh", "bash"):
        script = f"""words() {{ printf %s "$3"; }}\n{line}"""
        found = subprocess.run([shell, "-c", script], capture_output=True, check=True)
        assert json.loads(found.stdout) == {"task": text}


def test_without_ssh_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="ssh was not found on PATH: install OpenSSH's client"):
        Connection(Target.parse("pynq")).call("preflight", folder="eie")


def connection(board, **values) -> Connection:
    values = {"port": board.port, "identity": board.key, "python": sys.executable, **values}
    return Connection(Target.parse(board.target), **values)


def test_a_board_answers(board):
    answer = connection(board).call("preflight", folder="~/somewhere/new")
    assert answer["executable"] == sys.executable
    assert answer["folder"].endswith("/somewhere/new")
    assert "~" not in answer["folder"]


def test_python3_is_found_where_there_is_no_pynq(board):
    answer = connection(board, python=None).call("preflight", folder=".")
    assert answer["python"][0] == 3


@pytest.mark.parametrize("name", ["a b", "-", "$HOME", "a'b", 'a"b', "a\nb", "`x`", "%d", "ü"])
def test_names_are_taken_as_they_are(board, tmp_path, name):
    identity = tmp_path / f"key {name}"
    shutil.copy(board.key, identity)
    answer = connection(board, identity=identity).call("preflight", folder=f"/tmp/{name}/x")
    assert answer["folder"] == f"/tmp/{name}/x"


def test_a_closed_port(board, free_port):
    with pytest.raises(UnreachableError, match="nothing listens on port"):
        connection(board, port=free_port()).call("preflight", folder=".")


def test_a_wrong_key(board):
    with pytest.raises(UnreachableError, match=r"refuses the key: `ssh-copy-id -p .* --ask"):
        connection(board, identity=board.wrong_key).call("preflight", folder=".")


def test_a_host_that_nobody_knows(board):
    target = Target.parse("root@no-such-board.invalid")
    with pytest.raises(UnreachableError, match=r"no host is called no-such-board\.invalid"):
        dataclasses.replace(connection(board), target=target).call("preflight", folder=".")


def test_a_host_key_that_is_not_known(board, tmp_path):
    script = tmp_path / "bin" / "ssh"
    script.write_text(script.read_text().replace('"$@"', '-o UserKnownHostsFile=/dev/null "$@"'))
    with pytest.raises(UnreachableError, match="is not known yet: connect once"):
        connection(board).call("preflight", folder=".")


def test_a_host_key_that_has_changed(board, tmp_path):
    script = tmp_path / "bin" / "ssh"
    kind, key = board.wrong_key.with_suffix(".pub").read_text().split()[:2]
    (tmp_path / "known").write_text(f"[127.0.0.1]:{board.port} {kind} {key}\n")
    script.write_text(
        script.read_text().replace('"$@"', f'-o UserKnownHostsFile={tmp_path}/known "$@"')
    )
    with pytest.raises(UnreachableError, match="is not the machine that it was"):
        connection(board).call("preflight", folder=".")


def test_a_key_that_others_can_read(board, tmp_path):
    shutil.copy(board.key, tmp_path / "key")
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(UnreachableError, match="can be read by others: chmod 600"):
        connection(board, identity=tmp_path / "key").call("preflight", folder=".")


def test_a_host_that_does_not_answer(board, monkeypatch):
    monkeypatch.setattr(ssh, "_CONNECT_SECONDS", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with pytest.raises(UnreachableError, match=rf"no way to .*, port {port}: .*timed out"):
            connection(board, port=port).call("preflight", folder=".")


def test_a_python_that_is_not_there(board):
    with pytest.raises(DeviceError, match="/none/python cannot be run there"):
        connection(board, python="/none/python").call("preflight", folder=".")


def test_a_python_that_answers_nothing(board):
    with pytest.raises(DeviceError, match=r"no answer \(exit status 0\)"):
        connection(board, python="echo").call("preflight", folder=".")


def test_what_is_said_cannot_steer_the_terminal(board):
    heard: list[str] = []
    with pytest.raises(DeviceError):
        connection(board, python="printf '\\033[2J\\n' #").call(
            "preflight", folder=".", say=heard.append
        )
    assert not any("\x1b" in line for line in heard)


@pytest.mark.parametrize("answer", ["[]", "{", '"text"', "[" * 100_000])
def test_an_answer_that_makes_no_sense_is_refused(board, tmp_path, answer):
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\ncat {tmp_path}/answer\n")
    script.chmod(0o755)
    (tmp_path / "answer").write_text(f"eie-answer: {answer}\n")
    with pytest.raises(DeviceError, match="the board's answer"):
        connection(board, python=str(script)).call("preflight", folder=".")


def test_sudo_that_asks_is_told(board, tmp_path, monkeypatch):
    # A sudo like those of boards, first on the path of the far side.
    sudo = tmp_path / "sudo"
    sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    sudo.chmod(0o755)
    monkeypatch.setattr(ssh, "_SUDO", (str(sudo), "-n", "--"))
    with pytest.raises(DeviceError, match="sudo refuses: sudo: a password is required"):
        connection(board).call("preflight", sudo=True, folder=".")


def test_sudo_gets_its_password_and_the_task_the_rest(board, tmp_path, monkeypatch):
    sudo = tmp_path / "sudo"
    sudo.write_text(
        '#!/bin/sh\nread word\nif [ "$word" != "pass word" ]; then\n'
        "echo 'sudo: 1 incorrect password attempt' >&2; exit 1; fi\nexec \"$@\"\n"
    )
    sudo.chmod(0o755)
    monkeypatch.setattr(ssh, "_SUDO_ASKING", (str(sudo),))
    answer = connection(board).call("preflight", sudo=True, password="pass word", folder=".")
    assert "python" in answer
    with pytest.raises(DeviceError, match="sudo refuses: the password is wrong"):
        connection(board).call("preflight", sudo=True, password="other", folder=".")


def test_asking_connects_once_for_all(board, tmp_path, monkeypatch):
    """A key with a passphrase, which ssh asks a program for where there is no terminal."""
    key = tmp_path / "key"
    shutil.copy(board.key, key)
    command = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "pass phrase", "-f", str(key)]
    subprocess.run(command, check=True)
    with pytest.raises(UnreachableError, match="refuses the key"):
        connection(board, identity=key).call("preflight", folder=".")
    asked = tmp_path / "asked"
    (tmp_path / "askpass").write_text(f"#!/bin/sh\necho x >>{asked}\necho 'pass phrase'\n")
    (tmp_path / "askpass").chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", str(tmp_path / "askpass"))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    with connection(board, identity=key).asking() as shared:
        for _ in range(3):
            assert "python" in shared.call("preflight", folder=".")
        assert shared.socket.exists()
    assert not shared.socket.exists()
    assert asked.read_text() == "x\n"


def test_asking_for_a_board_that_refuses(board):
    with (
        pytest.raises(UnreachableError, match="ssh could not connect"),
        connection(board, identity=board.wrong_key).asking(),
    ):
        pass
