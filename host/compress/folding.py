"""A model's graph to dense layers: the one way from every format to what the accelerator runs.

A BatchNorm ``s a + t`` folds exactly into the Linear on either side of it, as long as no ReLU is
between: behind ``W a + b`` it gives ``(s W) a + (s b + t)`` with rows scaled; before it,
``(W s) a + (W t + b)`` with columns scaled. Constant scales and shifts are the same. A softmax or
sigmoid at the end is left off. Everything else is refused, all of it at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from eie.hls.boundary.errors import ModelError, Problems
from eie.hls.boundary.warning import warn
from eie.host.compress.dense_layer import DenseLayer, DenseModel
from eie.host.compress.model_graph import (
    SUPPORTED,
    Activation,
    Affine,
    Graph,
    Join,
    Linear,
    Node,
    Quantize,
    Recurrent,
    Unsupported,
)

__all__ = ["LINEAR_PART", "fold"]

#: What to do with a model that has convolutions, for messages.
LINEAR_PART = (
    "eie takes fully connected layers only: give the part behind the convolutions by itself, for "
    "example model.classifier, or model[2:] of a Sequential; eie.convert and `eie flow` cut a "
    "model of torch there by themselves, and run the rest on the host"
)
#: What a model may end in without effect on which output is the largest, and what is told of it.
_ENDS = {
    "softmax": "the largest output is the same",
    "log_softmax": "the largest output is the same",
    "sigmoid": "the largest output is the same, and what was 0.5 is 0",
}
#: What makes a model work whose activation function the kernel does not have.
_INSTEAD = {
    "leaky_relu": "train it with ReLU, which the kernel has",
    "clamp": "train it with ReLU, which has no upper bound",
    "sigmoid": "train it with ReLU; at the model's end a sigmoid is left off",
    "tanh": "train it with ReLU",
    "softmax": "at the model's end, over the outputs, it is left off",
    "log_softmax": "at the model's end, over the outputs, it is left off",
}


def fold(graph: Graph) -> DenseModel:
    """Fold a graph into dense layers.

    Parameters
    ----------
    graph
        From a reader.

    Raises
    ------
    ModelError
        If there is no Linear, a BatchNorm or ReLU has no Linear to go into, a node is none that
        the kernel runs, or a weight or bias is NaN or infinite. All of them are named.

    Warns
    -----
    EieWarning
        If a softmax or sigmoid at the end is left off.
    """
    problems = Problems("model")
    nodes, left_off = _without_end(graph.nodes)
    layers = _Layers(problems, math.prod(graph.input_shape))
    for node in nodes:
        layers.take(node)
    folded = layers.finish()
    convolution = any(
        isinstance(node.operation, Unsupported) and node.operation.convolution for node in nodes
    )
    problems.raise_as(ModelError, LINEAR_PART if convolution else "")
    if left_off:
        warn(left_off)
    return DenseModel(graph.name, graph.input_shape, folded, layers.inputs)


def _without_end(nodes: Sequence[Node]) -> tuple[Sequence[Node], str]:
    """Leave off a softmax or sigmoid at the end; also says so, or nothing."""
    last = nodes[-1] if nodes else None
    if last is None or not isinstance(last.operation, Activation):
        return nodes, ""
    told = _ENDS.get(last.operation.kind)
    if told is None:
        return nodes, ""
    text = (
        f"{last.where} at the end is left off: outputs are those before it; {told}. Where "
        "probabilities are needed, apply it to the outputs"
    )
    return nodes[:-1], text


class _Layers:
    """The layers as far as they are known; what stops them is noted in `problems`."""

    def __init__(self, problems: Problems, features: int) -> None:
        self._problems = problems
        #: Length of the vector at this point; None where it is not known.
        self._width: int | None = features
        self._layers: list[DenseLayer] = []
        #: BatchNorm that the next Linear has to take, and where it is.
        self._waiting: tuple[Affine, str] | None = None
        #: Quantiser of the model's inputs.
        self.inputs: Quantize | None = None
        #: Whether something is missing, so that what follows is not judged by what is before it.
        self._broken = False

    def take(self, node: Node) -> None:
        """Take the next node."""
        operation = node.operation
        if isinstance(operation, Linear):
            self._linear(operation, node.where)
        elif isinstance(operation, Affine):
            self._affine(operation, node.where)
        elif isinstance(operation, Activation) and operation.kind == "relu":
            self._relu(node.where)
        elif isinstance(operation, Quantize):
            self._quantize(operation, node.where)
        else:
            self._problems.require(False, _refusal(node))
            self._broken = True
            self._width = self._waiting = None

    def finish(self) -> tuple[DenseLayer, ...]:
        """Give all layers, in order."""
        self._place_waiting()
        self._problems.require(bool(self._layers) or self._broken, "must have at least one Linear")
        for layer in self._layers:
            _check_finite(layer, self._problems)
        return tuple(self._layers)

    def _linear(self, step: Linear, where: str) -> None:
        rows, columns = step.weights.shape
        fits = self._problems.require(
            rows > 0 and self._width in (None, columns) and step.bias.shape == (rows,),
            f"{where} must take the {self._width} values that come before it and add a bias of "
            f"shape ({rows},), not take {columns} and add one of shape {step.bias.shape}",
        )
        self._width = rows
        if not fits or self._waiting is None:
            layer = DenseLayer(step.name, step.weights, step.bias, relu=False, normalized=False)
        else:
            before, _ = self._waiting
            weights = step.weights.astype(np.float64)
            with np.errstate(all="ignore"):  # _check_finite reports it
                shift = np.broadcast_to(before.shift, weights.shape[1:])
                layer = DenseLayer(
                    step.name,
                    step.weights if before.scale is None else weights * before.scale,
                    weights @ shift + step.bias,
                    relu=False,
                    normalized=before.scale is not None,
                )
        self._layers.append(layer)
        self._waiting = None
        self._broken = False

    def _affine(self, step: Affine, where: str) -> None:
        shapes = [each.shape for each in (step.scale, step.shift) if each is not None]
        if self._broken or not self._problems.require(
            all(shape in ((), (self._width,)) for shape in shapes),
            f"{where} must have one number for each of the {self._width} values before it, not "
            f"{' and '.join(map(str, shapes))}",
        ):
            return
        last = self._layers[-1] if self._layers else None
        if last is not None and self._waiting is None and not last.relu and last.quantizer is None:
            self._layers[-1] = _scale_rows(last, step)
        elif self._waiting is None:
            self._waiting = step, where
        else:
            self._waiting = _compose(self._waiting[0], step), where

    def _relu(self, where: str) -> None:
        if self._waiting is not None:
            self._place_waiting()
        elif self._layers and not self._broken:
            # A quantiser rounds as a ReLU cuts off: either may come first.
            self._layers[-1] = replace(self._layers[-1], relu=True)
        else:
            self._problems.require(
                self._broken,
                f"{where} must follow a Linear: a ReLU on the model's input is not supported",
            )

    def _quantize(self, step: Quantize, where: str) -> None:
        if self._waiting is not None:
            self._place_waiting()
        elif self._broken:
            return
        elif not self._layers and self.inputs is None:
            self.inputs = step
        elif self._layers and self._layers[-1].quantizer is None:
            # Counts from 0 cut negative values off, as a ReLU does.
            relu = self._layers[-1].relu or step.low == 0
            self._layers[-1] = replace(self._layers[-1], relu=relu, quantizer=step)
        else:
            self._problems.require(
                self._layers[-1].quantizer == step if self._layers else self.inputs == step,
                f"{where} quantises what is quantised already, in another way: leave one of them "
                "out",
            )

    def _place_waiting(self) -> None:
        """Note a BatchNorm that has no Linear to go into."""
        if self._waiting is not None:
            self._problems.require(
                False,
                f"{self._waiting[1]} must come directly before or after a Linear, with no ReLU "
                "between, to be folded into it",
            )
        self._waiting = None


def _refusal(node: Node) -> str:
    """Say why a node is not supported, and what would make it work."""
    operation = node.operation
    if isinstance(operation, Unsupported):
        return operation.problem
    if isinstance(operation, Join):
        joined = ", ".join(repr(name) for name in node.inputs)
        return (
            f"{node.where} joins {joined}: branches are not supported, only {SUPPORTED}; run the "
            "parts between branches on the accelerator one by one, and join them on the host"
        )
    if isinstance(operation, Recurrent):
        return (
            f"{node.where} is not supported: this kernel has no recurrent layers; give the Linear "
            f"layers behind it by themselves; supported are {SUPPORTED}"
        )
    assert isinstance(operation, Activation)
    return f"{node.where} is not supported; supported are {SUPPORTED}; {_INSTEAD[operation.kind]}"


def _scale_rows(layer: DenseLayer, norm: Affine) -> DenseLayer:
    if norm.scale is None:
        with np.errstate(all="ignore"):
            return replace(layer, bias=layer.bias + norm.shift)
    with np.errstate(all="ignore"):
        scale = np.broadcast_to(norm.scale, layer.bias.shape)
        weights = scale[:, np.newaxis] * layer.weights.astype(np.float64)
        bias = scale * layer.bias + norm.shift
    return replace(layer, weights=weights, bias=bias, normalized=True)


def _compose(first: Affine, second: Affine) -> Affine:
    with np.errstate(all="ignore"):  # _check_finite reports it, folded into a layer
        if second.scale is None:
            return Affine(first.scale, first.shift + second.shift)
        scale = second.scale if first.scale is None else first.scale * second.scale
        return Affine(scale, first.shift * second.scale + second.shift)


def _check_finite(layer: DenseLayer, problems: Problems) -> None:
    for name, array in (("weights", layer.weights), ("bias", layer.bias)):
        bad = ~np.isfinite(array)
        if bad.any():
            where = tuple(int(index) for index in np.argwhere(bad)[0])
            problems.require(
                False,
                f"layer {layer.name!r}: {name} must be finite, not {float(array[where])!r} "
                f"at index {where} ({int(bad.sum())} such values)",
            )
