import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from eie.hls.boundary.errors import InputError, ModelError
from eie.host.compress import DenseLayer, cluster, keep_shared, share

NUMBERS = hnp.arrays(
    np.float64,
    st.integers(1, 200),
    elements=st.one_of(st.floats(-4, 4, width=32), st.sampled_from([-1.0, 0.25, 0.5, 3.0])),
)


def _error(values: np.ndarray, centroids: np.ndarray) -> float:
    """Sum of squared distances to the nearest centroid, by brute force."""
    return float(np.square(values[:, None] - centroids).min(1).sum())


@settings(max_examples=100, deadline=None)
@given(values=NUMBERS, clusters=st.integers(1, 15))
def test_clusters(values, clusters):
    centroids, labels = cluster(values, clusters)
    assert 1 <= centroids.size <= clusters
    assert (np.diff(centroids) > 0).all()
    # Every number has its nearest centroid, and every centroid has numbers.
    distances = np.abs(values[:, None] - centroids)
    chosen = distances[np.arange(values.size), labels]
    np.testing.assert_allclose(chosen, distances.min(1), rtol=1e-12, atol=1e-12)
    assert set(labels) == set(range(centroids.size))
    # Monotone: of two numbers, the larger one never has the smaller centroid.
    assert (np.diff(labels[np.argsort(values, kind="stable")].astype(int)) >= 0).all()
    # Never worse than the start.
    start = np.linspace(values.min(), values.max(), clusters)
    assert _error(values, centroids) <= _error(values, start) * (1 + 1e-9) + 1e-12


@settings(max_examples=50, deadline=None)
@given(values=NUMBERS)
def test_the_order_of_the_numbers_does_not_matter(values):
    assert np.array_equal(cluster(values)[0], cluster(values[::-1])[0])


@settings(max_examples=50, deadline=None)
@given(
    distinct=st.lists(st.floats(-8, 8, width=32), min_size=1, max_size=15, unique=True),
    picks=st.lists(st.integers(0, 14), min_size=1, max_size=60),
)
def test_few_distinct_numbers_stay_exactly(distinct, picks):
    values = np.array([distinct[pick % len(distinct)] for pick in picks])
    centroids, labels = cluster(values)
    assert np.array_equal(centroids[labels], values)


def test_centroids_are_the_means_of_their_clusters():
    values = np.random.default_rng(0).normal(size=5000)
    values = values[np.abs(values) > 0.5]
    centroids, labels = cluster(values)
    means = [values[labels == label].mean() for label in range(15)]
    np.testing.assert_allclose(centroids, means, rtol=1e-9)


def test_no_centroid_is_lost_in_the_gap_that_pruning_leaves():
    values = np.random.default_rng(0).normal(size=20_000)
    values = values[np.abs(values) > 1.5]
    assert cluster(values)[0].size == 15


def test_a_large_layer():
    values = np.random.default_rng(0).normal(size=200_000).astype(np.float32)
    centroids, labels = cluster(values)
    assert centroids.size == 15
    # The best 15 levels for a normal distribution leave 0.0130 of its variance (Max, 1960).
    assert np.mean((centroids[labels] - values) ** 2) < 0.0132
    assert labels.dtype == np.uint8


def test_no_numbers_no_centroids():
    centroids, labels = cluster(np.zeros(0))
    assert centroids.size == labels.size == 0


@pytest.mark.parametrize("clusters", [0, 16])
def test_number_of_clusters_out_of_range(clusters):
    with pytest.raises(InputError, match="clusters must be 1 to 15"):
        cluster(np.ones(3), clusters)


def test_share_leaves_zeros():
    weights = np.random.default_rng(0).normal(size=(30, 40)).astype(np.float32)
    weights[np.abs(weights) < 1] = 0
    shared = share(weights)
    assert np.array_equal(shared.codes == 0, weights == 0)
    assert shared.codes.max() == shared.centroids.size == 15
    assert np.array_equal(shared.dense()[weights == 0], np.zeros((weights == 0).sum()))
    assert np.abs(shared.dense() - weights).max() < 0.35


def test_share_of_a_layer_without_weights():
    shared = share(np.zeros((3, 4)))
    assert shared.centroids.size == 0
    assert not shared.codes.any()
    assert np.array_equal(shared.dense(), np.zeros((3, 4)))


def _layer(name: str, weights: np.ndarray, normalized: bool = False) -> DenseLayer:
    return DenseLayer(name, weights, np.zeros(len(weights)), relu=True, normalized=normalized)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_keep_takes_shared_weights_exactly(dtype):
    random = np.random.default_rng(0)
    values = np.concatenate([[0.0, -0.0], random.normal(size=15)]).astype(dtype)
    weights = values[random.integers(0, values.size, (20, 30))]
    (shared,) = keep_shared([_layer("a", weights)])
    assert shared.centroids.size == 15
    assert np.array_equal(shared.dense(), weights.astype(np.float64))
    assert np.array_equal(shared.codes == 0, weights == 0)


def test_keep_refuses_every_layer_with_too_many_weights():
    layers = [
        _layer("a", np.arange(1.0, 17.0).reshape(4, 4)),
        _layer("b", np.arange(16.0).reshape(4, 4)),
        _layer("c", np.arange(1.0, 21.0).reshape(4, 5), normalized=True),
    ]
    with pytest.raises(ModelError) as error:
        keep_shared(layers)
    assert "2 problems" in str(error.value)
    assert "layer 'a' must have at most 15 distinct non-zero weights, not 16" in str(error.value)
    assert "share the weights first (share_linears, then fine-tune), or have them shared" in str(
        error.value
    )
    assert "fold it before sharing (torch.nn.utils.fuse_linear_bn_eval)" in str(error.value)
    with pytest.raises(ModelError) as error:
        keep_shared(layers[:2])
    assert "leave out --keep-weights and give --density 1.0, which prunes none" in str(error.value)
    assert "BatchNorm" not in str(error.value)


def test_keep_names_the_batchnorm_that_scales_the_rows():
    layers = [_layer("c", np.arange(1.0, 21.0).reshape(4, 5), normalized=True)]
    with pytest.raises(ModelError) as error:
        keep_shared(layers)
    assert (
        "layer 'c' (a BatchNorm is folded into it) must have at most 15 distinct non-zero "
        "weights, not 20"
    ) in str(error.value)
