"""What a model says, in numpy: dense layers in real numbers, in the order in which they run.

They hang together as those of a network do (:mod:`eie.host.network.graph`): a layer takes what the
one before gives, or its source, and layers that accumulate add to the sums of the next one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from eie.host.compress.model_graph import Quantize
from eie.host.network import INPUT

__all__ = ["UNBOUNDED", "DenseLayer", "DenseModel", "Walk", "chain_ends", "giver_of"]

Reals = npt.NDArray[np.float64]
#: Bounds of a layer that has none.
UNBOUNDED = (-math.inf, math.inf)


@dataclass(frozen=True, eq=False)
class DenseLayer:
    """One fully connected layer ``y = f(W a + b)`` before compression."""

    #: Unique within the model; the torch module's path where there is one.
    name: str
    #: float32 or float64, shape (rows, columns): as in the model, BatchNorm folded in.
    weights: npt.NDArray[Any]
    #: float64, shape (rows,): zeros for a layer without bias, and for one that accumulates.
    bias: npt.NDArray[np.float64]
    #: Whether the layer ends in a ReLU.
    relu: bool
    #: Whether a BatchNorm was folded into the weights and the bias.
    normalized: bool
    #: How the model rounds the layer's outputs, behind its ReLU; None where it does not.
    quantizer: Quantize | None = None
    #: Lowest and highest value that the layer gives; a ReLU's 0 is not said here.
    bounds: tuple[float, float] = UNBOUNDED
    #: Function of the sums, besides a ReLU and bounds.
    function: Literal["leaky_relu", "sigmoid", "tanh"] | None = None
    #: Slope of a LeakyReLU.
    slope: float = 0.0
    #: Whether the next layer adds to the same sums.
    accumulate: bool = False
    #: What it takes, as :attr:`eie.host.network.Layer.source` has it.
    source: int | None = None
    #: Whether the weights are no parameters, but what adds or places results: they stay.
    fixed: bool = False

    @property
    def rows(self) -> int:
        """Outputs of the layer."""
        return int(self.weights.shape[0])

    @property
    def columns(self) -> int:
        """Inputs of the layer."""
        return int(self.weights.shape[1])

    @property
    def tabled(self) -> bool:
        """Whether the function has a table, so that results have a format of their own."""
        return self.function in ("sigmoid", "tanh")

    def activate(self, sums: Reals) -> Reals:
        """Give what the layer makes of its sums but for its quantiser; never falls with them."""
        if self.function == "leaky_relu":
            return np.asarray(np.where(sums < 0, self.slope * sums, sums))
        if self.function == "tanh":
            return np.asarray(np.tanh(sums))
        if self.function == "sigmoid":
            return np.asarray(0.5 + 0.5 * np.tanh(0.5 * sums))  # exp may overflow
        outputs = np.maximum(sums, 0.0) if self.relu else sums
        low, high = self.bounds
        bounded: Reals = np.clip(outputs, low, high) if (low, high) != UNBOUNDED else outputs
        return bounded

    def end(self, sums: Reals) -> Reals:
        """Give the results of sums, as the model rounds them."""
        outputs = self.activate(sums)
        return outputs if self.quantizer is None else self.quantizer(outputs)

    def product(self, inputs: Reals) -> Reals:
        """Give the sums of `inputs`, float64 (batch, columns), bias included."""
        sums: Reals = inputs @ self.weights.T.astype(np.float64) + self.bias
        return sums

    def forward(self, inputs: Reals) -> Reals:
        """Compute outputs, float64 (batch, rows), of `inputs`, (batch, columns)."""
        return self.end(self.product(inputs))


class Walk:
    """A batch on its way through layers, one layer at a time.

    Parameters
    ----------
    layers
        The layers.
    inputs
        float64, shape (batch, features).
    """

    def __init__(self, layers: Sequence[DenseLayer], inputs: Reals) -> None:
        self._layers = layers
        self._index = 0
        self._given = {INPUT: inputs}
        self._sums: Reals | None = None

    def copy(self) -> Walk:
        """Give another one that stands at the same layer."""
        other = Walk(self._layers, self._given[INPUT])
        other._index, other._sums = self._index, self._sums
        other._given = dict(self._given)
        return other

    @property
    def taken(self) -> Reals:
        """What the next layer takes."""
        return self._given[giver_of(self._layers, self._index)]

    def step(
        self,
        product: Callable[[Reals], Reals] | None = None,
        end: Callable[[Reals], Reals] | None = None,
    ) -> Reals:
        """Take the next layer; give its results, of shape (batch, 0) if it accumulates.

        Parameters
        ----------
        product
            Sums of what it takes, bias included; the layer's own if None.
        end
            Results of sums; the layer's own if None.
        """
        layer, index = self._layers[self._index], self._index
        added = (product or layer.product)(self.taken)
        sums = added if self._sums is None else self._sums + added
        self._index += 1
        if layer.accumulate:
            self._sums = sums
            return np.empty((len(sums), 0))
        self._sums = None
        self._given[index] = (end or layer.end)(sums)
        return self._given[index]


def giver_of(layers: Sequence[DenseLayer], index: int) -> int:
    """Index of the layer whose results the one at `index` takes; INPUT for the model's input."""
    source = layers[index].source
    return index - 1 if source is None else source


def chain_ends(layers: Sequence[DenseLayer]) -> list[int]:
    """Give for each layer the index of the one that ends its sums."""
    ends, end = [0] * len(layers), len(layers) - 1
    for index in range(len(layers) - 1, -1, -1):
        if not layers[index].accumulate:
            end = index
        ends[index] = end
    return ends


@dataclass(frozen=True, eq=False)
class DenseModel:
    """The layers of a model, in order."""

    #: Class of the model's root module, or the name of its file.
    name: str
    #: Shape of one input vector without the batch; more than one axis when the model flattens.
    input_shape: tuple[int, ...]
    #: At least one layer.
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
        """Compute the outputs of each layer, float64 (batch, rows), of flattened inputs.

        A layer that accumulates gives none: (batch, 0).
        """
        walk = Walk(self.layers, inputs if self.quantizer is None else self.quantizer(inputs))
        return [walk.step() for _ in self.layers]
