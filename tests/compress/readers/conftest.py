"""A model in every form that it can be handed over in."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

# The folder of tests is no package: graphs made by hand lie in it.
sys.path.insert(0, str(Path(__file__).parent))
# Read when keras is first imported; TensorFlow is not wanted.
os.environ["KERAS_BACKEND"] = "torch"

from quiet_exporters import quiet

#: Shape of one input of the model.
SHAPE = (3, 4)


class Mlp(nn.Module):
    """What every reader reads: a flattened input, a BatchNorm, dropout, constants, a softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(12, 20)
        self.bn = nn.BatchNorm1d(20)
        self.drop = nn.Dropout(0.5)
        self.fc2 = nn.Linear(20, 10, bias=False)
        self.fc3 = nn.Linear(10, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.drop(torch.relu(self.bn(self.fc1(x.flatten(1)))))
        return torch.softmax(self.fc3(torch.relu(self.fc2(x)) * 2.0 + 0.5), dim=1)


@pytest.fixture(scope="session")
def mlp() -> nn.Module:
    torch.manual_seed(4)
    model = Mlp()
    model.bn.running_mean.normal_()
    model.bn.running_var.uniform_(0.5, 2.0)
    nn.init.normal_(model.bn.weight)
    nn.init.normal_(model.bn.bias)
    return model.eval()


@pytest.fixture(scope="session")
def export_onnx() -> Callable[..., None]:
    def _export(model: nn.Module, path: Path, shape: tuple[int, ...], **options: Any) -> None:
        dynamo = options.setdefault("dynamo", False)
        dynamic: dict[str, Any] = (
            {"dynamic_shapes": ({0: torch.export.Dim.DYNAMIC},)}
            if dynamo
            else {"dynamic_axes": {"x": {0: "n"}}, "input_names": ["x"]}
        )
        with quiet():
            torch.onnx.export(model, (torch.zeros(2, *shape),), str(path), **dynamic, **options)

    return _export


@pytest.fixture(scope="session")
def keras_mlp(mlp: Mlp) -> Any:
    with quiet():
        import keras
        from keras import layers

        model = keras.Sequential(
            [
                keras.Input(SHAPE),
                layers.Flatten(),
                layers.Dense(20, name="fc1"),
                layers.BatchNormalization(epsilon=1e-5, name="bn"),
                layers.Activation("relu"),
                layers.Dropout(0.5),
                layers.Dense(10, use_bias=False, activation="relu", name="fc2"),
                layers.Rescaling(2.0, 0.5),
                layers.Dense(4, activation="softmax", name="fc3"),
            ]
        )

    def numbers(*tensors: torch.Tensor) -> list[np.ndarray]:
        return [each.detach().numpy() for each in tensors]

    model.get_layer("fc1").set_weights(numbers(mlp.fc1.weight.T, mlp.fc1.bias))
    model.get_layer("bn").set_weights(
        numbers(mlp.bn.weight, mlp.bn.bias, mlp.bn.running_mean, mlp.bn.running_var)
    )
    model.get_layer("fc2").set_weights(numbers(mlp.fc2.weight.T))
    model.get_layer("fc3").set_weights(numbers(mlp.fc3.weight.T, mlp.fc3.bias))
    return model
