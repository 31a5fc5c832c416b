"""What single layers of Keras do, by their configuration and weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eie.hls.boundary.text import printable, shown
from eie.host.compress.model_graph import (
    SUPPORTED,
    Activation,
    Affine,
    Linear,
    Operation,
    normalization,
)

__all__ = [
    "Config",
    "Refused",
    "activation",
    "batch_normalization",
    "dense",
    "feature_normalization",
    "joined",
    "reshaped",
]

#: Configuration of a layer.
Config = Mapping[str, Any]

_LONGEST_NAME = 120
#: Functions by name, as Dense and Activation have them.
_FUNCTIONS: dict[str, Activation | None] = {
    "linear": None,
    "relu": Activation("relu"),
    "relu6": Activation("clamp", (0.0, 6.0)),
    "leaky_relu": Activation("leaky_relu", (0.2,)),
    "sigmoid": Activation("sigmoid"),
    "tanh": Activation("tanh"),
    "softmax": Activation("softmax"),
    "log_softmax": Activation("log_softmax"),
}


class Refused(Exception):
    """A layer for which there are no terms; says why, and the layer comes before it."""


def dense(config: Config, weights: Any, name: str) -> list[Operation]:
    """Read a Dense layer: its product, and its activation."""
    if config.get("quantization_config") or len(weights) != 1 + bool(config.get("use_bias", True)):
        raise Refused("must have a kernel and a bias of real numbers: quantised ones are not read")
    kernel = weights[0]
    if kernel.ndim != 2 or kernel.dtype.kind != "f":
        raise Refused("must have a kernel of real numbers in rows and columns")
    kernel = kernel.astype(np.float32) if kernel.dtype.itemsize < 4 else kernel
    rows = kernel.shape[1]
    bias = weights[1].astype(np.float64) if len(weights) > 1 else np.zeros(rows)
    operations: list[Operation] = [
        Linear(printable(name)[:_LONGEST_NAME], np.ascontiguousarray(kernel.T), bias)
    ]
    read = function(config.get("activation"))
    return operations if read is None else [*operations, read]


def batch_normalization(config: Config, weights: Any, name: str) -> list[Operation]:
    """Read a BatchNormalization with its running statistics."""
    axis = config.get("axis", -1)
    scaled, centred = bool(config.get("scale", True)), bool(config.get("center", True))
    if (
        axis not in (-1, 1, [-1], [1])
        or config.get("renorm")
        or len(weights) != 2 + scaled + centred
    ):
        raise Refused("must normalise each feature by its running statistics")
    if len({each.shape for each in weights}) != 1 or weights[0].ndim != 1:
        raise Refused("must have as many means, variances, gains and offsets as features")
    mean, variance = weights[-2:]
    gain = weights[0] if scaled else None
    offset = weights[int(scaled)] if centred else None
    return [normalization(mean, variance, gain, offset, float(config["epsilon"]))]


def feature_normalization(config: Config, weights: Any, name: str) -> list[Operation]:
    """Read a Normalization that has adapted to its features."""
    axis = np.ravel(config.get("axis", -1)).tolist()
    if config.get("invert") or len(weights) not in (2, 3) or axis not in ([-1], [1]):
        raise Refused("must have adapted to each feature, and not be inverted")
    mean, variance = (each.astype(np.float64).reshape(-1) for each in weights[:2])
    scale = 1.0 / np.maximum(np.sqrt(variance), 1e-7)  # Keras' epsilon
    return [Affine(scale, -mean * scale)]


def activation(kind: str, config: Config) -> Activation | None:
    """Read a layer that is an activation function; None for one that does nothing."""
    if kind == "Activation":
        return function(config.get("activation"))
    if kind == "Softmax":
        if config.get("axis", -1) not in (-1, 1):
            raise Refused("must be over the outputs")
        return Activation("softmax")
    slope = float(config.get("negative_slope") or 0.0)
    most = config.get("max_value") if kind == "ReLU" else None
    if kind == "ReLU" and config.get("threshold"):
        raise Refused(f"has a threshold; supported are {SUPPORTED}")
    if slope:
        if most is not None:
            raise Refused("has both a slope and a largest value; leave one of them out")
        return Activation("leaky_relu", (slope,))
    return Activation("relu") if most is None else Activation("clamp", (0.0, float(most)))


def function(value: Any) -> Activation | None:
    """Read an activation function, which is a name or an object of one."""
    if isinstance(value, Mapping):
        kind, inner = value.get("class_name"), value.get("config")
        if kind in ("ReLU", "LeakyReLU", "Softmax") and isinstance(inner, Mapping):
            return activation(kind, inner)
        value = inner
    if value is not None and (not isinstance(value, str) or value not in _FUNCTIONS):
        raise Refused(
            f"has the activation {shown(value)}, which is not supported; supported are {SUPPORTED}"
        )
    return None if value is None else _FUNCTIONS[value]


def joined(
    kind: str, shapes: Sequence[tuple[int, ...] | None], axis: int
) -> tuple[int, ...] | None:
    """Shape of vectors that are added or put one behind the other; None where it is not known."""
    known = [each for each in shapes if each is not None]
    if any(len(each) != 1 for each in known) or (kind == "concatenate" and axis not in (-1, 1)):
        raise Refused("must join vectors of shape (batch, features); put a Flatten before it")
    if kind != "concatenate":
        if len(set(known)) > 1:
            raise Refused(f"must join vectors of one length, not {shown(known)}")
        return known[0] if known else None
    return (sum(each[0] for each in known),) if len(known) == len(shapes) else None


def reshaped(kind: str, config: Config, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Shape of the same values in the same order; None where it is not known."""
    if shape is None:
        return None
    if kind == "Flatten":
        return (math.prod(shape),)
    wanted = list(config["target_shape"])
    known = math.prod(size for size in wanted if size >= 0)
    if wanted.count(-1) == 1 and known:
        wanted[wanted.index(-1)] = math.prod(shape) // known
    if math.prod(wanted) != math.prod(shape):
        raise Refused(f"must keep the {math.prod(shape)} values, not give {shown(wanted)}")
    return tuple(wanted)
