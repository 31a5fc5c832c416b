"""A short soak; ``make soak`` runs the long one."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from eie.hls.boundary.errors import DeviceError
from eie.host.board.driver import Accelerator


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
    right = Accelerator.run

    def wrong(self, inputs):
        outputs = right(self, inputs)
        outputs[:1, :1] += 1
        return outputs

    monkeypatch.setattr(Accelerator, "run", wrong)
    with pytest.raises(AssertionError):
        soak.soak(30, seed=7)


def test_a_fault_that_does_not_surface_stops_it(soak, monkeypatch):
    monkeypatch.setattr(soak.Soak, "inject", lambda self, name: None)
    with pytest.raises(AssertionError, match="did not surface"):
        soak.soak(60, seed=7)


def test_sequences_survive_what_happens_between_their_parts(soak):
    counts = soak.soak_sequences(80, seed=3)
    for what in ("sequences begun", "calls that continued sequences", "streams", "loads"):
        assert counts[what], what
    assert counts["refused: a state that is lost"] and counts["refused: NO_STATE"]
    assert sum(count for name, count in counts.items() if name.startswith("fault")) > 3
    assert "ran 80 rounds with recurrent networks" in soak.page_of_sequences(counts, 3, 1.0)


def test_a_state_that_is_gone_on_with_stops_it(soak, monkeypatch):
    right = Accelerator.run

    def forgiving(self, inputs, *, outputs=None, keep_state=False):
        try:
            return right(self, inputs, outputs=outputs, keep_state=keep_state)
        except DeviceError:
            return right(self, inputs, outputs=outputs)

    monkeypatch.setattr(Accelerator, "run", forgiving)
    with pytest.raises(AssertionError, match=r"gone on with|did not surface"):
        soak.soak_sequences(20, seed=3)
