"""A model with branches through every reader: the same network file, but for its origin."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from quiet_exporters import quiet
from torch import nn
from torch.nn import functional as F

from eie.hls.boundary.errors import EieWarning
from eie.host.compress import compress
from eie.host.network import Network

CALIBRATION = np.random.default_rng(5).normal(size=(40, 12))


class Branches(nn.Module):
    """A residual, a concatenation, and every function that the accelerator has."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.fc1, self.fc2 = nn.Linear(12, 20), nn.Linear(20, 12)
        self.fc3, self.fc4, self.out = nn.Linear(24, 10), nn.Linear(10, 8), nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.fc2(F.relu6(self.fc1(x))) + x)
        x = F.leaky_relu(self.fc3(torch.cat([x, torch.tanh(x)], dim=1)), 0.25)
        return torch.sigmoid(self.out(torch.relu(self.fc4(x))))


def network(model) -> Network:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)
        made = compress(model, density=0.4, calibration=CALIBRATION)
    return replace(made, metadata={**made.metadata, "model": "the same"})


@pytest.fixture(scope="module")
def module() -> nn.Module:
    return Branches().eval()


@pytest.fixture(scope="module")
def wanted(module) -> Network:
    return network(module)


def test_the_layers(wanted):
    assert [layer.name for layer in wanted.layers] == [
        "fc1", "fc2", "input.taken", "input.taken.taken", "fc3", "fc3.part0", "fc4", "out",
    ]  # fmt: skip
    activations = [layer.activation for layer in wanted.layers]
    assert activations == [
        "relu", "none", "relu", "tanh", "none", "leaky_relu", "relu", "sigmoid",
    ]  # fmt: skip


def test_a_saved_program(module, wanted, tmp_path):
    program = torch.export.export(
        module, (torch.zeros(2, 12),), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)
    )
    torch.export.save(program, tmp_path / "m.pt2")
    assert network(tmp_path / "m.pt2") == wanted
    with quiet():
        decomposed = program.run_decompositions()
    assert network(decomposed) == wanted


@pytest.mark.parametrize("dynamo", [False, True])
def test_onnx(dynamo, module, wanted, export_onnx, tmp_path):
    export_onnx(module, tmp_path / "m.onnx", (12,), dynamo=dynamo)
    assert network(tmp_path / "m.onnx") == wanted


def test_keras(module, wanted, tmp_path):
    with quiet():
        import keras
        from keras import layers

        x = first = keras.Input((12,))
        x = layers.Dense(20, name="fc1")(x)
        x = layers.Dense(12, name="fc2")(layers.ReLU(6.0)(x))
        x = layers.ReLU()(layers.Add()([x, first]))
        x = layers.Concatenate()([x, layers.Activation("tanh")(x)])
        x = layers.LeakyReLU(0.25)(layers.Dense(10, name="fc3")(x))
        x = layers.Dense(8, activation="relu", name="fc4")(x)
        model = keras.Model(first, layers.Dense(4, activation="sigmoid", name="out")(x))
    for name in ("fc1", "fc2", "fc3", "fc4", "out"):
        linear = getattr(module, name)
        numbers = [linear.weight.T.detach().numpy(), linear.bias.detach().numpy()]
        model.get_layer(name).set_weights(numbers)
    assert network(model) == wanted
    model.save(tmp_path / "m.keras")
    assert network(tmp_path / "m.keras") == wanted
