"""Products in parts of rows are the products at once."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from eie.host.compress import compress, dense_product
from eie.host.compress.sharing import SharedWeights


@pytest.mark.parametrize("at_once", [1, 7, 30, 64])
def test_parts_are_the_whole(monkeypatch, at_once):
    random = np.random.default_rng(0)
    # Whole numbers: their sums are exact in any order.
    inputs = random.integers(-50, 50, (5, 7)).astype(np.float64)
    weights = random.integers(-50, 50, (11, 7)).astype(np.float64)
    monkeypatch.setattr(dense_product, "_AT_ONCE", at_once)
    seen = []

    def rows(part: slice) -> np.ndarray:
        seen.append(weights[part].size)
        return weights[part]

    found = dense_product.product(inputs, weights.shape, rows)
    assert np.array_equal(found, inputs @ weights.T)
    assert max(seen) <= max(at_once, 7)


def test_codes_are_counted():
    codes = np.random.default_rng(0).integers(0, 5, (40, 300), np.uint8)
    shared = SharedWeights(codes, np.array([-1.0, 0.5, 2.0, 3.0, 4.0]))
    assert np.array_equal(shared.counts(), np.bincount(codes.ravel(), minlength=6)[1:])


def test_a_network_does_not_depend_on_the_parts(monkeypatch):
    model = nn.Sequential(nn.Linear(30, 40), nn.ReLU(), nn.Linear(40, 8))
    inputs = np.random.default_rng(0).normal(size=(50, 30))
    whole = compress(model, density=0.5, calibration=inputs)
    monkeypatch.setattr(dense_product, "_AT_ONCE", 100)
    assert compress(model, density=0.5, calibration=inputs).layers == whole.layers
