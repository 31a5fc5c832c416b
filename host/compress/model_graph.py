"""A model as every reader gives it: a graph of a dozen operations, with constants in numpy.

A reader knows a format (:mod:`eie.host.compress.graph_reader` programs of torch, others ONNX and
Keras) and says what each node does in these terms, or why it cannot. What the accelerator makes of
it is decided in one place behind them, :mod:`eie.host.compress.folding`; so an operation that the
kernel learns later is accepted there, for all formats at once.

Batches and shapes stay with the readers: a node here maps one vector of features to another, and
whatever leaves the order of a vector's values alone (reshapes, dropout) is no node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "SUPPORTED",
    "Activation",
    "Affine",
    "Graph",
    "Join",
    "LastStep",
    "Linear",
    "Node",
    "Operation",
    "Quantize",
    "Recurrent",
    "RecurrentWeights",
    "Unsupported",
    "constant_affine",
    "normalization",
]

#: What a model may hold, for messages.
SUPPORTED = (
    "Linear, ReLU, LeakyReLU, clamps, sigmoid, tanh, Flatten, Dropout, Identity, BatchNorm1d, sums "
    "and concatenations"
)


@dataclass(frozen=True, eq=False)
class Linear:
    """``y = W a + b``."""

    #: Unique name of the layer.
    name: str
    #: float32 or float64, shape (rows, columns).
    weights: npt.NDArray[Any]
    #: float64, shape (rows,).
    bias: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Affine:
    """``y = scale * a + shift``: a BatchNorm with its running statistics, or constants."""

    #: float64, shape (features,) or (): nothing is scaled where it is None.
    scale: npt.NDArray[np.float64] | None
    #: float64, shape (features,) or ().
    shift: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Activation:
    """A function of each value by itself, or of all outputs (softmax and log-softmax)."""

    kind: Literal["relu", "leaky_relu", "clamp", "sigmoid", "tanh", "softmax", "log_softmax"]
    #: Slope of a leaky ReLU; bounds of a clamp.
    parameters: tuple[float, ...] = ()


@dataclass(frozen=True)
class Quantize:
    """``y = step * clip(round(a / step), low, high)``, ties to the even number."""

    #: Real value of one step.
    step: float
    #: Smallest number of steps.
    low: int
    #: Largest number of steps.
    high: int

    def __call__(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Quantise values of any shape."""
        steps: npt.NDArray[np.float64] = np.clip(np.rint(values / self.step), self.low, self.high)
        return steps * self.step


@dataclass(frozen=True)
class Join:
    """Two vectors become one: ``a + b``, ``a * b``, or both one behind the other."""

    kind: Literal["add", "multiply", "concatenate"]


@dataclass(frozen=True, eq=False)
class RecurrentWeights:
    """One layer of an LSTM or a GRU, in torch's definition and order of gates.

    The gates are i, f, g, o of an LSTM and r, z, n of a GRU, one below the other.
    """

    #: Unique names of the two matrices.
    input_name: str
    state_name: str
    #: float32 or float64, shape (gates * units, inputs) and (gates * units, units).
    input_weights: npt.NDArray[Any]
    state_weights: npt.NDArray[Any]
    #: float64, shape (gates * units,): what is added to the products of each matrix.
    input_bias: npt.NDArray[np.float64]
    state_bias: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recurrent:
    """Layers of LSTM or GRU over a sequence of vectors, from a state of zero; gives all steps."""

    kind: Literal["LSTM", "GRU"]
    layers: tuple[RecurrentWeights, ...]


@dataclass(frozen=True)
class LastStep:
    """Of a sequence of vectors the last one."""


@dataclass(frozen=True)
class Unsupported:
    """What no reader has terms for; or near what it has terms for, and not the same."""

    #: Why, beginning with the node.
    problem: str
    #: Whether it is a convolution, for which there is advice.
    convolution: bool = False


Operation: TypeAlias = (
    Linear | Affine | Activation | Quantize | Join | Recurrent | LastStep | Unsupported
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Node:
    """One operation, with the values that it takes."""

    #: Name of its result, unique in the graph.
    name: str
    operation: Operation
    #: Names of nodes, or the graph's input.
    inputs: tuple[str, ...]
    #: Its name, operation and place in the user's terms, for messages.
    where: str


@dataclass(frozen=True, eq=False)
class Graph:
    """What a model does to its one input."""

    #: Class of the model's root module, or the name of its file.
    name: str
    #: Shape of one input without the batch; of one step, if it is a sequence of them.
    input_shape: tuple[int, ...]
    #: Name of the input among the inputs of nodes.
    input: str
    #: Each after those that it takes values of; all lead to the output.
    nodes: tuple[Node, ...]
    #: Whether the input is a sequence of vectors, since there is a recurrent layer.
    sequences: bool = False


def normalization(
    mean: npt.NDArray[Any],
    variance: npt.NDArray[Any],
    gain: npt.NDArray[Any] | None,
    offset: npt.NDArray[Any] | None,
    epsilon: float,
) -> Affine:
    """Give a BatchNorm in inference, computed alike for every format, to the last bit.

    Parameters
    ----------
    mean, variance
        Running statistics, shape (features,).
    gain, offset
        What a normalised value is multiplied by, and what is added then, if anything.
    epsilon
        Added to the variance.
    """
    with np.errstate(all="ignore"):  # folding refuses what is not finite
        scale = 1.0 / np.sqrt(variance.astype(np.float64) + epsilon)
        if gain is not None:
            scale = scale * gain
        shift = -mean * scale
        if offset is not None:
            shift = shift + offset
    return Affine(scale, shift)


def constant_affine(
    kind: Literal["add", "subtract", "multiply", "divide"],
    constant: npt.NDArray[np.float64],
    data_first: bool,
) -> Affine:
    """Give arithmetic of a vector and a constant.

    Parameters
    ----------
    kind
        What is done; the data is never the divisor.
    constant
        One number, or one for each feature; axes of one before them change nothing.
    data_first
        Whether the data is what is subtracted from.

    Raises
    ------
    ValueError
        If the constant has more than one axis.
    """
    while constant.ndim and constant.shape[0] == 1:
        constant = constant[0]
    if constant.ndim > 1:
        raise ValueError(constant.shape)
    nothing = np.zeros(())
    with np.errstate(all="ignore"):
        if kind == "multiply":
            return Affine(constant, nothing)
        if kind == "divide":
            return Affine(1.0 / constant, nothing)
        if kind == "add" or data_first:
            return Affine(None, constant if kind == "add" else -constant)
        return Affine(np.full((), -1.0), constant)
