"""The Japanese Vowels by parts: an LSTM whose matrices are pruned and shared each by itself."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch

import eie

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def vowels(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return importlib.import_module("japanese_vowels")


@pytest.fixture
def one_thread():
    """Threads that wait for each other on a busy machine take minutes for what one does at once."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_training_and_retraining_are_functions_to_call(vowels, one_thread):
    data = vowels.load_japanese_vowels()
    model = vowels.trained(data, epochs=6)
    schedule = eie.Schedule(2, 1, 3, 2, learning_rate=2e-3)
    found = vowels.retrained(model, data, schedule=schedule)
    assert found.reports[-1].accuracy > 0.5  # of nine speakers
    lstm = found.model.lstm
    for weight in (lstm.weight_ih_l0, lstm.weight_hh_l0, found.model.out.weight):
        numbers = weight.detach().numpy()
        assert np.count_nonzero(numbers) == round(0.2 * numbers.size)
        assert np.unique(numbers).size <= 16
    assert "no calibration was given" in found.not_integer
