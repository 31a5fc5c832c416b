"""Numbers that 16 bits cannot hold or hold badly: the right value, or a warning that names it."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from eie.hls.boundary.errors import (
    EieWarning,
    LossWarning,
    SaturationWarning,
    UncalibratedWarning,
    UnderflowWarning,
)
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, dequantize
from eie.host.compress import TorchReference, compress
from eie.host.network import Network
from eie.host.network.input_codes import quantize_inputs
from eie.host.network.loss_record import LossRecord


def _real(network: Network, inputs: np.ndarray) -> np.ndarray:
    codes = TorchReference(network)(quantize_inputs(network, inputs))
    return dequantize(codes, network.output_frac).astype(np.float64)


def _exact(model: nn.Module, inputs: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return model.double().eval()(torch.from_numpy(inputs)).numpy()


def _median_error(network: Network, model: nn.Module, inputs: np.ndarray) -> float:
    exact = _exact(model, inputs)
    error = np.linalg.norm(_real(network, inputs) - exact, axis=1)
    return float(np.median(error / np.linalg.norm(exact, axis=1)))


def _record(network: Network) -> LossRecord:
    record = LossRecord.of(network)
    assert record is not None
    return record


def _shared(rows: int, columns: int, scale: float = 1.0) -> nn.Linear:
    """A layer of 15 different weights, so that sharing loses nothing; without bias."""
    linear = nn.Linear(columns, rows, bias=False, dtype=torch.float64)
    values = np.random.default_rng(1).integers(-7, 8, (rows, columns)) / 8 * scale
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(values))
    return linear


@pytest.fixture
def normal() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(1000, 20))


def test_one_glitch_takes_nothing_from_the_other_vectors(normal):
    model = nn.Sequential(_shared(30, 20), nn.ReLU(), _shared(10, 30))
    glitch = normal.copy()
    glitch[17, 3] = 1e6
    with pytest.warns(SaturationWarning, match=r"1 input value \(feature 3 of vector 17: 1e\+06\)"):
        network = compress(model, density=1.0, calibration=glitch)
    assert _median_error(network, model, normal) < 1e-3
    record = _record(network)
    assert record.inputs_saturated == 1
    assert [(cut.vector, cut.feature, cut.value) for cut in record.largest_cut] == [(17, 3, 1e6)]
    assert record.error.median < 1e-3
    assert record.error.worst == pytest.approx(1.0, abs=0.01)
    assert record.error.worst_vector == 17


def test_a_weight_that_matters_to_few_vectors_is_cut_off_and_counted(normal):
    hidden = _shared(30, 20)
    with torch.no_grad():
        hidden.weight[4] = 0
        hidden.weight[4, 0] = 1e5
    inputs = np.abs(normal)
    inputs[1:, 0] = 0
    model = nn.Sequential(hidden, nn.ReLU(), _shared(10, 30))
    with pytest.warns(SaturationWarning, match=r"1 weight of layer '0' \(the largest: 100000\)"):
        network = compress(model, calibration=inputs, keep_weights=True)
    assert [layer.weights_saturated for layer in _record(network).layers] == [1, 0]
    assert _median_error(network, model, inputs[1:]) < 1e-2


def test_an_output_that_is_cut_off_is_counted_by_layer():
    """One vector sums to 500, where those before and after sum to 0.005."""
    model = nn.Linear(500, 1, bias=False)
    nn.init.ones_(model.weight)
    inputs = np.ones((1000, 500))
    inputs[:, ::2] = -1.0
    inputs[:, 0] += np.random.default_rng(0).choice([-0.005, 0.005], 1000)
    inputs[17] = 1.0
    with pytest.warns(SaturationWarning, match=r"cut off 1 output of layer 'linear' of 1000 cal"):
        network = compress(model, density=1.0, calibration=inputs)
    record = _record(network)
    assert [layer.saturated for layer in record.layers] == [1]
    assert record.error.worst_vector == 17


def test_inputs_of_the_assumed_range_do_not_overflow():
    model = nn.Linear(4096, 1, bias=False)
    nn.init.constant_(model.weight, 1 / 4096)
    with pytest.warns(UncalibratedWarning):
        network = compress(model, density=1.0)
    assert _real(network, np.full((1, 4096), 3.0)).tolist() == [[3.0]]
    assert _real(network, np.full((1, 4096), -4.0)).tolist() == [[-4.0]]


def test_calibration_of_zeros_says_nothing(normal):
    model = _shared(10, 20)
    with pytest.warns(UncalibratedWarning, match="calibration holds nothing but zeros"):
        network = compress(model, density=1.0, calibration=np.zeros((5, 20)))
    assert network.metadata["error"].startswith("not known")
    assert _record(network).error is None
    assert _median_error(network, model, np.clip(normal, -4, 3.9)) < 1e-3


@pytest.mark.parametrize("scale", [1e-25, 1e-9, 1e-3, 1e9, 1e25])
def test_inputs_and_outputs_of_any_size(scale, normal):
    for model, inputs in ((_shared(8, 20), normal * scale), (_shared(8, 20, scale), normal)):
        network = compress(model, density=1.0, calibration=inputs)
        assert _median_error(network, model, inputs) < 1e-3


def test_features_of_different_scale_get_one_each(normal):
    scale = np.array([2.0**17, 1.0, 2.0**-10])  # powers of two, so that sharing loses nothing
    random = np.random.default_rng(0)
    alike = np.stack([random.permutation(normal[:, 0]) for _ in scale], axis=1)
    inputs = alike * scale + scale
    model = nn.Sequential(nn.BatchNorm1d(3), _shared(16, 3), nn.ReLU(), _shared(4, 16)).double()
    model[0].running_mean = torch.from_numpy(scale)
    model[0].running_var = torch.from_numpy(scale**2)
    model[0].eps = 0.0
    model.eval()
    network = compress(model, density=1.0, calibration=inputs)
    assert network.feature_fracs is not None
    assert np.ptp(network.feature_fracs) > 20
    assert _median_error(network, model, inputs) < 0.02
    assert "features have a scale each" in network.metadata["formats"]
    # Golden vectors, the file and what saturates follow.
    expected = quantize_inputs(network, inputs[:16])
    assert np.array_equal(network.golden_inputs, expected)
    outside = inputs[:4].copy()
    outside[2, 2] = 1.0
    with pytest.warns(SaturationWarning, match=r"1 of 12 input values .*: 1 feature \(2\);"):
        codes = quantize_inputs(network, outside)
    assert codes[2, 2] == CODE_MAX


def test_features_of_one_scale_keep_one_format(normal):
    network = compress(_shared(8, 20), density=1.0, calibration=normal)
    assert network.feature_fracs is None


def test_kept_weights_keep_one_format_and_lost_features_are_named(normal):
    model = _shared(6, 3)
    inputs = normal[:, :3] * np.array([1e6, 1.0, 1e-3])
    with pytest.warns(UnderflowWarning) as caught:
        network = compress(model, keep_weights=True, calibration=inputs)
    assert any("2 features (1, 2) always become 0" in str(each.message) for each in caught)
    assert network.feature_fracs is None
    assert _record(network).features_zeroed == (1, 2)
    assert np.array_equal(network.layers[0].dense_codes() != 0, model.weight.detach().numpy() != 0)


def test_weights_that_one_large_weight_rounds_away_are_counted(normal):
    model = nn.Linear(20, 32, bias=False)
    with torch.no_grad():
        model.weight.uniform_(0.01, 0.1)
        model.weight[3, 4] = 1e4
    with pytest.warns(UnderflowWarning) as caught:
        network = compress(model, density=1.0, calibration=normal)
    texts = [str(each.message) for each in caught]
    assert any("layer 'linear': 639 of 640 weights become 0" in text for text in texts)
    assert any("31 of 32 outputs always become 0" in text for text in texts)
    (layer,) = _record(network).layers
    assert (layer.weights, layer.weights_zeroed, layer.weights_coarse) == (640, 639, 639)
    assert layer.outputs_zeroed == 31
    # What is left is what the outputs are made of, to their 16 bits.
    assert _median_error(network, model, normal) < 1e-2


@pytest.mark.parametrize(
    ("density", "stage", "advice"),
    [(0.1, "pruning", "keep more weights"), (1.0, "sharing", "15 shared weights a layer are too")],
)
def test_advice_names_the_stage_that_lost_it(density, stage, advice, normal):
    torch.manual_seed(0)
    model = nn.Linear(20, 10)
    with torch.no_grad():  # many scales, which 15 weights cannot follow
        model.weight.copy_(10 ** torch.linspace(-4, 0, 200).reshape(10, 20)[:, torch.randperm(20)])
        if stage == "sharing":
            model.weight[0].fill_(0)
            model.bias.zero_()
            model.weight.mul_(torch.tensor([1.0, -1.0]).repeat(10))
            model.weight[:, ::2] = -model.weight[:, 1::2] * 1.07
    inputs = normal if stage == "pruning" else np.ones((5, 20)) + normal[:5] * 1e-3
    with pytest.warns(LossWarning, match=f"most of it comes from {stage}.*: {advice}"):
        network = compress(model, density=density, calibration=inputs)
    record = _record(network)
    assert record.main_stage.stage == stage
    if density == 1.0:
        assert record.stages[0].median == 0.0


def test_without_calibration_bits_that_are_left_are_said():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(400, 200), nn.ReLU(), nn.Linear(200, 100), nn.Linear(100, 10))
    with pytest.warns(UncalibratedWarning, match=r"bits that are left .* layer '3' \d\.\d"):
        network = compress(model, density=1.0)
    assert "bits left for ordinary inputs: 0: " in network.metadata["formats"]


def test_python_is_warned_of_inputs_out_of_range(normal):
    network = compress(_shared(8, 20), density=1.0, calibration=normal)
    with pytest.warns(SaturationWarning, match=r"of 100 input values were saturated: \d+ feat"):
        quantize_inputs(network, normal[:5] * 255)


def test_what_loses_nothing_is_quiet(normal):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compress(_shared(8, 20), density=1.0, calibration=normal)
        compress(_shared(8, 20), keep_weights=True, calibration=normal[:1])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    vectors=st.integers(1, 40),
    glitches=st.lists(st.tuples(st.integers(0, 39), st.integers(0, 4), st.integers(-9, 12))),
)
def test_counts_equal_a_recount(seed, vectors, glitches):
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(vectors, 5)) * 10.0 ** random.integers(-3, 4, 5)
    for vector, feature, exponent in glitches:
        inputs[vector % vectors, feature] = 10.0**exponent
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3)).double()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        network = compress(model, density=1.0, calibration=inputs)
    record = _record(network)
    scaled = inputs * 2.0 ** np.broadcast_to(network.input_frac, 5)
    inputs_cut = int(np.count_nonzero((scaled < CODE_MIN - 0.5) | (scaled >= CODE_MAX + 0.5)))
    assert record.inputs_saturated == inputs_cut
    activations = np.clip(np.rint(scaled), CODE_MIN, CODE_MAX).astype(np.int64)
    for layer, lost in zip(network.layers, record.layers, strict=True):
        sums = activations @ layer.dense_weights().astype(np.int64).T + layer.bias
        sums = np.maximum(sums, 0) if layer.relu else sums
        rounded = (sums + ((1 << layer.shift) >> 1)) >> layer.shift
        activations = np.clip(rounded, CODE_MIN, CODE_MAX)
        assert lost.saturated == np.count_nonzero(activations != rounded)
        assert lost.weights - lost.weights_zeroed == layer.nonzeros
        assert lost.weights_coarse >= lost.weights_zeroed
    cut = [each for layer in record.layers for each in (layer.saturated, layer.weights_saturated)]
    assert any([inputs_cut, *cut]) == any(each.category is SaturationWarning for each in caught)
    assert all(issubclass(each.category, EieWarning) for each in caught)
    assert LossRecord.from_text(record.as_text()) == record
