"""Files and folders to write are looked at before anything is done."""

from __future__ import annotations

import io
import os
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from eie.hls.spec.design import Design
from eie.host.cli.main import main
from eie.host.project.generate import generate


@pytest.mark.parametrize("command", ["compress m.pt2", "fit net.npz --board pynq-z2"])
def test_a_missing_folder_is_said_first(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    assert main([*command.split(), "--out", "nowhere/file"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "cannot write nowhere/file: there is no folder" in error


@pytest.mark.parametrize(
    ("command", "suffix"), [("compress m.pt2", ".npz"), ("fit net.npz --board pynq-z2", ".toml")]
)
@pytest.mark.parametrize("name", ["o.txt", "o", "o.NPZ", ".npz"])
def test_a_file_that_no_command_would_take_is_refused_first(
    tmp_path, monkeypatch, capsys, command, suffix, name
):
    monkeypatch.chdir(tmp_path)
    assert main([*command.split(), "--out", name]) == 2
    assert capsys.readouterr().err == f"eie: --out must end in {suffix}, not {name!r}\n"


def test_a_bad_report_leaves_no_outputs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = "emulate net.npz --inputs x.npy --outputs y.npy --report nowhere/r.json"
    assert main(words.split()) == 2
    assert "nowhere/r.json" in capsys.readouterr().err
    assert not (tmp_path / "y.npy").exists()


def test_options_must_be_whole(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["fit", "net.npz", "--boar", "pynq-z2", "--out", "d.toml"])
    assert caught.value.code == 2
    assert "--boar" in capsys.readouterr().err


def test_generating_into_the_project_itself_replaces_it(tmp_path, monkeypatch):
    project = generate(Design(pes=1), tmp_path / "project")
    before = sorted(path.relative_to(project) for path in project.rglob("*"))
    monkeypatch.chdir(project)
    generate(Design(pes=2), ".")
    monkeypatch.chdir(tmp_path)
    assert Design.load(project / "design.toml").pes == 2
    assert sorted(path.relative_to(project) for path in project.rglob("*")) == before


def test_a_project_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch, capsys):
    Design(pes=1).save(tmp_path / "design.toml")
    monkeypatch.chdir(tmp_path)

    def read_only(folder: Path, mode: int = 0o777, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "mkdir", read_only)
    assert main(["generate", "design.toml", "--out", "p"]) == 2
    assert capsys.readouterr().err == (
        f"eie: cannot write project folder p: Permission denied, in the folder {tmp_path}\n"
    )


@pytest.mark.parametrize("out", ["file/p", "file/deeper/p"])
def test_a_file_in_the_way_of_a_project_is_named(tmp_path, monkeypatch, capsys, out):
    Design(pes=1).save(tmp_path / "design.toml")
    (tmp_path / "file").write_text("mine")
    monkeypatch.chdir(tmp_path)
    assert main(["generate", "design.toml", "--out", out]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"eie: cannot write project folder {out}: ")
    assert f"in the folder {tmp_path / out}".removesuffix("/p") + "\n" in error
    assert ".p." not in error


def test_generating_into_the_empty_folder_one_is_in(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    generate(Design(pes=1), ".")
    assert (tmp_path / "empty" / "kernel" / "eie.cpp").is_file()


# What there may be already at the place of an output ------------------------------------------

EMULATE = "emulate net.npz --inputs x.npy --outputs"


def test_outputs_through_a_fifo(eie, folder):
    os.mkfifo("y")
    with ThreadPoolExecutor(1) as reader:
        found = reader.submit((folder / "y").read_bytes)
        assert eie(f"{EMULATE} y").status == 0
        assert np.load(io.BytesIO(found.result())).shape == (3, 10)
    assert (folder / "y").is_fifo()


def test_outputs_and_report_to_one_device(eie, folder):
    """As root a device that is replaced is gone for everybody."""
    try:
        os.mknod("null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.close(os.open("null", os.O_WRONLY))
    except PermissionError:
        pytest.skip("devices can only be made by root, outside of most containers")
    assert eie(f"{EMULATE} null --report null").status == 0
    assert (folder / "null").is_char_device()


def test_outputs_behind_a_link(eie, folder):
    (folder / "there").mkdir()
    (folder / "y.npy").symlink_to("there/y.npy")
    for _ in ("a link to nothing", "a link to a file"):
        assert eie(f"{EMULATE} y.npy").status == 0
        assert (folder / "y.npy").is_symlink()
        assert np.load(folder / "there" / "y.npy").shape == (3, 10)


@pytest.mark.parametrize("loop", ["y.npy", "missing/y.npy"])
def test_outputs_behind_a_link_that_leads_nowhere(refused, folder, loop):
    (folder / "y.npy").symlink_to(loop)
    assert refused(f"{EMULATE} y.npy").startswith("cannot write y.npy: ")
    assert (folder / "y.npy").is_symlink()


@pytest.mark.parametrize(
    "command",
    [f"{EMULATE} old", f"{EMULATE} y.npy --report old", "compress m.pt2 --out old.npz"],
)
def test_a_read_only_file_is_refused_first(refused, folder, command):
    for name in ("old", "old.npz"):
        (folder / name).write_bytes(b"protected")
        (folder / name).chmod(0o444)
    assert "the file is read-only: chmod u+w makes it writable" in refused(command)


def test_a_socket_is_refused(refused, folder):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("y")
        assert refused(f"{EMULATE} y") == "cannot write y: it is a socket"
