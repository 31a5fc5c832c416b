"""Patterns have the density asked for, and the skew; the same seed gives the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.paper.layers import LAYERS, PaperLayer
from benchmarks.paper.patterns import (
    BLOCK_SIDE,
    PATTERNS,
    blocks,
    inputs,
    log_normal,
    network,
    uniform,
)

ROWS, COLUMNS = 640, 900


def dense(structure, rows: int) -> np.ndarray:
    indptr, indices = structure
    kept = np.zeros((rows, len(indptr) - 1), bool)
    kept[indices, np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))] = True
    assert kept.sum() == len(indices), "a weight is there twice"
    return kept


def excess(counts: np.ndarray, density: float) -> float:
    """Relative deviation of counts beyond that of independent weights."""
    mean = counts.mean()
    return np.sqrt(max(0.0, counts.var() - mean * (1 - density))) / mean


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    st.sampled_from(sorted(PATTERNS)),
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from((0.02, 0.1, 0.5, 1.0)),
    st.integers(0, 1000),
)
def test_every_pattern_is_a_valid_layer(pattern, rows, columns, density, seed):
    layer = PaperLayer("x", columns, rows, density, 0.5, *([1.0] * 7))
    made = network(layer, PATTERNS[pattern], seed)  # checks order and ranges
    assert (made.layers[0].rows, made.layers[0].columns) == (rows, columns)
    assert made == network(layer, PATTERNS[pattern], seed)
    if density == 1 and pattern != "log-normal":
        assert made.layers[0].nonzeros == rows * columns


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("density", [0.04, 0.25])
def test_density_is_that_asked_for(pattern, density):
    kept = dense(PATTERNS[pattern](ROWS, COLUMNS, density, np.random.default_rng(1)), ROWS)
    # A block is one draw for all of its weights.
    draws = kept.size / (BLOCK_SIDE**2 if pattern == "blocks" else 1)
    tolerance = 5 * np.sqrt(density * (1 - density) / draws) + 0.02 * density
    assert abs(kept.mean() - density) < tolerance


def test_uniform_has_no_more_skew_than_chance():
    kept = dense(uniform(ROWS, COLUMNS, 0.1, np.random.default_rng(2)), ROWS)
    assert excess(kept.sum(axis=1), 0.1) < 0.05
    assert excess(kept.sum(axis=0), 0.1) < 0.05


@pytest.mark.parametrize("sigma", [0.25, 0.5])
def test_log_normal_rows_and_columns_are_as_skewed_as_asked_for(sigma):
    kept = dense(log_normal(ROWS, COLUMNS, 0.05, np.random.default_rng(3), sigma=sigma), ROWS)
    expected = np.sqrt(np.expm1(sigma**2))  # of a log-normal factor over its mean
    assert excess(kept.sum(axis=1), 0.05) == pytest.approx(expected, rel=0.2)
    assert excess(kept.sum(axis=0), 0.05) == pytest.approx(expected, rel=0.2)


def test_sigma_zero_is_uniform():
    kept = dense(log_normal(ROWS, COLUMNS, 0.1, np.random.default_rng(4), sigma=0.0), ROWS)
    assert excess(kept.sum(axis=1), 0.1) < 0.05
    assert kept.mean() == pytest.approx(0.1, rel=0.03)


@pytest.mark.parametrize(("rows", "columns"), [(64, 96), (61, 91)])
def test_blocks_are_kept_whole(rows, columns):
    kept = dense(blocks(rows, columns, 0.3, np.random.default_rng(5)), rows)
    assert 0 < kept.sum() < kept.size
    for row in range(0, rows, BLOCK_SIDE):
        for column in range(0, columns, BLOCK_SIDE):
            block = kept[row : row + BLOCK_SIDE, column : column + BLOCK_SIDE]
            assert block.all() or not block.any()


def test_inputs_have_exactly_the_share_of_non_zeros():
    layer = LAYERS[0].shrunk(16)
    codes = inputs(layer, vectors=3)
    assert codes.shape == (3, layer.inputs)
    assert (np.count_nonzero(codes, axis=1) == round(0.351 * layer.inputs)).all()
    assert not np.array_equal(codes[0] != 0, codes[1] != 0)
    assert np.array_equal(codes, inputs(layer, vectors=3))


def test_seeds_and_layers_differ():
    first, second = (layer.shrunk(16) for layer in LAYERS[1:3])
    assert network(first, uniform) != network(first, uniform, seed=1)
    same_size = PaperLayer("other", *[getattr(first, name) for name in _FIELDS])
    made, other = network(first, uniform).layers[0], network(same_size, uniform).layers[0]
    assert not np.array_equal(made.indices, other.indices)
    assert second.name != first.name


_FIELDS = tuple(PaperLayer.__dataclass_fields__)[1:]
