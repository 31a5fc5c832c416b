"""A short soak; ``make soak`` runs the long one."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def soak():
    path = Path(__file__).parent / "soak.py"
    spec = importlib.util.spec_from_file_location("soak", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_is_lost_or_mixed_up(soak):
    counts = soak.soak(450, seed=7)
    assert all(counts[f"fault: {name}"] for name in soak.FAULTS)
    assert counts["loads of networks in passes"]
    assert counts["vectors compared"] > 1000
    assert "450 random rounds" in soak.page(counts, 7, 1.0)


def test_a_wrong_output_stops_it(soak, monkeypatch):
    right = soak.Accelerator.run

    def wrong(self, inputs):
        outputs = right(self, inputs)
        outputs[:1, :1] += 1
        return outputs

    monkeypatch.setattr(soak.Accelerator, "run", wrong)
    with pytest.raises(AssertionError):
        soak.soak(30, seed=7)


def test_a_fault_that_does_not_surface_stops_it(soak, monkeypatch):
    monkeypatch.setattr(soak.Soak, "inject", lambda self, name: None)
    with pytest.raises(AssertionError, match="did not surface"):
        soak.soak(60, seed=7)
