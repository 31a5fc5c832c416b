"""Rounds, warm-up and preparation of measurements; no time is asserted."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from benchmarks import cpu
from benchmarks.layers import LAYERS
from benchmarks.measuring import Environment, side_by_side
from benchmarks.patterns import inputs, network, uniform


def test_contenders_take_turns_and_warm_up():
    calls: list[str] = []
    timings = side_by_side(
        {name: partial(calls.append, name) for name in "ab"},
        prepare={"b": partial(calls.append, "prepare b")},
        repeats=4,
        seconds=1e9,
    )
    assert calls == ["a", "a", "prepare b", "b", "b"] * 4
    assert list(timings) == ["a", "b"]
    for timing in timings.values():
        assert 0 <= timing.best_us <= timing.median_us


def test_at_least_three_rounds():
    calls: list[int] = []
    side_by_side({"slow": partial(calls.append, 1)}, repeats=10, seconds=0)
    assert len(calls) == 6


def test_the_environment_is_filled_in():
    here = Environment.here()
    assert here.processor
    assert here.cores >= 1
    assert "scipy" in here.versions


def test_csr_is_the_layer():
    layer = network(LAYERS[0].shrunk(32), uniform).layers[0]
    assert np.array_equal(cpu.csr(layer).toarray(), layer.dense_weights())


@pytest.mark.parametrize("batch", cpu.BATCHES)
def test_all_contenders_compute_the_same_product(batch):
    small = LAYERS[2].shrunk(20)
    layer = network(small, uniform).layers[0]
    vectors = inputs(small, batch).astype(np.float32)
    expected = vectors.astype(np.int64) @ layer.dense_weights().astype(np.int64).T
    matrix = cpu.csr(layer)
    for compute in cpu._torch_contenders(layer, matrix, vectors).values():
        found = compute().numpy()
        columns = found.reshape(-1, batch).T if found.shape != expected.shape else found
        assert np.allclose(columns, expected, rtol=1e-4)
    assert np.allclose((matrix @ vectors.T).T, expected, rtol=1e-4)
