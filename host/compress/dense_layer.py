"""What a model says, in numpy: a sequence of dense layers in real numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.host.compress.dense_product import product
from eie.host.compress.model_graph import Quantize

__all__ = ["DenseLayer", "DenseModel"]


@dataclass(frozen=True, eq=False)
class DenseLayer:
    """One fully connected layer ``y = f(W a + b)`` before compression."""

    #: Unique within the model; the torch module's path where there is one.
    name: str
    #: float32 or float64, shape (rows, columns): as in the model, BatchNorm folded in.
    weights: npt.NDArray[Any]
    #: float64, shape (rows,): zeros for a layer without bias.
    bias: npt.NDArray[np.float64]
    #: Whether the layer ends in a ReLU.
    relu: bool
    #: Whether a BatchNorm was folded into the weights and the bias.
    normalized: bool
    #: How the model rounds the layer's outputs, behind its ReLU; None where it does not.
    quantizer: Quantize | None = None

    @property
    def rows(self) -> int:
        """Outputs of the layer."""
        return int(self.weights.shape[0])

    @property
    def columns(self) -> int:
        """Inputs of the layer."""
        return int(self.weights.shape[1])

    def forward(self, inputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Compute outputs, float64 (batch, rows), of `inputs`, (batch, columns)."""
        return self.activate(
            product(inputs, self.weights.shape, lambda part: self.weights[part].astype(np.float64))
        )

    def activate(self, products: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give outputs of what weights, these or others in their place, made of inputs."""
        sums = products + self.bias
        outputs = np.maximum(sums, 0.0) if self.relu else sums
        return outputs if self.quantizer is None else self.quantizer(outputs)


@dataclass(frozen=True, eq=False)
class DenseModel:
    """The layers of a torch model, in order."""

    #: Class of the model's root module, or the name of its file.
    name: str
    #: Shape of one input vector without the batch; more than one axis when the model flattens.
    input_shape: tuple[int, ...]
    #: At least one layer; each takes what the one before gives.
    layers: tuple[DenseLayer, ...]
    #: How the model rounds its inputs; None where it does not.
    quantizer: Quantize | None = None

    @property
    def features(self) -> int:
        """Length of a flattened input vector."""
        return math.prod(self.input_shape)

    def forward(self, inputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Compute outputs, float64 (batch, rows of the last layer), of flattened inputs."""
        return self.layer_outputs(inputs)[-1]

    def layer_outputs(self, inputs: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
        """Compute the outputs of each layer, float64 (batch, rows), of flattened inputs."""
        values = inputs if self.quantizer is None else self.quantizer(inputs)
        outputs = []
        for layer in self.layers:
            values = layer.forward(values)
            outputs.append(values)
        return outputs
