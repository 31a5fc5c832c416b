"""Models with branches and other functions than ReLU, from a module to the outputs of engines."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
import torch
from network_graphs import evaluate
from torch import nn
from torch.nn import functional as F

from eie.hls.boundary.errors import EieWarning, ModelError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.fixed_point import dequantize, quantize
from eie.host.compress import TorchReference, compress, read_model
from eie.host.network import Network
from eie.host.packing.packer import pack
from eie.host.protocol.client import Session
from eie.host.search.fit import fit

INPUTS = np.random.default_rng(3).normal(size=(60, 12)).astype(np.float32)


class Model(nn.Module):
    """A Linear before and behind what is to be read; `function` says what that is."""

    def __init__(self, function) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.fc1, self.fc2 = nn.Linear(12, 12), nn.Linear(12, 12)
        self.wide, self.out = nn.Linear(24, 5), nn.Linear(12, 5)
        self.norm = nn.BatchNorm1d(12)
        self.norm.running_mean.normal_()
        self.norm.running_var.uniform_(0.5, 2)
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(self, x)


def residual(m, x):
    return m.out(F.relu(m.fc2(F.relu(m.fc1(x))) + x))


def normed_residual(m, x):
    hidden = F.relu(m.fc1(x))
    return m.out(F.relu(m.norm(m.fc2(hidden) + hidden)))


def projection(m, x):
    return m.out(F.relu(m.fc1(x) + m.fc2(x)))


def concatenation(m, x):
    return m.wide(torch.cat([F.relu(m.fc1(x)), x], dim=1))


def joined_outputs(m, x):
    return torch.cat([m.out(x), m.fc1(x)], dim=1)


def twice(m, x):
    hidden = m.fc1(x)
    return m.out(F.relu(hidden + hidden) + F.relu(m.fc2(hidden)))


def bounds(m, x):
    return m.out(F.hardtanh(m.fc2(F.relu6(m.fc1(x) * 4)), -0.25, 0.5)).clamp(max=0.125)


def leaky(m, x):
    return m.out(F.leaky_relu(m.fc1(x), 0.2))


def functions(m, x):
    return torch.sigmoid(m.out(torch.tanh(m.fc1(x))))


def first_relu(m, x):
    return m.out(F.relu(x))


def norm_between(m, x):
    return m.out(F.relu(m.norm(F.relu(m.fc1(x)))))


GRAPHS = {
    residual: "fc1 fc2+ input.taken<-1 out",
    normed_residual: "fc1 fc2+ fc1.taken<0 out",
    projection: "fc1+ fc2<-1 out",
    concatenation: "fc1 wide.part0+ wide<-1",
    joined_outputs: "out fc1<-1 fc1.taken+ out.taken<0",
    twice: "fc1 fc1.taken fc2<0 fc2.taken+ fc1.taken.taken<1 out",
    bounds: "fc1 fc2 out",
    leaky: "fc1 out",
    functions: "fc1 out",
    first_relu: "input.taken out",
    norm_between: "fc1 fc1.taken out",
}


def layers_of(found) -> str:
    return " ".join(
        layer.name
        + ("+" if layer.accumulate else "")
        + ("" if layer.source is None else f"<{layer.source}")
        for layer in found.layers
    )


@pytest.fixture(params=GRAPHS, ids=lambda each: each.__name__)
def graph(request):
    return request.param


@pytest.fixture
def module(graph) -> nn.Module:
    return Model(graph).eval()


def test_layers_compute_what_the_module_does(graph, module):
    found = read_model(module, input_shape=(12,))
    assert layers_of(found) == GRAPHS[graph]
    with torch.no_grad():
        wanted = module(torch.from_numpy(INPUTS)).numpy()
    np.testing.assert_allclose(found.forward(INPUTS.astype(float)), wanted, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("calibrated", [True, False])
def test_engines_agree_on_what_is_made_of_it(graph, module, calibrated):
    network = compressed(module, INPUTS if calibrated else None)
    assert layers_of(network) == GRAPHS[graph]
    codes = quantize(INPUTS, network.input_frac)
    outputs = TorchReference(network)(codes)
    assert np.array_equal(outputs, evaluate(network, codes).outputs)
    packed = pack(network, fit(network, pes=4).design)
    assert np.array_equal(Session(Emulator(packed.design), packed).run(codes), outputs)
    with torch.no_grad():
        wanted = module(torch.from_numpy(INPUTS)).numpy()
    if calibrated:  # its weights are shared, and nothing else should be off by much
        found = dequantize(outputs, network.output_frac)
        assert np.abs(found - wanted).mean() < 0.1 * np.abs(wanted).mean()


def test_what_is_added_as_it_is_loses_nothing(module, graph):
    """An identity's weight is 1 exactly, whatever formats its chain has."""
    for calibration in (INPUTS, 1000 * INPUTS, INPUTS / 4000, None):
        network = compressed(module, calibration)
        for layer in network.layers:
            if ".taken" in layer.name:
                weights = layer.codebook[layer.codes] * 2.0**-layer.weight_frac
                # But for a BatchNorm behind the sum, which has a scale for each value.
                assert graph in (normed_residual, norm_between) or set(weights.tolist()) <= {
                    1.0,
                    2.0,
                }
                assert layer.weight_frac >= 0


def test_a_batch_norm_behind_a_sum_may_have_more_scales_than_a_codebook():
    torch.manual_seed(0)
    wide = nn.Linear(40, 40)
    norm = nn.BatchNorm1d(40)
    norm.running_var.uniform_(0.2, 4)

    class Wide(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide, self.norm = wide, norm

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.norm(self.wide(x) + x)

    inputs = np.random.default_rng(0).normal(size=(50, 40))
    found = read_model(Wide().eval(), input_shape=(40,))
    assert layers_of(found) == "wide+ input.taken+<-1 input.taken2<-1"
    scales = found.layers[1].weights + found.layers[2].weights
    network = compressed(Wide().eval(), inputs, 40)
    rounded = sum(layer.dense_weights() * 2.0**-layer.weight_frac for layer in network.layers[1:])
    assert np.abs(rounded - scales).max() < 0.01 * scales.max()


def compressed(module: nn.Module, calibration, features: int = 12) -> Network:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)
        return compress(module, density=1.0, calibration=calibration, input_shape=(features,))


def test_bounds_are_codes_of_the_results():
    network = compressed(Model(bounds).eval(), INPUTS)
    found = [(layer.low * 2.0**-layer.output_frac, layer.high * 2.0**-layer.output_frac)
             for layer in network.layers]  # fmt: skip
    assert found[0] == (0, 6)
    assert found[1] == (-0.25, 0.5)
    assert found[2][1] == 0.125
    assert [layer.activation for layer in network.layers] == ["relu", "none", "none"]


def test_density_is_for_layers_with_weights_of_the_model():
    network = compress(Model(residual).eval(), density=0.25, calibration=INPUTS)
    kept = {layer.name: layer.nonzeros for layer in network.layers}
    assert kept == {"fc1": 36, "fc2": 36, "input.taken": 12, "out": 15}


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (lambda m, x: m.out(m.fc1(x) * m.fc2(x)), "multiplies .* products of branches"),
        (lambda m, x: m.out(F.leaky_relu(m.fc1(x), 1.5)), "slope above 0 and below 1, not 1.5"),
        (lambda m, x: m.out(torch.cat([x[:, None], x[:, None]], 1).flatten(1)[:, :12]), "Flatten"),
        (lambda m, x: m.out(torch.add(m.fc1(x), x, alpha=2)), "each as it is .alpha=1."),
        (lambda m, x: m.out(m.fc1(x) + m.out(x).sum(1, keepdim=True)), "not supported"),
        (lambda m, x: m.out(F.softmax(m.fc1(x), 1)), "at the model's end, over the outputs"),
        (lambda m, x: F.relu(x), "must have at least one Linear"),
    ],
)
def test_what_is_not_taken_is_refused_by_name(function, problem):
    with pytest.raises(ModelError, match=problem):
        read_model(Model(function).eval(), input_shape=(12,))


def test_a_softmax_over_them_is_left_off_and_a_sigmoid_is_computed():
    with pytest.warns(EieWarning, match="left off"):
        found = read_model(
            Model(lambda m, x: torch.softmax(residual(m, x), 1)).eval(), input_shape=(12,)
        )
    assert layers_of(found) == GRAPHS[residual]
    assert (
        dataclasses.asdict(read_model(Model(functions).eval(), input_shape=(12,)).layers[-1])[
            "function"
        ]
        == "sigmoid"
    )
