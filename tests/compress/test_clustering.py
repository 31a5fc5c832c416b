"""Clusters are the best there are, against every way to cut; their limits hold."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.cluster import KMeans

from eie.host.compress import cluster
from eie.host.compress.clustering import (
    Points,
    evenly_started_centroids,
    gather,
    nearest,
    optimal_centroids,
)

#: Few enough for every way to cut them. Integers: sums are exact, and ties common.
FEW = hnp.arrays(np.float64, st.integers(1, 10), elements=st.integers(-30, 30))
MANY = hnp.arrays(
    np.float64, st.integers(1, 300), elements=st.floats(-100, 100, width=32, allow_subnormal=False)
)


def _error(points: Points, centroids: np.ndarray) -> float:
    """Sum of squared distances to the nearest centroid."""
    distances = np.square(points.values[:, None] - centroids).min(1)
    return float((points.importance * distances).sum())


def _least_error(points: Points, clusters: int, one_sign: bool = False) -> float:
    """The same of the best way to cut, of all that there are."""
    best = np.inf
    for cuts in itertools.combinations(range(1, len(points.values)), clusters - 1):
        error = 0.0
        for part in map(slice, (0, *cuts), (*cuts, len(points.values))):
            values, importance = points.values[part], points.importance[part]
            if one_sign and values[0] < 0 < values[-1]:
                error = np.inf
                break
            mean = (importance * values).sum() / importance.sum()
            error += float((importance * np.square(values - mean)).sum())
        best = min(best, error)
    return best


@settings(max_examples=200, deadline=None)
@given(values=FEW, clusters=st.integers(1, 6), data=st.data())
def test_no_other_clusters_have_a_smaller_error(values, clusters, data):
    importance = None
    if data.draw(st.booleans(), "weighted"):
        elements = st.sampled_from([0.25, 1.0, 3.0])
        importance = data.draw(hnp.arrays(np.float64, values.shape, elements=elements))
    values = values[values != 0]
    importance = None if importance is None else importance[: values.size]
    points = gather(values, importance)
    centroids = optimal_centroids(points, clusters)
    if points.values.size <= clusters:
        assert np.array_equal(centroids, points.values)
        return
    # One sign each only where the best ones have a centroid at zero.
    least = _least_error(points, clusters)
    error = _error(points, centroids)
    if error > least * (1 + 1e-9) + 1e-9:
        assert clusters > 1
        assert error <= _least_error(points, clusters, one_sign=True) * (1 + 1e-9) + 1e-9
    assert centroids.size == clusters
    assert centroids.all() or clusters == 1


@settings(max_examples=100, deadline=None)
@given(values=MANY)
def test_more_clusters_are_never_worse_and_never_worse_than_from_even_ones(values):
    points = gather(values)
    last = np.inf
    for clusters in (1, 2, 3, 5, 8, 15):
        error = _error(points, optimal_centroids(points, clusters))
        slack = 1e-9 * float((points.importance * points.values**2).sum()) + 1e-12
        if optimal_centroids(points, clusters).all() and not _straddles(points, clusters):
            assert error <= last + slack
            assert error <= _error(points, evenly_started_centroids(points, clusters)) + slack
            last = error


def _straddles(points: Points, clusters: int) -> bool:
    """Whether some clusters may have been kept to one sign, at a larger error."""
    for centroids in (
        evenly_started_centroids(points, clusters),
        optimal_centroids(points, clusters),
    ):
        if np.abs(centroids).min() < 0.1:
            return True
        nearest = np.abs(points.values[:, None] - centroids).argmin(axis=1)
        for each in np.unique(nearest):
            members = points.values[nearest == each]
            if members.min() < 0 < members.max():
                return True
    return False


@settings(max_examples=100, deadline=None)
@given(values=MANY, limit=st.sampled_from([16, 32, 64]))
def test_cells_cost_no_more_than_the_bound(values, limit):
    values = np.abs(values) + 1.0  # of one sign: nothing else is in the way of the best clusters
    exact, coarse = gather(values), gather(values, limit=limit)
    assert coarse.values.size <= max(limit, 1)
    assert coarse.importance.sum() == values.size
    for clusters in (2, 5):
        best = _error(exact, optimal_centroids(exact, clusters))
        found = _error(exact, optimal_centroids(coarse, clusters))
        # 2 R w h: a cell has 2 / limit of the numbers and of the range, and one number more.
        width = values.max() - values.min()
        bound = 2 * width * (2 / limit * values.size + 1) * (2 / limit * width)
        assert found <= best + bound + 1e-9


def test_cells_of_a_layer_are_as_good_as_the_numbers():
    values = np.random.default_rng(0).normal(size=40_000)
    values = values[np.abs(values) > 1.0]
    exact, coarse = gather(values), gather(values, limit=2048)
    assert coarse.values.size <= 2048 < exact.values.size
    best = _error(exact, optimal_centroids(exact, 15))
    assert best <= _error(exact, optimal_centroids(coarse, 15)) <= 1.0001 * best


@settings(max_examples=50, deadline=None)
@given(values=MANY)
def test_cells_of_weighted_numbers_hold_all_of_them(values):
    importance = np.linspace(0.5, 2.0, values.size).astype(np.float32)
    points = gather(values.astype(np.float32), importance, limit=16)
    assert points.values.size <= 16
    assert (np.diff(points.values) >= 0).all()
    assert points.importance.sum() == pytest.approx(importance.sum(dtype=np.float64))


def test_symmetric_numbers_have_no_centroid_at_zero():
    values = np.concatenate([np.arange(-127.0, 0), np.arange(1.0, 128)]) / 128
    centroids, labels = cluster(values)
    assert centroids.size == 15
    assert np.abs(centroids).min() > 0.03
    assert set(labels) == set(range(15))


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_scale_does_not_matter(scale):
    values = np.random.default_rng(0).normal(size=500)
    power = 2.0 ** np.round(np.log2(scale))
    assert np.array_equal(cluster(values * power)[0], cluster(values)[0] * power)


def test_an_outlier_does_not_blur_the_others():
    values = np.random.default_rng(0).normal(size=2000)
    for outlier in (1e9, -1e9):
        centroids, _ = cluster(np.append(values, outlier))
        others = cluster(values, 14)[0]
        kept = centroids[np.abs(centroids) < 1e8]
        np.testing.assert_allclose(kept, others, rtol=1e-6)


@settings(max_examples=50, deadline=None)
@given(values=MANY)
def test_float32_gives_the_same_as_float64(values):
    narrow = values.astype(np.float32)
    assert np.array_equal(cluster(narrow)[0], cluster(narrow.astype(np.float64))[0])


def test_labels_are_found_in_parts(monkeypatch):
    values = np.random.default_rng(0).normal(size=100)
    centroids = np.array([-1.0, 0.5, 2.0])
    whole = nearest(values, centroids)
    monkeypatch.setattr("eie.host.compress.clustering._CHUNK", 7)
    assert np.array_equal(nearest(values, centroids), whole)
    cells = gather(values, limit=32)
    monkeypatch.undo()
    np.testing.assert_allclose(cells.values, gather(values, limit=32).values, rtol=1e-12)


@pytest.mark.parametrize("kind", ["normal", "laplace"])
def test_no_error_is_above_that_of_scikit_learn(kind):
    values = getattr(np.random.default_rng(0), kind)(size=4000)
    values = values[np.abs(values) > 1.0]  # as pruning leaves them
    kmeans = KMeans(15, n_init=5, random_state=0).fit(values[:, None])
    points = gather(values)
    assert _error(points, optimal_centroids(points, 15)) <= kmeans.inertia_
