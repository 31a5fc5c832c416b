"""`eie package` on the command line."""

from __future__ import annotations

import numpy as np
import pytest

from eie.hls.spec.design import Design
from eie.host.cli.main import main
from eie.host.deploy.zip_file import read_package

DESIGN = Design(pes=4, entries_per_pe=8192, board="pynq-z2")


@pytest.fixture
def folder(tmp_path, monkeypatch, network):
    network.save(tmp_path / "net.npz")
    DESIGN.save(tmp_path / "design.toml")
    np.save(tmp_path / "x.npy", np.eye(3, 20, dtype=np.float32))
    np.save(tmp_path / "labels.npy", np.array([1, 2, 3]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_says_what_is_in_it_and_what_comes_next(folder, capsys):
    assert main(["package", "net.npz", "--design", "design.toml", "--out", "p.zip"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("wrote p.zip: ")
    assert "project, no bitstream yet, network, 6 test vectors" in printed
    assert "next: eie deploy p.zip root@BOARD --emulated" in printed
    assert read_package("p.zip").facts.design == DESIGN


def test_after_a_build(folder, build, capsys):
    words = f"package net.npz --bitstream {build}/eie.bit --out p.zip".split()
    assert main(words) == 0
    assert "next: eie deploy p.zip root@BOARD\n" in capsys.readouterr().out


def test_vectors_that_emulate_gave_are_taken(folder, capsys):
    common = "--inputs x.npy --outputs y.npy"
    assert main(f"emulate net.npz --design design.toml {common}".split()) == 0
    words = f"package net.npz --design design.toml {common} --labels labels.npy --out p.zip"
    assert main(words.split()) == 0
    facts = read_package("p.zip").facts
    assert (facts.vectors, facts.golden, facts.labelled) == (3, False, True)


def test_inputs_that_are_saturated_are_told(folder, capsys):
    np.save(folder / "x.npy", np.eye(3, 20) * 1e6)
    words = "package net.npz --design design.toml --inputs x.npy --out p.zip"
    assert main(words.split()) == 0
    assert capsys.readouterr().err.startswith("eie: 3 of 60 input values were saturated")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("package net.npz --design design.toml --out p.tar", "--out must end in .zip"),
        ("package net.npz --out p.zip", "there must be a design, a project or a bitstream"),
        ("package net.npz --project net.npz --out p.zip", "must be a project folder"),
        ("package x.npy --design design.toml --out p.zip", "must be a network file"),
        (
            "package net.npz --design design.toml --labels labels.npy --out p.zip",
            "labels must be classes, integers of shape (6,)",
        ),
        ("deploy missing.zip root@pynq", "no file missing.zip"),
        ("deploy net.npz root@pynq", "must be a package of `eie package` (.zip), not a compressed"),
    ],
)
def test_refused(folder, capsys, words, message):
    before = {path.name for path in folder.iterdir()}
    assert main(words.split()) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("eie: ")
    assert message in errors
    assert {path.name for path in folder.iterdir()} == before


def test_a_target_that_is_an_option_is_refused(folder, capsys):
    assert main(["package", "net.npz", "--design", "design.toml", "--out", "p.zip"]) == 0
    assert main(["deploy", "p.zip", "--", "-oProxyCommand=touch x"]) == 2
    assert "must be given as user@host" in capsys.readouterr().err
    assert not (folder / "x").exists()
