"""A model's graph to dense layers: the one way from every format to what the accelerator runs.

A BatchNorm ``s a + t`` folds exactly into the Linear on either side of it, as long as no ReLU is
between: behind ``W a + b`` it gives ``(s W) a + (s b + t)`` with rows scaled; before it,
``(W s) a + (W t + b)`` with columns scaled. Constant scales and shifts are the same. Where there is
no Linear, as behind a sum of branches, a matrix that has them on its diagonal does it. Sums of
branches become layers that add to the same sums, the parts of a concatenation layers of their own,
and a softmax at the end is left off. Everything else is refused, all of it at once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from eie.hls.boundary.errors import ModelError, Problems
from eie.hls.boundary.warning import warn
from eie.host.compress.dense_layer import DenseLayer, DenseModel
from eie.host.compress.layer_makers import LayerMaker
from eie.host.compress.model_graph import (
    SUPPORTED,
    Activation,
    Affine,
    Graph,
    Join,
    LastStep,
    Linear,
    Node,
    Operation,
    Quantize,
    Recurrent,
    Unsupported,
)
from eie.host.compress.open_sums import OpenSum, Placed
from eie.host.compress.refused_nodes import refusal
from eie.host.network import INPUT

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
        If there is no Linear, a node is none that the kernel runs, or a weight or bias is NaN or
        infinite. All of them are named.

    Warns
    -----
    EieWarning
        If a softmax at the end is left off.
    """
    problems = Problems("model")
    nodes, left_off = _without_end(graph.nodes)
    folding = _Folding(problems, graph, nodes)
    for node in nodes:
        folding.take(node)
    layers = folding.finish(nodes[-1].name if nodes else graph.input)
    convolution = any(
        isinstance(node.operation, Unsupported) and node.operation.convolution for node in nodes
    )
    problems.raise_as(ModelError, LINEAR_PART if convolution else "")
    if left_off:
        warn(left_off)
    return DenseModel(graph.name, graph.input_shape, layers, folding.inputs)


def _without_end(nodes: Sequence[Node]) -> tuple[Sequence[Node], str]:
    """Leave off a softmax at the end; also says so, or nothing."""
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


class _Folding:
    """The values of a graph as far as they are known; what stops them is noted in `problems`."""

    def __init__(self, problems: Problems, graph: Graph, nodes: Sequence[Node]) -> None:
        self._problems = problems
        self._makes = LayerMaker(problems)
        #: How many nodes take each value.
        self._takers = Counter(name for node in nodes for name in node.inputs)
        self._takers[nodes[-1].name if nodes else graph.input] += 1
        features = math.prod(graph.input_shape)
        #: By name; None where something is missing, so that what follows is not judged by it.
        self._values: dict[str, OpenSum | None] = {
            graph.input: OpenSum(features, (Placed(INPUT, features),))
        }
        #: Quantiser of the model's inputs.
        self.inputs: Quantize | None = None
        self._broken = False

    def take(self, node: Node) -> None:
        """Take the next node."""
        operation = node.operation
        given = [self._values.get(name) for name in node.inputs]
        found: OpenSum | None = None
        if _is_refused(operation):
            self._problems.require(False, _refusal(node))
        elif isinstance(operation, Linear):
            found = self._linear(operation, node, given[0])
        elif all(value is not None for value in given):
            known = [value for value in given if value is not None]
            if isinstance(operation, Affine):
                found = self._affine(operation, node, known[0])
            elif isinstance(operation, Join):
                found = self._join(operation, node, known)
            elif isinstance(operation, Activation):
                found = self._activation(operation, node, known[0])
            elif isinstance(operation, Quantize):
                found = self._quantize(operation, node, known[0])
        self._broken |= found is None
        self._values[node.name] = found

    def finish(self, output: str) -> tuple[DenseLayer, ...]:
        """Give all layers, in order, where the value `output` is that of the last."""
        value = self._values.get(output)
        if value is not None and value.pure is None:
            self._close(value)
        layers = self._makes.layers
        linears = any(not layer.fixed for layer in layers)
        self._problems.require(linears or self._broken, "must have at least one Linear")
        for layer in layers:
            _check_finite(layer, self._problems)
        return tuple(layers)

    def _linear(self, step: Linear, node: Node, value: OpenSum | None) -> OpenSum | None:
        rows, columns = step.weights.shape
        width = None if value is None else value.rows
        if not self._problems.require(
            rows > 0 and width in (None, columns) and step.bias.shape == (rows,),
            f"{node.where} must take the {width} values that come before it and add a bias of "
            f"shape ({rows},), not take {columns} and add one of shape {step.bias.shape}",
        ):
            return None
        if value is None:  # what came before is refused already; what follows is judged
            return OpenSum(rows, (Placed(INPUT, rows),))
        if not value.placed:
            value = self._close(value)
        return self._shared(value.times(step), node)

    def _affine(self, step: Affine, node: Node, value: OpenSum) -> OpenSum | None:
        shapes = [each.shape for each in (step.scale, step.shift) if each is not None]
        if not self._problems.require(
            all(shape in ((), (value.rows,)) for shape in shapes),
            f"{node.where} must have one number for each of the {value.rows} values before it, not "
            f"{' and '.join(map(str, shapes))}",
        ):
            return None
        return self._shared(value.scaled(step), node)

    def _join(self, step: Join, node: Node, values: list[OpenSum]) -> OpenSum | None:
        if step.kind == "add":
            if not self._problems.require(
                len({value.rows for value in values}) == 1,
                f"{node.where} must add vectors of one length, not "
                f"{' and '.join(str(value.rows) for value in values)}",
            ):
                return None
            total = values[0]
            for value in values[1:]:
                total = total.plus(value)
            return self._shared(total, node)
        rows, place, parts = sum(value.rows for value in values), 0, []
        for value in values:
            whole = value if value.placed else self._close(value)
            parts.append(whole.behind(rows, place))
            place += value.rows
        total = parts[0]
        for part in parts[1:]:
            total = total.plus(part)
        return self._shared(total, node)

    def _activation(self, step: Activation, node: Node, value: OpenSum) -> OpenSum | None:
        problem = _problem_of(step)
        if problem:
            self._problems.require(False, f"{node.where} {problem}")
            return None
        giver = self._own_layer(value, node)
        if giver is None or not self._makes.amend(giver, step):
            giver = self._makes.close(value, step)
        return self._result(giver)

    def _quantize(self, step: Quantize, node: Node, value: OpenSum) -> OpenSum | None:
        if value.pure == INPUT:
            return self._quantize_inputs(step, node, value)
        giver = self._own_layer(value, node)
        if giver is None and value.pure is not None and self._makes.quantizer(value.pure) == step:
            return value
        if giver is not None and self._makes.quantizer(giver) not in (None, step):
            self._problems.require(
                False,
                f"{node.where} quantises what is quantised already, in another way: leave one of "
                "them out",
            )
            return value
        if giver is None or not self._makes.quantize(giver, step):
            giver = self._makes.close(value, step)
        return self._result(giver)

    def _quantize_inputs(self, step: Quantize, node: Node, value: OpenSum) -> OpenSum:
        if self.inputs is None:
            self._problems.require(
                self._takers[node.inputs[0]] == 1,
                f"{node.where} quantises the model's input, which is also taken as it is: quantise "
                "it everywhere, or nowhere",
            )
            self.inputs = step
        self._problems.require(
            self.inputs == step,
            f"{node.where} quantises what is quantised already, in another way: leave one of them "
            "out",
        )
        return value

    def _own_layer(self, value: OpenSum, node: Node) -> int | None:
        """Give the layer whose results a value is, if nobody but `node` takes them."""
        giver = value.pure
        if giver is None or giver == INPUT or self._takers[node.inputs[0]] > 1:
            return None
        return giver

    def _shared(self, value: OpenSum, node: Node) -> OpenSum:
        """Give a value; as a layer's results if several nodes take it and it has weights."""
        if self._takers[node.name] > 1 and not value.placed:
            return self._close(value)
        return value

    def _close(self, value: OpenSum) -> OpenSum:
        """Make layers of a sum, which end in nothing more."""
        return self._result(self._makes.close(value))

    def _result(self, giver: int) -> OpenSum:
        rows = self._makes.layers[giver].rows
        return OpenSum(rows, (Placed(giver, rows),))


def _is_refused(operation: Operation) -> bool:
    """Whether there is no layer for an operation, whatever comes before it."""
    if isinstance(operation, Join):
        return operation.kind == "multiply"
    if isinstance(operation, Activation):
        return operation.kind in _ENDS
    return isinstance(operation, (Unsupported, Recurrent, LastStep))


def _problem_of(step: Activation) -> str:
    """Say what is wrong with an activation, or nothing."""
    if step.kind == "leaky_relu":
        (slope,) = step.parameters
        if not 0 < slope < 1:
            return (
                f"must have a slope above 0 and below 1, not {slope:g}; at 0 it is a ReLU, which "
                "the kernel has"
            )
    if step.kind == "clamp":
        low, high = step.parameters
        if not low <= high:
            return f"must have a lower bound of at most the upper one, not {low:g} and {high:g}"
    return ""


def _refusal(node: Node) -> str:
    products = (
        f"products of branches are not supported, only {SUPPORTED}; run the parts between them on "
        "the accelerator one by one, and multiply them on the host"
    )
    rest = (
        f"is not supported; supported are {SUPPORTED}; at the model's end, over the outputs, it is "
        "left off"
    )
    if isinstance(node.operation, (Recurrent, LastStep)):
        rest = (
            "is not supported here: an LSTM or a GRU is read from torch modules and programs; "
            f"supported are {SUPPORTED}"
        )
    return refusal(node, ("multiplies", products), rest)


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
