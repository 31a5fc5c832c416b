"""The example of recurrent networks goes through: training, pruning, sharing, integers."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def recurrent(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return importlib.import_module("recurrent")


def test_a_short_training_gives_integers_of_the_same_accuracy(
    recurrent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 90)
    # Which of three channels is loud: a few epochs tell.
    sequences = [
        (random.normal(0, 0.3, (int(length), 3)) + 2 * np.eye(3)[label]).astype(np.float32)
        for label, length in zip(labels, random.integers(2, 9, 90), strict=True)
    ]
    parts = [
        recurrent.Sequences(sequences[part], labels[part]) for part in (slice(60), slice(60, 90))
    ]
    recipe = recurrent.Recipe((40, 10, 4), densities=(0.5, 0.3))
    outcome_of = importlib.import_module("outcome")
    monkeypatch.setattr(outcome_of, "ENGINES", {"emulator": "emulator"})  # g++ takes half a minute
    example = recurrent.Example("made up", "GRU", 8, lambda: parts, recipe)
    found, outcome = recurrent.measure(example, 0)
    # A third of them would be right by chance.
    assert found.float32 > 0.9
    assert found.integer == found.shared == outcome.accuracy
    assert outcome.cycles and outcome.network == "GRU 3-8, 8-3"
    *_, mean = recurrent.rows_of(example, dict.fromkeys(range(3), found))
    assert mean[:3] == ("made up", "GRU-8", "mean")
