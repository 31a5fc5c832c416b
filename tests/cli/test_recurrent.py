"""Sequences on the command line: every command with a recurrent network."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from eie.hls.spec.fixed_point import dequantize, quantize
from eie.host.network import Network
from eie.host.run.layer_results import sequence_results

pytest.importorskip("pynq", reason="runs on the emulated board")

LENGTHS = {"long": 6, "one": 1, "short": 3}
COMMANDS = {
    "emulate": "emulate rnn.npz --design rnn.toml",
    "simulate": "simulate made rnn.npz",
    "run": "run rnn.npz --emulated-design rnn.toml",
}


@pytest.fixture(autouse=True)
def given(folder, recurrent_network, recurrent_design, board_on_an_emulator) -> None:
    """Adds rnn.npz, rnn.toml, made/, and sequences of equal lengths and of different ones."""
    recurrent_network.save("rnn.npz")
    recurrent_design.save("rnn.toml")
    Path("made").mkdir()
    recurrent_design.save("made/design.toml")
    random = np.random.default_rng(1)
    np.save("s.npy", random.uniform(-2, 2, (4, 5, 5)).astype(np.float32))
    named = {name: random.uniform(-2, 2, (steps, 5)) for name, steps in LENGTHS.items()}
    np.savez("s.npz", **named)


def wanted(network: Network, sequences) -> list[np.ndarray]:
    """Outputs of every step of each sequence."""
    codes = [quantize(each, network.input_frac) for each in sequences]
    outputs = sequence_results(network, codes)[0][-1]
    ends = np.cumsum([len(each) for each in codes])[:-1]
    return np.split(dequantize(outputs, network.output_frac), ends)


@pytest.mark.parametrize("name", COMMANDS)
def test_engines_give_what_layers_give(name, eie, recurrent_network):
    command = COMMANDS[name]
    equal = wanted(recurrent_network, np.load("s.npy"))
    ended = eie(f"{command} --inputs s.npy --outputs y.npy")
    assert (ended.status, ended.err) == (0, "")
    assert "wrote y.npy: 3 outputs of the last step of 4 sequences, of 20 steps" in ended.out
    assert re.search(r"latency of one step alone: at least \d+ cycles", ended.out)
    assert re.search(r"throughput of 20 steps of 4 sequences at a time: .* a step, ", ended.out)
    assert np.array_equal(np.load("y.npy"), [each[-1] for each in equal])
    assert eie(f"{command} --inputs s.npy --steps all --outputs y.npy").status == 0
    assert np.array_equal(np.load("y.npy"), equal)

    different = wanted(recurrent_network, np.load("s.npz").values())
    ended = eie(f"{command} --inputs s.npz --steps all --outputs y.npz")
    assert "wrote y.npz: 3 outputs of each of 10 steps of 3 sequences" in ended.out
    found = np.load("y.npz")
    assert list(found) == list(LENGTHS)
    for mine, theirs in zip(found.values(), different, strict=True):
        assert np.array_equal(mine, theirs)
    assert eie(f"{command} --inputs s.npz --outputs last.npy").status == 0
    assert np.array_equal(np.load("last.npy"), [each[-1] for each in different])


def test_engines_count_the_same(eie):
    found = [
        re.findall(r"at least ([\d.]+) cycles", eie(f"{each} --inputs s.npz --outputs y.npy").out)
        for each in COMMANDS.values()
    ]
    assert len(found[0]) == 2
    assert found == [found[0]] * 3


def test_labels_belong_to_outputs(eie, recurrent_network):
    classes = [each.argmax(1) for each in wanted(recurrent_network, np.load("s.npz").values())]
    np.save("l.npy", [each[-1] for each in classes])
    ended = eie("emulate rnn.npz --inputs s.npz --outputs y.npy --labels l.npy --report r.json")
    assert "accuracy 100.00 % (3 of 3)" in ended.out
    assert " us a step at " in ended.out
    # By name, in whatever order.
    wrong = dict(reversed([*zip(LENGTHS, classes, strict=True)]))
    wrong["short"] = (wrong["short"] + 1) % 3
    np.savez("l.npz", **wrong)
    ended = eie("emulate rnn.npz --inputs s.npz --steps all --outputs y.npz --labels l.npz")
    assert "accuracy 70.00 % (7 of 10)" in ended.out


def test_what_is_wrong_is_said_at_once(refused):
    inputs = "emulate rnn.npz --design rnn.toml --inputs"
    assert "--steps must be left out" in refused(
        "emulate net.npz --inputs x.npy --outputs y.npy --steps all"
    )
    assert "has no cell that keeps" in refused(f"{inputs} s.npy --outputs y --paper")
    assert "must end in .npy" in refused(f"{inputs} s.npy --outputs y.npz")
    np.savez("bad.npz", a=np.zeros((0, 5)), b=np.zeros((2, 4)), c=np.full((1, 5), np.nan))
    told = refused(f"{inputs} bad.npz --steps all --outputs y.npy")
    for each in (
        "4 problems",
        "--outputs must end in .npz",
        "sequence 'a' must have at least one step",
        "sequence 'b' must have shape (steps, 5), not (2, 4)",
        "sequence 'c' must be finite, not nan in feature 0 of step 0",
    ):
        assert each in told
    np.save("flat.npy", np.zeros((3, 6)))
    assert "an .npz with an array (steps, 5) for each" in refused(f"{inputs} flat.npy --outputs y")
    np.savez("text.npz", a=np.array(["x"]), b=np.zeros((2, 5)))
    assert "array a.npy: its values must be real" in refused(f"{inputs} text.npz --outputs y")
    np.savez("l.npz", long=[0] * 6, other=[0])
    labelled = f"{inputs} s.npz --steps all --outputs y.npz --labels l.npz"
    assert "none for one, short and some for other" in refused(labelled)
    np.save("l.npy", [0, 1, 2])
    assert "of 6, 1, 3 steps, not for 3 numbers, as for each sequence" in refused(
        f"{inputs} s.npz --steps all --outputs y.npz --labels l.npy"
    )
    assert "must be a .npy file of numbers, not an .npz" in refused(
        "emulate net.npz --inputs s.npz --outputs y.npy"
    )


def test_a_package_is_made_and_tries_itself(eie, tmp_path, monkeypatch):
    from zipfile import ZipFile

    from eie.host.deploy import board_check

    monkeypatch.setattr(board_check, "_MEASURED_SECONDS", 0.0)
    given = "--inputs s.npz --outputs y.npy"
    assert eie(f"{COMMANDS['emulate']} {given}").status == 0
    ended = eie(f"package rnn.npz --design rnn.toml {given} --out p.zip")
    assert "network, 3 test sequences, wheel" in ended.out
    with ZipFile("p.zip") as archive:
        archive.extractall("there")
    (folder,) = Path("there").iterdir()
    assert board_check.run_checks(folder, emulated=True, report="report.txt") == 0
    report = Path("report.txt").read_text()
    assert "ok      test vectors: 30 outputs of 10 steps of 3 given sequences are right" in report
    np.save("y.npy", np.load("y.npy")[::-1])
    ended = eie(f"package rnn.npz --design rnn.toml {given} --out q.zip")
    assert ended.status == 2
    assert "the first is output 0 of sequence 0" in ended.err


def test_a_flow_takes_sequences(eie):
    np.save("l.npy", [0, 1, 2])
    ended = eie("flow rnn.npz --board pynq-z2 --data s.npz l.npy --out all")
    assert (ended.status, ended.err) == (0, "")
    assert "5-LSTM 4-3, " in ended.out
    assert re.search(r"accuracy [\d.]+ % \(\d of 3\)", ended.out)
    assert re.search(r"run .* emulated board .*: all 9 outputs of 3 sequences equal", ended.out)
    assert "a vector is a step of a sequence" in Path("all/report.html").read_text()
    kept = eie("flow rnn.npz --board pynq-z2 --data s.npz l.npy --out all")
    assert len(re.findall(r"^\w+ +kept ", kept.out, re.M)) == 7


def test_a_model_is_compressed_and_judged(eie):
    torch = pytest.importorskip("torch", reason="compressing reads torch models")

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = torch.nn.GRU(5, 4, batch_first=True)
            self.fc = torch.nn.Linear(4, 3)

        def forward(self, x):
            return self.fc(self.rnn(x)[0])

    torch.manual_seed(0)
    module = Net().eval()
    with pytest.warns(UserWarning):
        program = torch.export.export(module, (torch.zeros(1, 5, 5),))
    torch.export.save(program, "m.pt2")
    with torch.no_grad():
        np.save("l.npy", module(torch.from_numpy(np.load("s.npy"))).argmax(-1).numpy())
    given = "compress m.pt2 --calibration s.npy --labels l.npy"
    ended = eie(f"{given} --density 1 --out new.npz")
    assert re.search(r"on the calibration: accuracy [\d.]+ % \(\d+ of 20\), of", ended.out)
    ended = eie(f"{given} --sweep 0.2,1 --out best.npz --budget 20")
    assert "latency of one step are those on" in ended.out
    assert Network.load("best.npz").recurrent
    np.save("l.npy", np.zeros(4, int))
    ended = eie(f"{given} --density 1 --out new.npz")
    assert "must be given for each step of 4 sequences" in ended.err
