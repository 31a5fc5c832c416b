"""Shared weights are chosen by what they do to the outputs on the calibration data."""

import numpy as np
import pytest
import torch
from torch import nn

from eie.hls.spec.fixed_point import dequantize, quantize
from eie.host.compress import DenseLayer, TorchReference, compress, magnitude_mask, share
from eie.host.compress.choosing import CHOICE_VECTORS, KINDS, prune_and_share
from eie.host.compress.clustering import evenly_started_centroids, gather, optimal_centroids
from eie.host.compress.sharing import label


def _layer(weights: np.ndarray, name: str = "a") -> DenseLayer:
    return DenseLayer(name, weights, np.zeros(len(weights)), relu=False, normalized=False)


def _error(layer: DenseLayer, weights: np.ndarray, inputs: np.ndarray) -> float:
    return float(np.square(inputs @ (weights - layer.weights).T).sum())


@pytest.fixture
def layer() -> DenseLayer:
    return _layer(np.random.default_rng(0).normal(size=(40, 50)))


def test_without_calibration_the_weights_count(layer):
    (chosen,) = prune_and_share([layer], {"a": 1.0})
    assert chosen.clustering == "optimal"
    assert np.array_equal(chosen.shared.dense(), share(layer.weights).dense())


def test_the_inputs_count(layer):
    scales = np.where(np.arange(50) < 5, 10.0, 0.1)
    inputs = np.random.default_rng(1).normal(size=(200, 50)) * scales
    # The large inputs meet small weights, which evenly spaced centroids serve badly.
    weights = layer.weights * np.where(np.arange(50) < 5, 0.1, 1.0)
    (chosen,) = prune_and_share([_layer(weights)], {"a": 1.0}, inputs)
    assert chosen.clustering == "optimal for its inputs"
    plain = _error(_layer(weights), share(weights).dense(), inputs)
    assert _error(_layer(weights), chosen.shared.dense(), inputs) < 0.5 * plain


def test_it_is_never_worse_than_the_plain_optimum(layer):
    for seed in range(5):
        inputs = np.random.default_rng(seed).exponential(size=(30, 50))
        (chosen,) = prune_and_share([layer], {"a": 0.3}, inputs)
        (plain,) = prune_and_share([layer], {"a": 0.3})
        assert np.array_equal(chosen.shared.codes == 0, plain.shared.codes == 0)
        error = _error(layer, chosen.shared.dense(), inputs)
        assert error <= _error(layer, plain.shared.dense(), inputs)


@pytest.mark.parametrize("inputs", [np.zeros((3, 50)), np.zeros((5, 50)) + (np.arange(50) == 7)])
def test_inputs_that_are_zero(layer, inputs):
    (chosen,) = prune_and_share([layer], {"a": 0.5}, inputs)
    assert np.isfinite(chosen.shared.centroids).all()
    assert chosen.shared.centroids.size == 15
    assert chosen.shared.centroids.all()


def test_few_distinct_weights_stay_exactly():
    values = np.array([0.0, -1.0, 0.3, 0.7])
    weights = values[np.random.default_rng(0).integers(0, 4, (9, 50))]
    (chosen,) = prune_and_share([_layer(weights)], {"a": 1.0}, np.ones((4, 50)))
    assert np.array_equal(chosen.shared.dense(), weights)


def test_the_outputs_of_the_model_count():
    random = np.random.default_rng(0)
    layers = [
        _layer(random.normal(size=(20, 50))),
        _layer(random.laplace(size=(15, 20)), "b"),
        _layer(random.normal(size=(7, 15)), "c"),
    ]
    densities = {"a": 0.2, "b": 1.0, "c": 0.5}
    inputs = random.normal(size=(2 * CHOICE_VECTORS + 5, 50))
    rows = inputs[::3]  # evenly spaced, no more than CHOICE_VECTORS
    assert len(rows) <= CHOICE_VECTORS

    def error(weights: list[np.ndarray]) -> float:
        wanted = found = rows
        for layer, own in zip(layers, weights, strict=True):
            wanted, found = wanted @ layer.weights.T, found @ own.T
        return float(np.square(found - wanted).sum())

    chosen = prune_and_share(layers, densities, inputs)
    least = error([each.shared.dense() for each in chosen])
    pruned = [
        np.where(magnitude_mask(layer.weights, densities[layer.name]), layer.weights, 0)
        for layer in layers
    ]
    for find in (optimal_centroids, evenly_started_centroids):
        centroids = [find(gather(own[own != 0]), 15) for own in pruned]
        weights = [label(own, of).dense() for own, of in zip(pruned, centroids, strict=True)]
        assert least <= error(weights)


def test_compress_says_what_it_chose_and_is_the_same_again():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(50, 40), nn.ReLU(), nn.Linear(40, 10))
    inputs = np.random.default_rng(0).exponential(size=(100, 50))
    network = compress(model, density=0.3, calibration=inputs)
    assert network == compress(model, density=0.3, calibration=inputs)
    found = dict(part.split(": ") for part in network.metadata["clustering"].split(", "))
    assert set(found) == {"0", "2"}
    assert set(found.values()) <= set(KINDS)
    codes = TorchReference(network)(quantize(inputs, network.input_frac))
    outputs = dequantize(codes, network.output_frac)
    assert np.isfinite(outputs).all()
