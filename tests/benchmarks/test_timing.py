"""Rounds, warm-up and preparation of measurements; no time is asserted."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

from benchmarks.measure import speed
from benchmarks.measure.timing import Environment, side_by_side
from benchmarks.paper.layers import LAYERS
from benchmarks.paper.patterns import inputs, network, uniform


def test_contenders_take_turns_and_warm_up():
    calls: list[str] = []

    @contextmanager
    def inside():
        calls.append("enter")
        yield
        calls.append("leave")

    timings = side_by_side(
        {name: partial(calls.append, name) for name in "ab"},
        within={"b": inside},
        repeats=4,
        seconds=1e9,
    )
    assert calls == ["a", "a", "enter", "b", "b", "leave"] * 4
    assert list(timings) == ["a", "b"]
    for timing in timings.values():
        assert 0 <= timing.best_us <= timing.median_us


def test_at_least_three_rounds():
    calls: list[int] = []
    side_by_side({"slow": partial(calls.append, 1)}, repeats=10, seconds=0)
    assert len(calls) == 6


def test_short_calls_are_measured_in_a_row():
    calls: list[str] = []
    timings = side_by_side({"a": partial(calls.append, "a")}, repeats=1, short=True)
    assert len(calls) > 100
    assert timings["a"].best_us <= timings["a"].median_us < 1000, "the time is that of one call"


def test_the_environment_is_filled_in():
    here = Environment.here()
    assert here.processor
    assert here.cores >= 1
    assert "scipy" in here.versions


def test_csr_is_the_layer():
    layer = network(LAYERS[0].shrunk(32), uniform).layers[0]
    assert np.array_equal(speed.csr(layer).toarray(), layer.dense_weights())


@pytest.mark.parametrize("batch", speed.BATCHES)
def test_all_contenders_compute_the_same_product(batch):
    small = LAYERS[2].shrunk(20)
    layer = network(small, uniform).layers[0]
    vectors = inputs(small, batch).astype(np.float32)
    expected = vectors.astype(np.int64) @ layer.dense_weights().astype(np.int64).T
    matrix = speed.csr(layer)
    for compute in speed.torch_products(layer, matrix, vectors).values():
        found = compute().numpy()
        columns = found.reshape(-1, batch).T if found.shape != expected.shape else found
        assert np.allclose(columns, expected, rtol=1e-4)
    assert np.allclose((matrix @ vectors.T).T, expected, rtol=1e-4)
