"""The default density leaves alone what is sparse already, and says so."""

import re
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from eie.hls.boundary.errors import InputError, KeptDensityWarning
from eie.host.compress import PRUNED_DENSITY, DenseLayer, compress, prune_linears
from eie.host.compress.densities import choose_densities

# What is tested here needs no calibration.
pytestmark = pytest.mark.filterwarnings("ignore::eie.hls.boundary.errors.UncalibratedWarning")


def _layer(name: str, weights: np.ndarray) -> DenseLayer:
    return DenseLayer(name, weights, np.zeros(len(weights)), relu=False, normalized=False)


def _dense(density: float, name: str = "a") -> DenseLayer:
    weights = np.random.default_rng(0).normal(size=1000)
    weights[: round(1000 * (1 - density))] = 0
    return _layer(name, weights.reshape(20, 50))


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 10))


@pytest.mark.parametrize(
    ("density", "value", "reason"),
    [
        (1.0, 0.1, None),
        (PRUNED_DENSITY, 0.1, None),
        (0.899, 1.0, "pruned already (89.9 % of its weights are not zero)"),
        (0.2, 1.0, "pruned already (20.0 % of its weights are not zero)"),
        (0.101, 1.0, "pruned already (10.1 % of its weights are not zero)"),
        (0.1, 0.1, None),  # nothing would be cut
        (0.0, 0.1, None),
    ],
)
def test_what_is_pruned_already(density, value, reason):
    chosen = choose_densities([_dense(density)], None)
    assert chosen.values == {"a": value}
    assert chosen.kept == ({} if reason is None else {"a": reason})


def test_what_is_shared_already():
    shared = np.arange(1.0, 16.0)[np.arange(60) % 15].reshape(6, 10)
    chosen = choose_densities([_layer("a", shared)], None)
    assert chosen.kept == {"a": "shared already (15 distinct non-zero weights)"}
    sixteen = np.arange(1.0, 17.0)[np.arange(64) % 16].reshape(8, 8)
    assert not choose_densities([_layer("a", sixteen)], None).kept
    # Few weights are not shared ones.
    assert not choose_densities([_layer("a", np.arange(1.0, 13.0).reshape(3, 4))], None).kept


def test_a_given_density_is_what_is_done():
    layers = [_dense(0.2), _dense(0.2, "b")]
    chosen = choose_densities(layers, 0.05)
    assert (chosen.values, chosen.kept) == ({"a": 0.05, "b": 0.05}, {})
    chosen = choose_densities(layers, {"b": 0.05})
    assert chosen.values == {"a": 1.0, "b": 0.05}
    assert list(chosen.kept) == ["a"]
    with pytest.raises(InputError, match="layer 'c' must be one of 'a', 'b'"):
        choose_densities(layers, {"c": 0.05})


def test_a_pruned_model_is_not_cut_again(model):
    prune_linears(model, 0.2)
    with pytest.warns(KeptDensityWarning) as caught:
        network = compress(model)
    assert [layer.nonzeros for layer in network.layers] == [240, 60]
    (warning,) = (each for each in caught if each.category is KeptDensityWarning)
    assert warning.filename == __file__
    assert re.search(
        r"layer '0' is pruned already \(20.0 % of its weights are not zero\); layer '2' is pruned "
        r"already .*give density=0.1; ",
        str(warning.message),
    )
    assert network.metadata["kept"].startswith("0: pruned already (20.0 %")


def test_a_model_pruned_by_torch_is_not_cut_again(model):
    prune.l1_unstructured(model[0], "weight", amount=0.5)
    with pytest.warns(KeptDensityWarning, match="layer '0' is pruned already"):
        network = compress(model)
    assert [layer.nonzeros for layer in network.layers] == [600, 30]


def test_a_shared_model_is_taken_as_it_is(shared_model):
    with pytest.warns(KeptDensityWarning, match=r"layer '0' is shared already \(14 distinct"):
        network = compress(shared_model)
    for kept, layer in zip(
        network.layers, compress(shared_model, keep_weights=True).layers, strict=True
    ):
        assert np.array_equal(kept.dense_weights(), layer.dense_weights())


@pytest.mark.parametrize("density", [0.1, 1.0, {"0": 0.5, "2": 1.0}])
def test_no_warning_where_a_density_is_given(model, density):
    prune_linears(model, 0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("error", KeptDensityWarning)
        assert "kept" not in compress(model, density=density).metadata


def test_no_warning_of_a_dense_model(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error", KeptDensityWarning)
        assert "kept" not in compress(model).metadata
