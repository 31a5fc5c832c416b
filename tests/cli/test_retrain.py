"""`eie retrain`: a table that grows, a folder to go on with, and a run that is interrupted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from eie.host.cli.main import main
from eie.host.network import Network
from eie.host.retrain import Schedule, tasks


@pytest.fixture
def quick(monkeypatch):
    """The digits, trained for a moment."""
    task = dataclasses.replace(
        tasks.TASKS["digits"], float_epochs=3, schedule=Schedule(2, 1, 1, 1, 1)
    )
    monkeypatch.setitem(tasks.TASKS, "digits", task)


def test_the_result_is_a_model_that_compresses_to_the_network(quick, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["retrain", "digits", "--out", str(out), "--total-density", "0.2"]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert lines[1].split()[:3] == ["step", "accuracy", "density"]
    assert [line.split("  ")[0] for line in lines[2:10]] == [
        "float",
        "pruning 1 of 2",
        "pruned",
        "shared",
        "shared, trained",
        "fixed point, 16 bits",
        "fixed point, trained",
        "integer",
    ]
    assert "accuracy with one layer pruned in one go" in printed
    assert f"next: eie flow {out}/model.pt2 --keep-weights --board pynq-z2" in printed
    assert np.load(out / "inputs.npy").shape == (359, 64)
    # What was done is not done again, and shown again.
    assert main(["retrain", "digits", "--out", str(out), "--total-density", "0.2"]) == 0
    again = capsys.readouterr().out
    assert "going on from" in again
    assert lines[2:10] == again.splitlines()[3:11]
    # The model is the network.
    made = ["--keep-weights", "--out", str(tmp_path / "n.npz")]
    data = ["--calibration", str(out / "inputs.npy")]
    assert main(["compress", str(out / "model.pt2"), *made, *data]) == 0
    one, two = Network.load(tmp_path / "n.npz"), Network.load(out / "network.npz")
    for mine, theirs in zip(one.layers, two.layers, strict=True):
        assert np.array_equal(mine.codebook, theirs.codebook)
        assert np.array_equal(mine.bias, theirs.bias)
        assert mine.output_frac == theirs.output_frac
    # Of other settings it is no continuation.
    capsys.readouterr()
    assert main(["retrain", "digits", "--out", str(out), "--total-density", "0.3"]) == 2
    assert "total_density must be 0.2 as it was, not 0.3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--density", "0.1", "--budget", "1"],
            "--budget and --density must not be given",
        ),
        (["--density", "1.5"], "density must be above 0 and at most 1, not 1.5"),
        (["--density", "fc=0.1"], "layer 'fc' must be one of '0', '2', '4'"),
        (["--budget", "x"], "must be a number"),
        (["--activation-bits", "17"], "activation_bits must be 2 to 16, not 17"),
        (["--balance", "0"], "balance must be a number of PEs"),
        (["--board", "pynq-z9"], "board must be one of"),
    ],
)
def test_options_that_are_wrong(quick, tmp_path, capsys, arguments, message):
    assert main(["retrain", "digits", "--out", str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_an_example_that_there_is_not(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["retrain", "cifar"])
    assert ended.value.code == 2
    assert "'digits', 'mnist', 'lenet5'" in capsys.readouterr().err
