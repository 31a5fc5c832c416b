"""Files and folders to write are looked at before anything is done."""

from __future__ import annotations

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

    def read_only(prefix: str, dir: object) -> str:
        raise PermissionError(13, "Permission denied", f"{dir}/{prefix}gbufkkbz")

    monkeypatch.setattr("tempfile.mkdtemp", read_only)
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
