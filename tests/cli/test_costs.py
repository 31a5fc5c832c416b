"""`emulate`, `simulate` and `run` say what a batch cost, and how good it is given labels."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pynq", reason="runs on the emulated board")

BATCH = "--inputs x.npy --outputs y.npy"
COMMANDS = {
    "emulate": f"emulate net.npz --design design.toml {BATCH}",
    "simulate": f"simulate project net.npz {BATCH}",
    "run": f"run net.npz --emulated-board project {BATCH}",
}


def test_all_engines_count_the_same(eie):
    found = {}
    for name, command in COMMANDS.items():
        ended = eie(command)
        assert (ended.status, ended.err) == (0, "")
        latency = re.search(r"latency of one vector alone: at least (\d+) cycles", ended.out)
        each = re.search(r"in a batch of the first 3: at least ([\d.]+) cycles a vector", ended.out)
        assert latency and each, ended.out
        least = int(latency[1])
        assert f"{least / 100:.2f} us at 100 MHz" in ended.out
        # What the pipelines of hardware add is told beside what is counted.
        more = re.search(r"; ([\d.]+) us with (\d+) cycles allowed .* \(assumed\)\n", ended.out)
        assert more and float(more[1]) == (least + int(more[2])) / 100, ended.out
        bound = re.search(r" a second; ([\d,]+) with what is allowed for pipeline", ended.out)
        assert bound, ended.out
        found[name] = (latency[1], each[1], more[2], bound[1])
    assert len(set(found.values())) == 1, found


@pytest.mark.usefixtures("board_on_an_emulator")
def test_run_says_what_was_emulated(eie):
    ended = eie(COMMANDS["run"])
    assert "ran on the emulated board: a PYNQ-Z2 in software, with the C++ of project" in ended.out


@pytest.mark.usefixtures("board_on_an_emulator")
@pytest.mark.parametrize("name", COMMANDS)
def test_labels_give_accuracy(name, eie):
    eie(COMMANDS["emulate"])
    classes = np.load("y.npy").argmax(axis=1)
    classes[0] = (classes[0] + 1) % 10
    np.save("l.npy", classes)
    ended = eie(f"{COMMANDS[name]} --labels l.npy")
    assert (ended.status, ended.err) == (0, "")
    assert "accuracy 66.67 % (2 of 3)" in ended.out


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 10], [0, 1, -1], [[0, 1, 2]] * 3, 3])
def test_labels_that_fit_no_output_leave_nothing(labels, refused):
    np.save("l.npy", np.array(labels))
    assert "labels" in refused(f"{COMMANDS['emulate']} --labels l.npy")


def test_inputs_that_are_mostly_cut_off_are_said_loudly(eie):
    np.save("x.npy", np.full((3, 20), 1000.0))
    ended = eie(COMMANDS["emulate"])
    assert ended.status == 0
    assert "eie: WARNING: 100 % of the input values were cut off" in ended.err


def test_generate_says_that_it_replaces_another_design(eie):
    assert "another design" not in eie("generate design.toml --out new").out
    assert "another design" not in eie("generate design.toml --out new").out
    text = Path("design.toml").read_text().replace("pes = 2", "pes = 4")
    Path("design.toml").write_text(text)
    assert "another design: pes 2 before, now 4" in eie("generate design.toml --out new").out
