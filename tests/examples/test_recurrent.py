"""The examples of recurrent networks: recipes chosen without test data, training, and integers."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import eie
from eie.host.retrain.datasets import Sequences

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    monkeypatch.syspath_prepend(str(EXAMPLES.parent))  # benchmarks, which write documents
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return importlib.import_module


@pytest.fixture
def loud() -> Sequences:
    """Which of three channels is loud: a few epochs tell."""
    random = np.random.default_rng(1)
    labels, lengths = random.integers(0, 3, 90), random.integers(2, 9, 90)
    inputs = (random.normal(0, 0.3, (90, 8, 3)) + 2 * np.eye(3)[labels][:, np.newaxis]).astype("f4")
    inputs[np.arange(8) >= lengths[:, np.newaxis]] = 0
    return Sequences(inputs[:60], labels[:60], inputs[60:], labels[60:], lengths[:60], lengths[60:])


def test_a_short_training_gives_integers_of_the_same_accuracy(
    example_of: Any, loud: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    recurrent, training = example_of("recurrent"), example_of("recurrent_training")
    recipe = training.Recipe(40, 5e-3, eie.Schedule(2, 5, 10, 4, learning_rate=3e-3), noise=0.05)
    monkeypatch.setattr(example_of("outcome"), "ENGINES", {"emulator": "emulator"})  # g++ is slow
    example = recurrent.Example("made up", "GRU", 8, lambda: loud, recipe)
    found, outcome = recurrent.measure(example, 0)
    # A third of them would be right by chance.
    assert found.float32 > 0.9
    assert found.integer == found.shared == outcome.accuracy
    assert outcome.cycles and outcome.network == "GRU 3-8, 8-3"
    assert outcome.density == pytest.approx(0.2, abs=0.02)
    *_, mean = recurrent.rows_of(example, dict.fromkeys(range(3), found))
    assert mean[:3] == ("made up", "GRU-8", "mean")


@pytest.mark.parametrize("of", [2, 3, 5])
def test_each_training_sequence_is_held_out_once_and_test_data_never(
    example_of: Any, loud: Sequences, of: int
) -> None:
    held_out = example_of("recurrent_data").held_out
    parts = [held_out(loud, part, of) for part in range(of)]
    held = np.concatenate([each.test_inputs for each in parts])
    assert sorted(each.tobytes() for each in held) == sorted(
        each.tobytes() for each in loud.train_inputs
    )
    for each in parts:
        both = np.concatenate([each.train_inputs, each.test_inputs])
        assert np.array_equal(np.sort(both, 0), np.sort(loud.train_inputs, 0))
        counts = np.bincount(each.test_labels) * of - np.bincount(loud.train_labels)
        assert (np.abs(counts) < of).all()


def test_what_is_taken_is_what_was_best_on_the_parts_held_out(example_of: Any) -> None:
    recipes = example_of("recurrent_recipes")
    kept = json.loads(recipes.KEPT.read_text(encoding="utf-8"))
    for name, question in recipes.QUESTIONS.items():
        assert kept[name].keys() - question.candidates.keys() <= {recipes.DENSE}
        best = question.candidates[min(question.candidates, key=lambda each: kept[name][each][1])]
        taken = recipes.SPEECH if question.data == "JapaneseVowels" else recipes.IMAGES
        parts = ("noise", "offset", "moved", "epochs", "learning_rate")
        assert all(getattr(best, part) == getattr(taken, part) for part in parts)
        assert best == taken or not question.of_retraining
