"""``eie flow`` and ``eie try``: all steps, kept where nothing changed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pynq", reason="runs on the emulated board")

from eie.hls.boundary.errors import InputError, ToolError
from eie.hls.spec.design import Design
from eie.host.flow.steps import STEPS
from eie.host.network import Network

FLOW = "flow net.npz --board pynq-z2 --data x.npy l.npy --out all"


@pytest.fixture(autouse=True)
def labels(folder):
    np.save("l.npy", np.array([0, 1, 2]))


@pytest.fixture
def model(folder):
    """``model.pt2``, of which a tenth of the weights are not enough."""
    torch = pytest.importorskip("torch", reason="compressing reads torch models")
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(20, 30), torch.nn.ReLU(), torch.nn.Linear(30, 10)
    ).eval()
    torch.export.save(torch.export.export(module, (torch.zeros(1, 20),)), "model.pt2")
    with torch.no_grad():
        classes = module(torch.from_numpy(np.load("x.npy")).float()).argmax(dim=1)
    np.save("l.npy", classes.numpy())
    return module


def states(out: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+) +(done|kept|anew|-) ", out, re.M))


def test_all_steps_with_their_files(eie):
    ended = eie(FLOW)
    assert (ended.status, ended.err) == (0, "")
    found = states(ended.out)
    assert tuple(found) == STEPS
    assert set(found.values()) == {"done"}
    for engine in ("generated C++", r"driver on an emulated board \(the fabric is the compiled C"):
        assert re.search(rf"{engine}.*: all 30 outputs of 3 vectors equal", ended.out)
    assert re.search(r"accuracy [\d.]+ % \(\d of 3\)", ended.out)
    assert "next: " in ended.out
    assert Network.load("all/network.npz") == Network.load("net.npz")
    assert Design.load("all/design.toml").board == "pynq-z2"
    assert np.load("all/outputs.npy").shape == (3, 10)
    assert (Path("all") / "project" / "kernel" / "eie.cpp").is_file()
    facts = json.loads(Path("all/report.json").read_text())
    assert [each["engine"].split(" (")[0] for each in facts["agreement"]] == [
        "numpy emulator",
        "generated C++",
        "driver on an emulated board",
    ]
    # The golden outputs of this network are random numbers.
    assert all(each["equal"] == each["outputs"] for each in facts["agreement"][1:])
    assert f"{facts['size']['loaded_bytes']:,} bytes are loaded onto the chip" in ended.out
    commands = [line for step in facts["next_steps"] for line in step["commands"]]
    assert any("x.npy" in line for line in commands)


@pytest.mark.usefixtures("board_on_an_emulator")
def test_what_can_be_known_of_a_model_is(eie, model):
    ended = eie("flow model.pt2 --board pynq-z2 --data x.npy l.npy --out all")
    assert ended.status == 0
    assert "most of it comes from pruning" in ended.err
    assert "(--density 0.2, and `eie compress --sweep`" in ended.err
    assert "of the model before compression 100.00 %" in ended.out
    assert re.search(r"layer 0: model's outputs 0 to [\d.]+, error [\d.]+ % rms, 0 of 90 cut off",
                     ended.out)  # fmt: skip
    assert re.search(r"PEs busy \d+ % of the batch's cycles", ended.out)
    facts = json.loads(Path("all/report.json").read_text())
    assert facts["missing"] == {}
    assert facts["accuracy"]["float_accuracy"] == 1.0
    assert all(layer["rms_error"] is not None for layer in facts["layers"])
    assert len(facts["activity"]["busy"]) == Design.load("all/design.toml").pes
    # A warning is of the network, whether it was made now or before.
    again = eie("flow model.pt2 --board pynq-z2 --data x.npy l.npy --out all")
    assert set(states(again.out).values()) == {"kept"}
    assert again.err == ended.err


@pytest.mark.usefixtures("board_on_an_emulator")
def test_what_did_not_change_is_kept(eie):
    eie(FLOW)
    assert set(states(eie(FLOW).out).values()) == {"kept"}
    # Other inputs: what does not depend on them is kept; the network was not calibrated with them.
    np.save("x.npy", np.load("x.npy") / 2)
    ended = eie(FLOW)
    found = states(ended.out)
    assert (found["fit"], found["generate"], found["emulate"]) == ("kept", "kept", "anew")
    assert re.search(r"^emulate +anew +since inputs changed:$", ended.out, re.M)
    # A file that was changed or lost is made again, and what rests on it looked at again.
    Path("all/design.toml").unlink()
    ended = eie(FLOW)
    found = states(ended.out)
    assert (found["compress"], found["fit"], found["generate"]) == ("kept", "anew", "kept")
    assert "since design.toml is missing:" in ended.out


@pytest.mark.usefixtures("board_on_an_emulator")
def test_other_options_of_the_same_model(eie, model):
    flow = "flow model.pt2 --data x.npy l.npy --out all"
    eie(f"{flow} --board pynq-z2")
    ended = eie(f"{flow} --board kv260")
    assert (states(ended.out)["compress"], states(ended.out)["fit"]) == ("kept", "anew")
    assert "since board is kv260 now, pynq-z2 before:" in ended.out
    assert Design.load("all/design.toml").board == "kv260"
    ended = eie(f"{flow} --board kv260 --density 0.5")
    assert set(states(ended.out).values()) <= {"anew", "kept"}
    assert "since density is 0.5 now, not given before:" in ended.out


@pytest.mark.usefixtures("board_on_an_emulator")
def test_another_models_work_is_not_replaced(eie, refused, random_network):
    eie(FLOW)
    random_network(20, 10, golden=2).save("other.npz")
    other = FLOW.replace("net.npz", "other.npz")
    message = refused(other)
    assert "all holds the work of another model, made from net.npz (done: compress, " in message
    assert "give another --out, or --start-over to replace its work" in message
    shutil.copy("net.npz", "kept.npz")
    shutil.copy("other.npz", "net.npz")
    assert "all was made from net.npz before it changed (done: " in refused(FLOW)
    assert states(eie(f"{other} --start-over").out)["compress"] == "done"
    assert Network.load("all/network.npz") == Network.load("other.npz")
    Path("all/flow.json").write_text("{")
    message = refused(other)
    assert "all holds network.npz, design.toml, project, outputs.npy, cycles.json and 4" in message
    assert "no record says what they were made from" in message


@pytest.mark.usefixtures("board_on_an_emulator")
def test_a_step_that_fails_leaves_those_before_it(eie, monkeypatch):
    def failing(error: Exception):
        def fail(project: Path) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr("eie.host.flow.engines.CompiledKernel", fail)
            return eie(FLOW)

    ended = failing(ToolError("no such luck"))
    assert ended.status == 2
    assert ended.err.startswith("eie: step simulate failed: no such luck\n")
    assert "with that put right, the same command goes on from there" in ended.err
    assert states(ended.out)["emulate"] == "done"
    ended = failing(InputError("no such input"))
    assert "the same command would fail again" in ended.err
    assert "goes on from there" not in ended.err
    ended = failing(KeyboardInterrupt())
    assert ended.status == 130
    assert "what was done (compress, fit, generate, emulate) is kept in all: the same command" in (
        ended.err
    )
    found = states(eie(FLOW).out)
    assert (found["emulate"], found["simulate"]) == ("kept", "done")


@pytest.mark.usefixtures("board_on_an_emulator")
def test_without_a_compiler_the_others_go_on(eie, monkeypatch):
    eie(FLOW)
    monkeypatch.setenv("CXX", "no-such-compiler")
    np.save("x.npy", np.load("x.npy") / 2)
    ended = eie(FLOW)
    assert ended.status == 0
    assert "left out: simulating needs a C++ compiler" in ended.out
    assert "the fabric is the numpy emulator" in ended.out
    assert not Path("all/simulated.json").exists()  # of other inputs


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("flow x.npy --board kv260 --out new", "x.npy must be a saved torch.export program"),
        ("flow missing.pt2 --board kv260 --out new", "no file missing.pt2"),
        ("flow net.npz --board kv261 --out new", "board must be one of"),
        ("flow net.npz --board kv260 --out x.npy", "x.npy must be a folder, not a file"),
        ("flow net.npz --board kv260 --out new --density 0.1", "is compressed already: --density"),
        ("flow net.npz --board kv260 --out new --data x.npy l.npy x.npy", "not 3 files"),
        ("flow net.npz --board kv260 --out new --data x.npy design.toml", "design.toml must be"),
        ("flow net.npz --board kv260 --out project", "project holds "),
    ],
)
def test_a_flow_that_is_none(command, message, refused):
    if "project" in message:
        shutil.copy("net.npz", "project/network.npz")
    assert message in refused(command)


@pytest.mark.parametrize(
    ("labels", "messages"),
    [
        (np.zeros(4, int), ["labels in l.npy must be one for each of 3 vectors, not 4 labels"]),
        (np.zeros((3, 1), int), [r"(3,), not (3, 1): save labels.ravel() instead"]),
        (np.eye(3, 10), ["not one-hot vectors of shape (3, 10): save labels.argmax(axis=1)"]),
        (np.array([0.5, 1, 2]), ["that are floats must be targets of shape (3, 10)"]),
        (np.array([0, 10, 2]), ["classes from 0 to 9", "not 10 at index 1"]),
        (np.full((3, 10), np.nan), ["must be finite, not nan at index (0, 0) (30 such labels)"]),
    ],
)
def test_labels_that_are_something_else(labels, messages, refused):
    np.save("l.npy", labels)
    said = refused(FLOW)
    assert all(message in said for message in messages), said


@pytest.mark.parametrize(
    ("density", "message"),
    [("1.5", "density of layer '0' must be above 0"), ("fc=0.5", "layer 'fc' must be one of '0'")],
)
@pytest.mark.usefixtures("model")
def test_densities_that_are_none_leave_nothing(density, message, refused):
    said = refused(f"flow model.pt2 --board kv260 --data x.npy l.npy --out new --density {density}")
    assert message in said


def test_everything_that_is_wrong_is_said_at_once(refused):
    inputs = np.load("x.npy")
    inputs[1, 2] = np.nan
    np.save("x.npy", inputs)
    np.save("l.npy", np.zeros((4, 1), int))
    said = refused(f"{FLOW.replace('pynq-z2', 'pynq')} --density 0.1")
    assert said.startswith("5 problems\n")
    for part in ("board must be", "compressed already", "x.npy must be finite", "not 4 labels",
                 "ravel()", "3 vectors"):  # fmt: skip
        assert part in said
    np.save("l.npy", np.zeros(3, int))
    assert "l.npy and labels in x.npy look exchanged: inputs come first" in refused(
        "flow net.npz --board pynq-z2 --out new --data l.npy x.npy"
    )


def test_try_leaves_what_other_commands_can_be_tried_on(eie, monkeypatch, refused):
    monkeypatch.setenv("CXX", "no-such-compiler")  # compiled in other tests
    ended = eie("try --out first")
    assert ended.status == 0
    assert "accuracy 98.61 % (354 of 359), of the model before compression 98.61 %" in ended.out
    for name in ("model.pt2", "inputs.npy", "labels.npy", "network.npz", "design.toml"):
        assert (Path("first") / name).is_file()
    # The program compresses to the very layers that it was made of.
    shipped = Network.load(Path(__file__).parents[2] / "notebooks" / "digits.npz")
    for mine, theirs in zip(Network.load("first/network.npz").layers, shipped.layers, strict=True):
        assert np.array_equal(mine.dense_weights() != 0, theirs.dense_weights() != 0)
    np.save("first/labels.npy", np.zeros(3))
    assert "first holds labels.npy of something else, which would be lost" in refused(
        "try --out first"
    )
