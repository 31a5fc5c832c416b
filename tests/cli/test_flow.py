"""``eie flow`` and ``eie try``: all steps, kept where nothing changed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pynq", reason="runs on the emulated board")

from eie.hls.boundary.errors import ToolError
from eie.hls.spec.design import Design
from eie.host.flow.steps import STEPS
from eie.host.network import Network

FLOW = "flow net.npz --board pynq-z2 --data x.npy l.npy --out all"


@pytest.fixture(autouse=True)
def labels(folder):
    np.save("l.npy", np.array([0, 1, 2]))


def states(out: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+) +(done|kept|-) ", out, re.M))


def test_all_steps_with_their_files(eie):
    ended = eie(FLOW)
    assert (ended.status, ended.err) == (0, "")
    found = states(ended.out)
    assert tuple(found) == STEPS
    assert {found[name] for name in STEPS[:-1]} == {"done"}
    assert "generated C++: all 30 outputs of 3 vectors equal" in ended.out
    assert "driver on an emulated board: all 30 outputs of 3 vectors equal" in ended.out
    assert re.search(r"accuracy [\d.]+ % \(\d of 3\)", ended.out)
    assert "next: " in ended.out
    assert Network.load("all/network.npz") == Network.load("net.npz")
    assert Design.load("all/design.toml").board == "pynq-z2"
    assert np.load("all/outputs.npy").shape == (3, 10)
    assert (Path("all") / "project" / "kernel" / "eie.cpp").is_file()


@pytest.mark.usefixtures("board_on_an_emulator")
def test_what_did_not_change_is_kept(eie):
    eie(FLOW)
    assert set(states(eie(FLOW).out).values()) <= {"kept", "-"}
    # Other inputs: what does not depend on them is kept; the network was not calibrated with them.
    np.save("x.npy", np.load("x.npy") / 2)
    found = states(eie(FLOW).out)
    assert (found["fit"], found["generate"], found["emulate"]) == ("kept", "kept", "done")
    # A file that was changed or lost is made again, and what rests on it looked at again.
    Path("all/design.toml").unlink()
    found = states(eie(FLOW).out)
    assert (found["compress"], found["fit"], found["generate"]) == ("kept", "done", "kept")
    record = json.loads(Path("all/flow.json").read_text())
    Path("all/flow.json").write_text("{")
    assert states(eie(FLOW).out)["compress"] == "done"
    assert json.loads(Path("all/flow.json").read_text()) == record


@pytest.mark.usefixtures("board_on_an_emulator")
def test_a_step_that_fails_leaves_those_before_it(eie, monkeypatch):
    def failing(project: Path) -> None:
        raise ToolError("no such luck")

    with monkeypatch.context() as patch:
        patch.setattr("eie.hls.tools.compiled_kernel.CompiledKernel", failing)
        ended = eie(FLOW)
        assert ended.status == 2
        assert ended.err.startswith("eie: step simulate failed: ")
        assert "no such luck" in ended.err
        assert "the same command goes on from there" in ended.err
        assert states(ended.out)["emulate"] == "done"
    found = states(eie(FLOW).out)
    assert (found["emulate"], found["simulate"]) == ("kept", "done")


def test_without_a_compiler_the_others_go_on(eie, monkeypatch):
    Path("all").mkdir()
    Path("all/simulated.json").write_text("{}")  # of an earlier run
    monkeypatch.setenv("CXX", "no-such-compiler")
    ended = eie(FLOW)
    assert ended.status == 0
    assert "left out: simulating needs a C++ compiler" in ended.out
    assert "the fabric is the numpy emulator" in ended.out
    assert not Path("all/simulated.json").exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("flow x.npy --board kv260 --out new", "x.npy must be a saved torch.export program"),
        ("flow missing.pt2 --board kv260 --out new", "no file missing.pt2"),
        ("flow net.npz --board kv261 --out new", "board must be one of"),
        ("flow net.npz --board kv260 --out x.npy", "x.npy must be a folder, not a file"),
        ("flow net.npz --board kv260 --out new --density 0.1", "is compressed already"),
        ("flow net.npz --board kv260 --out new --data x.npy l.npy x.npy", "not 3 files"),
        ("flow net.npz --board kv260 --out new --data l.npy", "inputs must have shape"),
        ("flow net.npz --board kv260 --out new --data x.npy design.toml", "design.toml must be"),
    ],
)
def test_a_flow_that_is_none(command, message, refused):
    assert message in refused(command)


def test_labels_of_another_batch(refused):
    np.save("l.npy", np.zeros(4, int))
    assert "labels must be one for each of 3 vectors, not of shape (4,)" in refused(FLOW)


def test_try_leaves_what_other_commands_can_be_tried_on(eie, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")  # compiled in other tests
    ended = eie("try --out first")
    assert ended.status == 0
    assert "accuracy 98.61 % (354 of 359)" in ended.out
    for name in ("model.pt2", "inputs.npy", "labels.npy", "network.npz", "design.toml"):
        assert (Path("first") / name).is_file()
    # The program compresses to the very layers that it was made of.
    shipped = Network.load(Path(__file__).parents[2] / "notebooks" / "digits.npz")
    for mine, theirs in zip(Network.load("first/network.npz").layers, shipped.layers, strict=True):
        assert np.array_equal(mine.dense_weights() != 0, theirs.dense_weights() != 0)
