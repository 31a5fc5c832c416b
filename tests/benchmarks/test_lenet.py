"""The benchmark of a test set compares what it measures."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.measure import lenet
from eie.hls.boundary.errors import ToolError


def test_every_way_is_measured_and_counts_the_same() -> None:
    rows = {row["what"]: row for row in lenet.run(vectors=30, in_numpy=3)}
    assert list(rows) == ["emulator", "board", "compiled", "numpy"]
    assert rows["emulator"]["cycles"] == rows["board"]["cycles"] > 0
    assert rows["compiled"]["cycles"] == rows["numpy"]["cycles"] > 0
    assert all(row["seconds"] > 0 for row in rows.values())


def test_the_network_is_as_sparse_as_it_says() -> None:
    for layer, density in zip(lenet.network().layers, lenet.DENSITIES, strict=True):
        weights = layer.rows * layer.columns
        assert abs(layer.nonzeros / weights - density) < 4 * np.sqrt(density / weights)
    assert abs(np.count_nonzero(lenet.inputs(200)) / (200 * 784) - lenet.ACTIVE) < 0.005


def test_without_a_compiler_it_is_no_measurement(monkeypatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ToolError, match="needs a compiler: there is no C"):
        next(lenet.run(vectors=1))
