"""What one node of an ONNX graph does to data, in the terms of a graph of ours."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from eie.hls.boundary.text import shown
from eie.host.compress.model_graph import (
    SUPPORTED,
    Activation,
    Affine,
    Join,
    Linear,
    Operation,
    constant_affine,
    normalization,
)
from eie.host.compress.readers.onnx_shapes import (
    Refused,
    Shape,
    flattened,
    reshaped,
    squeezed,
    unsqueezed,
)
from eie.host.compress.readers.onnx_values import Constant, Data, Sizes, Value
from eie.host.compress.readers.quantizers import quantizer

if TYPE_CHECKING:
    from onnx import NodeProto

__all__ = ["Step"]

_JOINS: dict[str, Any] = {"Add": "add", "Sum": "add", "Mul": "multiply", "Concat": "concatenate"}
_ARITHMETIC: dict[str, Any] = {
    "Add": "add", "Sub": "subtract", "Mul": "multiply", "Div": "divide",
}  # fmt: skip
_ACTIVATIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh"}


class Step:
    """Reads what a node does to data.

    Parameters
    ----------
    node
        With at least one input that is data.
    values
        Its inputs; None for one that is left out.
    attributes
        Its attributes by name.
    name_layer
        Names a layer with these weights.
    """

    def __init__(
        self,
        node: NodeProto,
        values: list[Value | None],
        attributes: dict[str, Any],
        name_layer: Callable[[NodeProto, Constant], str],
    ) -> None:
        self._node, self._name_layer = node, name_layer
        self._values, self._attributes = values, attributes

    def read(self, data: Data) -> tuple[Operation | None, Shape | None]:
        """Give the operation, None if it leaves a vector's values alone, and its result's shape.

        Raises
        ------
        Refused
            If there are no terms for it.
        """
        kind, shape = self._node.op_type, data.shape
        several = sum(isinstance(each, Data) for each in self._values) > 1
        if kind in _JOINS and several:
            return self._join()
        if several:
            names = ", ".join(shown(name) for name in self._node.input if name)
            raise Refused(f"joins {names}: branches are not supported, only {SUPPORTED}")
        if kind in ("Gemm", "MatMul"):
            linear = self._linear(data)
            return linear, (linear.weights.shape[0],)
        if kind == "BatchNormalization":
            return self._norm(data), shape
        if kind in _ARITHMETIC:
            return self._affine(data), shape
        if kind in ("Quant", "IntQuant"):
            return self._quantize(), shape
        if activation := self._activation(shape):
            return activation, shape
        if kind in ("Identity", "Dropout") or (
            kind == "Cast" and self._attributes.get("to") in (1, 10, 11, 16)
        ):
            return None, shape
        if kind in ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose"):
            return None, None if shape is None else self._reshaped(shape)
        raise Refused(f"is not supported; supported are {SUPPORTED}")

    def _join(self) -> tuple[Operation, Shape | None]:
        """Read a sum, product or concatenation of data, and nothing else."""
        kind = _JOINS[self._node.op_type]
        data = [each for each in self._values if isinstance(each, Data)]
        if len(data) != len(self._values):
            raise Refused("must join data alone, or add constants to them in a node of their own")
        for each in data:
            self._check_vectors(each)
        shapes = [each.shape for each in data if each.shape is not None]
        if kind == "concatenate":
            if self._attributes.get("axis") not in (-1, 1):
                raise Refused("must put features one behind the other, along the last axis")
            whole = len(shapes) == len(data)
            return Join(kind), (sum(shape[0] for shape in shapes),) if whole else None
        if len(set(shapes)) > 1:
            raise Refused(f"must join vectors of one length, not {shown(shapes)}")
        return Join(kind), shapes[0] if shapes else None

    def _reshaped(self, shape: Shape) -> Shape:
        """Give the shape of the same values in the same order."""
        kind = self._node.op_type
        if kind == "Reshape":
            return reshaped(shape, self._constant(1, sizes=True), self._attributes)
        if kind == "Flatten":
            return flattened(shape, self._attributes.get("axis", 1))
        if kind == "Transpose":
            if self._attributes.get("perm") != list(range(len(shape) + 1)):
                raise Refused(f"is not supported; supported are {SUPPORTED}")
            return shape
        axes = self._attributes.get("axes")
        if axes is None and len(self._values) > 1:
            axes = self._constant(1, sizes=True)
        return squeezed(shape, axes) if kind == "Squeeze" else unsqueezed(shape, axes)

    def _constant(self, place: int, *, sizes: bool = False) -> Any:
        """Give an input that must be constant; sizes as a list with the batch among them."""
        value = self._values[place] if place < len(self._values) else None
        if sizes and isinstance(value, Sizes):
            return list(value.values)
        if not isinstance(value, Constant):
            raise Refused(f"must have a constant as input {place + 1}")
        if not sizes:
            return value.array
        if value.array.dtype.kind not in "iu":
            raise Refused(f"must have whole numbers as input {place + 1}")
        return [int(each) for each in value.array.ravel()]

    def _number(self, place: int) -> float:
        array = self._constant(place)
        if array.size != 1:
            raise Refused(f"must have one number as input {place + 1}, not {array.size}")
        return float(array.item())

    def _check_vectors(self, data: Data) -> None:
        if data.shape is not None and len(data.shape) != 1:
            raise Refused(
                "must take inputs of shape (batch, features), not "
                f"(batch, {', '.join(map(str, data.shape))}); put a Flatten before it"
            )

    def _linear(self, data: Data) -> Linear:
        weights = self._values[1] if len(self._values) > 1 else None
        if (
            not isinstance(self._values[0], Data)
            or not isinstance(weights, Constant)
            or weights.array.ndim != 2
            or weights.array.dtype.kind != "f"
            or self._attributes.get("transA", 0)
        ):
            raise Refused("must be a product of its input and constant real weights, plus a bias")
        self._check_vectors(data)
        matrix = weights.array if self._attributes.get("transB", 0) else weights.array.T
        bias = np.zeros(len(matrix))
        if self._node.op_type == "Gemm":
            # Mostly 1, and then the weights stay float32.
            alpha, beta = (_decimal(self._attributes.get(each, 1.0)) for each in ("alpha", "beta"))
            if alpha != 1:
                matrix = matrix.astype(np.float64) * alpha
            if len(self._values) > 2 and self._values[2] is not None:
                given = self._constant(2).astype(np.float64)
                if given.size not in (1, len(bias)) or given.shape[:-1].count(1) < given.ndim - 1:
                    raise Refused(f"must have a bias of shape ({len(bias)},), not {given.shape}")
                bias = bias + beta * given.reshape(-1)
        name = self._name_layer(self._node, weights)
        return Linear(name, np.ascontiguousarray(matrix), bias)

    def _norm(self, data: Data) -> Affine:
        if self._attributes.get("training_mode", 0) or not self._attributes.get("spatial", 1):
            raise Refused(
                "must use its running statistics, not those of the batch: export the model in "
                "evaluation mode"
            )
        self._check_vectors(data)
        gain, offset, mean, variance = arrays = [self._constant(place) for place in range(1, 5)]
        if len({each.shape for each in arrays}) != 1 or mean.ndim != 1:
            raise Refused("must have as many means, variances, gains and offsets as features")
        epsilon = _decimal(self._attributes.get("epsilon", 1e-5))
        return normalization(mean, variance, gain, offset, epsilon)

    def _affine(self, data: Data) -> Affine:
        kind = _ARITHMETIC[self._node.op_type]
        first = isinstance(self._values[0], Data)
        if kind == "divide" and not first:
            raise Refused(f"divides by its input; supported are {SUPPORTED}")
        self._check_vectors(data)
        array = self._constant(1 if first else 0)
        try:
            return constant_affine(kind, array.astype(np.float64), first)
        except ValueError:
            raise Refused(
                "must have a constant of one number, or of one for each feature, not of shape "
                f"{array.shape}"
            ) from None

    def _quantize(self) -> Operation:
        step, zero, bits = (self._constant(place) for place in (1, 2, 3))
        if step.size != 1 or zero.size != 1 or bits.size != 1:
            raise Refused("must have one scale, zero point and width for all of its values")
        rule = quantizer(float(bits.item()), self._attributes)
        return rule.of_activations(float(step.item()), float(zero.item()))

    def _activation(self, shape: Shape | None) -> Activation | None:
        kind, attributes = self._node.op_type, self._attributes
        if kind in _ACTIVATIONS:
            return Activation(_ACTIVATIONS[kind])  # type: ignore[arg-type]
        if kind == "LeakyRelu":
            return Activation("leaky_relu", (_decimal(attributes.get("alpha", 0.01)),))
        if kind == "Clip":
            bounds = [
                self._number(place)
                if len(self._values) > place and self._values[place] is not None
                else float(attributes.get(name, default))
                for place, name, default in ((1, "min", -math.inf), (2, "max", math.inf))
            ]
            return Activation("relu") if bounds == [0, math.inf] else Activation(
                "clamp", tuple(map(float, bounds))
            )  # fmt: skip
        if kind in ("Softmax", "LogSoftmax"):
            # The default axis is the last one since opset 13, and 1 before: the same here.
            axis = attributes.get("axis", -1)
            if (shape is None or len(shape) == 1) and axis in (-1, 1):
                return Activation("softmax" if kind == "Softmax" else "log_softmax")
        return None


def _decimal(value: float) -> float:
    """The decimal number that was meant by one that the format rounds to single precision."""
    return float(str(np.float32(value)))
