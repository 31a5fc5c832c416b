"""A graph with recurrent layers to the parts of a :class:`SequenceModel`.

Constant scales and shifts (a BatchNorm, a normalisation of the inputs) are folded into the Linear
before them, or into the Linear or recurrent layer behind. Everything else that is not a layer, an
activation function behind one, or the last step, is refused, all of it at once.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import ModelError, Problems
from eie.hls.boundary.warning import warn
from eie.host.compress.dense_layer import DenseLayer
from eie.host.compress.model_graph import (
    Activation,
    Affine,
    Graph,
    LastStep,
    Linear,
    Node,
    Recurrent,
    RecurrentWeights,
)
from eie.host.compress.refused_nodes import refusal
from eie.host.compress.sequence_model import RecurrentLayer, SequenceModel, StepLayer

__all__ = ["SEQUENCE_LAYERS", "fold_sequences"]

#: What a recurrent model may hold, for messages.
SEQUENCE_LAYERS = (
    "LSTM and GRU, Linear with ReLU, sigmoid or tanh behind it, BatchNorm1d and constant scales "
    "beside a layer, Dropout, and the last step, one after another"
)
_FUNCTIONS = ("relu", "sigmoid", "tanh")
_ENDS = ("softmax", "log_softmax")


def fold_sequences(graph: Graph) -> SequenceModel:
    """Make a model of sequences of a graph.

    Raises
    ------
    ModelError
        If there is no recurrent layer, or something that the kernel does not run on sequences; all
        of it is named.

    Warns
    -----
    EieWarning
        If a softmax at the end is left off.
    """
    problems = Problems("model")
    nodes = list(graph.nodes)
    left_off = ""
    if (
        nodes
        and isinstance(nodes[-1].operation, Activation)
        and (nodes[-1].operation.kind in _ENDS)
    ):
        left_off = (
            f"{nodes.pop().where} at the end is left off: outputs are those before it; the largest "
            "output is the same. Where probabilities are needed, apply it to the outputs"
        )
    parts = _Parts(problems, graph.input_shape[-1])
    for node in nodes:
        parts.take(node)
    folded = parts.finish()
    problems.raise_as(ModelError)
    if left_off:
        warn(left_off)
    return SequenceModel(graph.name, graph.input_shape[-1], folded, parts.last)


class _Parts:
    """The parts as far as they are known; what stops them is noted in `problems`."""

    def __init__(self, problems: Problems, width: int) -> None:
        self._problems = problems
        #: Length of the vector at this point; None where it is not known.
        self._width: int | None = width
        self._parts: list[StepLayer | RecurrentLayer] = []
        #: A scale and shift that the next layer has to take, and where it is.
        self._waiting: tuple[Affine, str] | None = None
        #: Whether what follows sees the last step alone.
        self.last = False

    def take(self, node: Node) -> None:
        """Take the next node."""
        operation, where = node.operation, node.where
        if isinstance(operation, Linear):
            self._linear(operation, where)
        elif isinstance(operation, Recurrent):
            for layer in operation.layers:
                self._recurrent(operation.kind, layer, where)
        elif isinstance(operation, Affine):
            self._affine(operation, where)
        elif isinstance(operation, Activation) and operation.kind in _FUNCTIONS:
            self._function(operation, where)
        elif isinstance(operation, LastStep):
            self.last = True
        else:
            self._problems.require(False, _refusal(node))
            self._width = self._waiting = None

    def finish(self) -> tuple[StepLayer | RecurrentLayer, ...]:
        """Give all parts, in order."""
        self._place_waiting()
        for part in self._parts:
            biases = part.bias if isinstance(part, RecurrentLayer) else part.dense.bias
            for layer in part.matrices:
                self._problems.require(
                    bool(np.isfinite(layer.weights).all()),
                    f"layer {layer.name!r}: weights must be finite",
                )
            self._problems.require(
                bool(np.isfinite(biases).all()),
                f"layer {part.matrices[-1].name!r}: bias must be finite",
            )
        return tuple(self._parts)

    def _linear(self, step: Linear, where: str) -> None:
        rows, columns = step.weights.shape
        self._require_width(columns, where)
        weights, bias = self._scaled(step.weights, step.bias)
        self._parts.append(StepLayer(_dense(step.name, weights, bias)))
        self._width = rows

    def _recurrent(self, kind: str, step: RecurrentWeights, where: str) -> None:
        self._problems.require(
            not self.last,
            f"{where} must come before the last step is taken: it needs all of them",
        )
        self._require_width(step.input_weights.shape[1], where)
        units = step.state_weights.shape[1]
        weights, of_input = self._scaled(step.input_weights, step.input_bias)
        if kind == "LSTM":
            bias = of_input + step.state_bias
        else:
            both = (of_input + step.state_bias)[: 2 * units]
            bias = np.concatenate([both, of_input[2 * units :], step.state_bias[2 * units :]])
        nothing = np.zeros(len(step.state_bias))
        self._parts.append(
            RecurrentLayer(
                kind,  # type: ignore[arg-type]  # the graph's own
                _dense(step.input_name, weights, nothing),
                _dense(step.state_name, step.state_weights, nothing),
                bias,
            )
        )
        self._width = units

    def _affine(self, step: Affine, where: str) -> None:
        shapes = [each.shape for each in (step.scale, step.shift) if each is not None]
        if self._width is None or not self._problems.require(
            all(shape in ((), (self._width,)) for shape in shapes),
            f"{where} must have one number for each of the {self._width} values before it, not "
            f"{' and '.join(map(str, shapes))}",
        ):
            return
        scale = np.ones(()) if step.scale is None else step.scale
        before = self._parts[-1] if self._parts else None
        if self._waiting is not None:
            first = self._waiting[0]
            own = np.ones(()) if first.scale is None else first.scale
            self._waiting = Affine(own * scale, first.shift * scale + step.shift), where
        elif isinstance(before, StepLayer) and before.function == "none":
            dense = before.dense
            column = np.broadcast_to(scale, dense.bias.shape)
            self._parts[-1] = replace(
                before,
                dense=replace(
                    dense,
                    weights=column[:, np.newaxis] * dense.weights.astype(np.float64),
                    bias=column * dense.bias + step.shift,
                ),
            )
        else:
            self._waiting = step, where

    def _function(self, step: Activation, where: str) -> None:
        last = self._parts[-1] if self._parts else None
        if self._width is None:
            return
        if self._problems.require(
            self._waiting is None and isinstance(last, StepLayer) and last.function == "none",
            f"{where} must come directly behind a Linear: put one before it",
        ):
            assert isinstance(last, StepLayer)
            self._parts[-1] = replace(last, function=step.kind)  # type: ignore[arg-type]

    def _scaled(
        self, weights: npt.NDArray[np.float64], bias: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Take what is waiting into a layer's weights and bias."""
        if self._waiting is None:
            return weights, bias
        before, _ = self._waiting
        self._waiting = None
        exact = weights.astype(np.float64)
        shift = np.broadcast_to(before.shift, exact.shape[1:])
        scaled = exact if before.scale is None else exact * before.scale
        return scaled, exact @ shift + bias

    def _require_width(self, columns: int, where: str) -> None:
        self._problems.require(
            self._width in (None, columns),
            f"{where} must take the {self._width} values that come before it, not {columns}",
        )

    def _place_waiting(self) -> None:
        if self._waiting is not None:
            self._problems.require(
                False,
                f"{self._waiting[1]} must come directly before or behind a Linear, or before a "
                "recurrent layer, to be folded into it",
            )


def _dense(
    name: str, weights: npt.NDArray[np.float64], bias: npt.NDArray[np.float64]
) -> DenseLayer:
    return DenseLayer(name, weights, bias, relu=False, normalized=False)


def _refusal(node: Node) -> str:
    only = f"not supported in a recurrent model, only {SEQUENCE_LAYERS}"
    return refusal(node, ("joins", f"branches are {only}"), f"is {only}")
