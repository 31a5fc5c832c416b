"""Weights of 8 bits as two planes of 4: nothing is lost, and no codebook is too small."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.host.compress.dense_layer import DenseLayer, DenseModel
from eie.host.compress.weight_planes import digits, split_planes

BOUNDS = st.tuples(st.integers(-128, 127), st.integers(-128, 127)).map(sorted)


def dense(name: str, weights: np.ndarray, **fields) -> DenseLayer:
    given = {"relu": True, "normalized": False, **fields}
    return DenseLayer(name, weights, np.arange(len(weights), dtype=float), **given)


@settings(max_examples=200, deadline=None)
@given(BOUNDS)
def test_digits_are_exact_and_few(bounds):
    weights = np.arange(bounds[0], bounds[1] + 1)
    high, low = digits(weights)
    assert np.array_equal(16 * high + low, weights)
    for plane in (high, low):
        assert len(np.unique(plane[plane != 0])) <= 15


def test_small_weights_have_one_digit():
    weights = np.arange(-7, 8)
    assert not digits(np.append(weights, 119))[0][:-1].any()
    assert not digits(np.append(weights, [127, -119]))[0][:-2].any()


@pytest.mark.parametrize("step", [2.0**-7, 1.0, 4.0])
def test_a_model_in_planes_gives_the_same(step):
    random = np.random.default_rng(0)
    layers = (
        dense("a", step * random.integers(-128, 128, (6, 9))),
        dense("b", step * random.integers(-7, 8, (9, 6))),
        dense("c", step * random.integers(-100, 100, (4, 9)), relu=False),
    )
    model = DenseModel("m", (9,), layers)
    split = split_planes(model)
    assert [layer.name for layer in split.layers] == ["a.high", "a", "b", "c.high", "c"]
    assert [layer.source for layer in split.layers] == [None, -1, None, None, 2]
    assert [layer.accumulate for layer in split.layers] == [True, False, False, True, False]
    inputs = random.integers(-50, 50, (20, 9)).astype(float)
    assert np.array_equal(split.forward(inputs), model.forward(inputs))


def test_what_is_no_8_bits_stays():
    random = np.random.default_rng(0)
    for weights in (random.normal(size=(5, 9)), np.arange(-129, 6).reshape(5, 27) / 4):
        model = DenseModel("m", (weights.shape[1],), (dense("a", weights),))
        assert split_planes(model) is model
