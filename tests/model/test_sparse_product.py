"""Products of sparse weights: the same with scipy and without it, for any share of zeros."""

from __future__ import annotations

import builtins

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.model.sparse_product import SparseProduct

SETTINGS = settings(max_examples=80, deadline=None, derandomize=True, database=None)


def product_of(matrix: np.ndarray) -> SparseProduct:
    columns, rows = np.nonzero(matrix.T)
    counts = np.bincount(columns, minlength=matrix.shape[1])
    starts = np.concatenate([[0], np.cumsum(counts)])
    return SparseProduct(matrix.shape[0], starts, rows, matrix[rows, columns].astype(float))


@pytest.fixture(params=["with scipy", "without scipy"])
def scipy_or_not(request, monkeypatch) -> bool:
    """Whether scipy can be imported."""
    if request.param == "with scipy":
        pytest.importorskip("scipy")
        return True
    real = builtins.__import__

    def refuse(name, *others, **named):
        if name.startswith("scipy"):
            raise ImportError(name)
        return real(name, *others, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    return False


@SETTINGS
@given(
    st.integers(1, 70),
    st.integers(1, 1100),
    st.sampled_from([0.0, 0.02, 0.1, 0.4, 1.0]),
    st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    st.sampled_from([0, 1, 2, 7]),
    st.integers(0, 1 << 20),
)
def test_sums_are_exact(rows, columns, density, active, batch, seed):
    random = np.random.default_rng(seed)
    matrix = random.integers(-32768, 32768, (rows, columns)) * (
        random.random((rows, columns)) < density
    )
    values = random.integers(-32768, 32768, (batch, columns)).astype(np.int16)
    values *= random.random(values.shape) < active
    expected = values.astype(np.int64) @ matrix.T
    product = product_of(matrix)
    sums = product(values)
    assert sums.dtype == np.int64
    assert np.array_equal(sums, expected)
    # numpy alone, whatever is installed.
    alone = product_of(matrix)
    object.__setattr__(alone, "_sparse_rows", None)
    assert np.array_equal(alone(values), expected)


def test_scipy_is_used_only_where_it_is(scipy_or_not):
    matrix = np.diag(np.arange(1, 200)) * -3
    product = product_of(matrix)
    assert (product._sparse_rows is not None) == scipy_or_not
    for batch in (1, 5):
        values = np.full((batch, 199), -32768, np.int16)
        assert np.array_equal(product(values), values.astype(np.int64) @ matrix.T)
