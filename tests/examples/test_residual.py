"""The example of a residual block: retrained, and its sum is two layers that share their sums."""

from __future__ import annotations

import importlib
from pathlib import Path

import eie

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_it_learns_and_gives_the_same_in_integers(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    example, outcome = (importlib.import_module(each) for each in ("residual_mlp", "outcome"))
    monkeypatch.setattr(outcome, "ENGINES", {"emulator": "emulator"})  # g++ takes half a minute
    converted = []
    convert = eie.convert
    monkeypatch.setattr(
        example.eie, "convert", lambda *a, **k: converted.append(convert(*a, **k)) or converted[0]
    )
    found = example.main(epochs=4, schedule=eie.Schedule(1, 2, 3, 2))
    assert found.accuracy > 0.8  # of ten digits
    assert abs(found.density - example.DENSITY) < 0.001
    printed = capsys.readouterr().out
    assert "integer reference, emulator: the same 1,000 outputs" in printed
    assert "in real numbers only: besides its Linears it has first.taken, as residuals" in printed
    layers = converted[0].network.layers
    (outer,) = (layer for layer in layers if layer.accumulate)
    assert outer.name == "outer" and layers[layers.index(outer) + 1].source == 0
