"""The graph of an exported program of torch in the terms of :mod:`eie.host.compress.model_graph`.

The graph is walked back from the output, so that whatever does not lead to it (asserts, sizes,
counters) does not matter.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import fx
from torch.export import ExportedProgram

from eie.hls.boundary.errors import ModelError
from eie.host.compress.fake_quantize import FAKE_QUANTIZE
from eie.host.compress.graph_constants import Constants, describe, operation
from eie.host.compress.graph_nodes import activation_of, arguments_of, shape_of
from eie.host.compress.model_graph import (
    SUPPORTED,
    Affine,
    Graph,
    Join,
    Linear,
    Node,
    Operation,
    Pointwise,
    Quantize,
    Unsupported,
    constant_affine,
    normalization,
)
from eie.host.compress.program import NamedProgram
from eie.host.compress.quantize_marker import QUANTIZE
from eie.host.compress.recurrent_reader import (
    OTHER_RECURRENT,
    PLAIN_RECURRENT,
    read_recurrent,
    recurrent_results,
)
from eie.host.compress.sequence_axes import RECURRENT, Refused, SequenceAxes

__all__ = ["read_program"]

#: Nodes that leave the order of a vector's values alone, when the batch stays in front.
_RESHAPES = frozenset(
    {
        "aten.view.default",
        "aten.reshape.default",
        "aten._unsafe_view.default",
        "aten.squeeze.default",
        "aten.squeeze.dim",
        "aten.squeeze.dims",
        "aten.unsqueeze.default",
    }
)
#: Nodes that do nothing in inference. Dropout in training mode is random there, but its meaning
#: in inference is the same in both modes.
_IDENTITIES = frozenset(
    {
        "aten.alias.default",
        "aten.clone.default",
        "aten.detach.default",
        "aten.dropout.default",
        "aten.native_dropout.default",
    }
)
#: Joins of two vectors.
_JOINS: dict[str, Literal["add", "multiply", "concatenate"]] = {
    "aten.add.Tensor": "add",
    "aten.mul.Tensor": "multiply",
    "aten.cat.default": "concatenate",
}
#: Nodes that turn, take away or select along axes, in programs with a recurrent layer.
_TURNS = _RESHAPES | {
    "aten.transpose.int",
    "aten.permute.default",
    "aten.select.int",
    "aten.slice.Tensor",
}
#: Arithmetic of data and a constant.
_ARITHMETIC: dict[str, Literal["add", "subtract", "multiply", "divide"]] = {
    "aten.add.Tensor": "add",
    "aten.sub.Tensor": "subtract",
    "aten.mul.Tensor": "multiply",
    "aten.div.Tensor": "divide",
}
#: Product of data and a constant: names of the data, matrix and bias arguments, and whether the
#: matrix has one row for each output (else one column).
_LINEARS = {
    "aten.linear.default": ("input", "weight", "bias", True),
    "aten.addmm.default": ("mat1", "mat2", "self", False),
    "aten.mm.default": ("self", "mat2", None, False),
    "aten.matmul.default": ("self", "other", None, False),
}
#: Convolutions, which are products of the channels where their kernel is one.
_CONVOLUTIONS = frozenset({"aten.conv1d.default", "aten.conv2d.default"})


def read_program(named: NamedProgram) -> Graph:
    """Read what a functional program does to its input.

    Parameters
    ----------
    named
        From :func:`eie.host.compress.program.load_program`.

    Raises
    ------
    ModelError
        If it has not one input and one output.
    """
    reader = _Reader(named.program)
    source, output = reader.ends()
    nodes = reader.nodes(source, output)
    # Of sequences the number of steps may be a symbol, and is not asked for.
    sizes = shape_of(source)[-1:] if reader.sequences else shape_of(source)[1:]
    shape = tuple(int(size) for size in sizes)
    return Graph(named.name, shape, source.name, nodes, reader.sequences)


class _Reader:
    """Reads one program."""

    def __init__(self, program: ExportedProgram) -> None:
        self._graph = program.graph
        self._signature = program.graph_signature
        self._constants = Constants(program)
        #: Nodes whose value depends on the model's input.
        self._data: set[fx.Node] = set()
        self._names: set[str] = set()
        #: Node by the parameter that its weights come from.
        self._owners: dict[str, str] = {}
        #: Whether there is a recurrent layer, and where steps are.
        self.sequences = any(_name(node) in RECURRENT for node in self._graph.nodes)
        self._axes: SequenceAxes | None = None

    def ends(self) -> tuple[fx.Node, fx.Node]:
        """Find the one input and the one output, or raise at once."""
        for node in self._graph.nodes:  # a loop over steps has one for each
            if _name(node) in OTHER_RECURRENT:
                raise ModelError(
                    f"model: {describe(node)} is not supported: {OTHER_RECURRENT[_name(node)]}"
                )
        nodes = {node.name: node for node in self._graph.nodes}
        given = [str(name) for name in self._signature.user_inputs]
        results = [str(name) for name in self._signature.user_outputs]
        if len(results) > 1 and recurrent_results([nodes[name] for name in results]):
            results = results[:1]
        if len(given) != 1 or len(results) != 1 or len(shape_of(nodes.get(given[0]))) < 2:
            raise ModelError(
                "model must have one input of shape (batch, features...) and one output, "
                f"not inputs {_listing(given, nodes)} and outputs {_listing(results, nodes)}"
            )
        self._data.add(nodes[given[0]])
        for node in self._graph.nodes:
            # Sizes of the batch come from the input too, but carry no data.
            if not self._data.isdisjoint(node.all_input_nodes) and _carries_tensors(node):
                self._data.add(node)
        output = nodes.get(results[0])
        if output not in self._data:
            raise ModelError(f"model's output {results[0]!r} must depend on its input")
        if self.sequences and len(shape_of(nodes[given[0]])) != 3:
            raise ModelError(
                "model has a recurrent layer and must have an input of shape (batch, steps, "
                f"features), in whatever order, not {_listing(given, nodes)}"
            )
        if self.sequences:
            self._axes = SequenceAxes(nodes[given[0]])
        return nodes[given[0]], output

    def nodes(self, source: fx.Node, output: fx.Node) -> tuple[Node, ...]:
        """Read all nodes that lead from `source` to `output`, in the order of computation."""
        needed, waiting = {output}, [output]
        while waiting:
            before = [node for node in self._computed(waiting.pop()) if node not in needed]
            needed.update(before)
            waiting += before
        #: Name of the value that a node gives; what changes nothing gives that before it.
        values = {source: source.name}
        found = []
        for node in self._graph.nodes:
            if node not in needed or node is source:
                continue
            computed = self._computed(node)
            inputs = tuple(values[before] for before in self._taken(node))
            try:
                operation = self._operation(node)
            except Refused as refused:
                pointwise = self._pointwise(node)
                operation = Unsupported(str(refused), "aten.conv" in _name(node), pointwise)
            if operation is None:
                values[node] = inputs[0]
            else:
                values[node] = node.name
                taken = tuple(before.name for before in computed)
                found.append(Node(node.name, operation, inputs, describe(node), taken))
        if self._axes is not None and not any(
            isinstance(node.operation, Unsupported) for node in found
        ):
            self._axes.check_output(output)
        return tuple(found)

    def _operation(self, node: fx.Node) -> Operation | None:
        """Read what `node` does: nothing if it leaves the order of a vector's values alone."""
        name = _name(node)
        computed = self._computed(node)
        if name in _JOINS and len(self._taken(node)) > 1:
            return self._join(node)
        if len(computed) != 1:
            names = ", ".join(repr(before.name) for before in computed)
            raise Refused(
                f"{describe(node)} joins {names}: branches are not supported, only {SUPPORTED}"
            )
        data = computed[0]
        if self._axes is not None:
            if name in RECURRENT:
                arguments = arguments_of(node)
                self._axes.recurrent(node, data, batch_first=bool(arguments["batch_first"]))
                return read_recurrent(node, arguments, self._constants, self._own)
            if name == "getitem" and _name(data) in RECURRENT:
                return self._axes.result(node, data)
            if name in _TURNS:
                return self._axes.turn(node, data, arguments_of(node))
            self._axes.keep(node, data)
        if name in _LINEARS:
            return self._linear(node, data)
        if "batch_norm" in name:
            return self._norm(node, data)
        if name in _ARITHMETIC:
            return self._affine(node, data)
        if name == QUANTIZE:
            step, low, high = node.args[1:]
            return Quantize(float(step), int(low), int(high))  # type: ignore[arg-type]
        if name == FAKE_QUANTIZE:
            step, zero, low, high = node.args[1:]
            # What is added before the bounds is taken off behind them.
            return Quantize(float(step), int(low) - int(zero), int(high) - int(zero))  # type: ignore[arg-type]
        if activation := activation_of(node):
            return activation
        if name in _RESHAPES:
            # Compared as text: sizes may be symbols, and comparing those adds guards.
            supported = str(shape_of(node)[:1]) == str(shape_of(data)[:1])
        elif name == "aten._to_copy.default":
            supported = bool(node.meta["val"].dtype.is_floating_point)
        elif name == "getitem":
            supported = bool(node.args[1] == 0)
        else:
            supported = name in _IDENTITIES
        if name in PLAIN_RECURRENT:
            raise Refused(
                f"{describe(node)} is not supported: use an LSTM or a GRU, which learn longer "
                "sequences"
            )
        if not supported:
            raise Refused(f"{describe(node)} is not supported; supported are {SUPPORTED}")
        return None

    def _computed(self, node: fx.Node) -> list[fx.Node]:
        if _name(node) in RECURRENT:  # its states may have taken their size from the data
            return [before for before in node.args[:1] if before in self._data]  # type: ignore[misc]
        return [before for before in node.all_input_nodes if before in self._data]

    def _taken(self, node: fx.Node) -> list[fx.Node]:
        """Values that a node takes, in its order; of a join one may be there twice."""
        if _name(node) not in _JOINS or len(node.args) < 1:
            return self._computed(node)
        first = node.args[0]
        given = list(first) if isinstance(first, (list, tuple)) else list(node.args[:2])
        taken = [each for each in given if isinstance(each, fx.Node) and each in self._data]
        return taken if len(taken) == len(given) else self._computed(node)

    def _join(self, node: fx.Node) -> Join:
        """Read a sum, product or concatenation of values of the data."""
        kind, arguments = _JOINS[_name(node)], arguments_of(node)
        taken = self._taken(node)
        for data in taken:
            self._check_vectors(node, data)
        if kind == "concatenate":
            axes = len(shape_of(node))
            if len(taken) != len(arguments["tensors"]) or arguments["dim"] not in (-1, axes - 1):
                raise Refused(
                    f"{describe(node)} must put features of data one behind the other, along the "
                    "last axis"
                )
        elif arguments.get("alpha", 1) != 1 or len({str(shape_of(each)) for each in taken}) > 1:
            raise Refused(
                f"{describe(node)} must join vectors of one length, each as it is (alpha=1)"
            )
        return Join(kind)

    def _check_vectors(self, node: fx.Node, data: fx.Node, place: int = -1) -> None:
        shape = shape_of(data)
        if self._axes is not None and self._axes.is_vector(data, place):
            return
        if len(shape) != 2:
            raise Refused(
                f"{describe(node)} must take inputs of shape (batch, features), not "
                f"({', '.join(map(str, shape))}); put a Flatten before it"
            )

    def _linear(self, node: fx.Node, data: fx.Node) -> Linear:
        data_name, matrix_name, bias_name, by_rows = _LINEARS[_name(node)]
        arguments = arguments_of(node)
        matrix = arguments[matrix_name]
        plain = arguments.get("alpha", 1) == 1 and arguments.get("beta", 1) == 1
        if arguments[data_name] is not data or not plain or len(shape_of(matrix)) != 2:
            raise Refused(
                f"{describe(node)} must be a product of its input and constant weights, plus a bias"
            )
        self._check_vectors(node, data)
        weights = self._constants.array(matrix)
        if not by_rows:
            weights = weights.T
        rows = weights.shape[0]
        bias = np.zeros(rows)
        if bias_name is not None and arguments[bias_name] is not None:
            bias = self._constants.array(arguments[bias_name]).astype(np.float64)
        if bias.shape != (rows,):
            raise Refused(f"{describe(node)} must have a bias of shape ({rows},), not {bias.shape}")
        name = self._own(self._constants.layer_name(node, matrix), node, matrix)
        return Linear(name, np.ascontiguousarray(weights), bias)

    def _own(self, name: str, node: fx.Node, matrix: fx.Node) -> str:
        """Name a layer of `node`; its weights must not belong to another layer already."""
        if name in self._names:
            name = f"{name}.{node.name}"
        self._names.add(name)
        for parameter in self._constants.matrices_behind(matrix):
            owner = self._owners.setdefault(parameter, node.name)
            if owner != node.name:
                raise Refused(
                    f"{describe(node)} must have weights of its own, not {parameter!r}, which node "
                    f"{owner!r} uses as well: shared layers are not supported"
                )
        return name

    def _pointwise(self, node: fx.Node) -> Pointwise | None:
        """Read what a refused node does to the channels of a position, if that is all it does."""
        computed = self._computed(node)
        if len(computed) != 1:
            return None
        data, sizes = computed[0], shape_of(computed[0])[2:]
        if not sizes or not all(isinstance(size, int) for size in sizes):
            return None
        operation: Linear | Affine
        try:
            if _name(node) in _CONVOLUTIONS:
                operation = self._convolution(node, data)
            elif "batch_norm" in _name(node):
                operation = self._norm(node, data, at_positions=True)
            else:
                return None
        except (Refused, ModelError):
            return None
        return Pointwise(operation, tuple(sizes))

    def _convolution(self, node: fx.Node, data: fx.Node) -> Linear:
        """Read a convolution with a kernel of one, over all channels, at every position."""
        arguments = arguments_of(node)
        matrix = arguments["weight"]
        ones = all(size == 1 for size in (*shape_of(matrix)[2:], *_listed(arguments["stride"])))
        padded = any(size != 0 for size in _listed(arguments["padding"]))
        if arguments["input"] is not data or not ones or padded or arguments["groups"] != 1:
            raise Refused(f"{describe(node)} is more than a product of the channels")
        weights = self._constants.array(matrix)
        weights = weights.reshape(weights.shape[:2])
        bias = np.zeros(len(weights))
        if arguments["bias"] is not None:
            bias = self._constants.array(arguments["bias"]).astype(np.float64)
        name = self._own(self._constants.layer_name(node, matrix), node, matrix)
        return Linear(name, np.ascontiguousarray(weights), bias)

    def _norm(self, node: fx.Node, data: fx.Node, *, at_positions: bool = False) -> Affine:
        arguments = arguments_of(node)
        statistics = [arguments.get(name) for name in ("running_mean", "running_var")]
        running = [node for node in statistics if isinstance(node, fx.Node)]
        if arguments.get("training", False) or len(running) != 2:
            raise Refused(
                f"{describe(node)} must use its running statistics, not those of the batch: "
                "call model.eval() before torch.export.export, and keep track_running_stats"
            )
        if not at_positions:
            self._check_vectors(node, data, 1)
        mean, variance = (self._constants.array(value) for value in running)
        gain, offset = (
            None if arguments.get(name) is None else self._constants.array(arguments[name])
            for name in ("weight", "bias")
        )
        return normalization(mean, variance, gain, offset, float(arguments["eps"]))

    def _affine(self, node: fx.Node, data: fx.Node) -> Affine | None:
        """Read a sum, difference, product or quotient of the data and a constant."""
        kind = _ARITHMETIC[_name(node)]
        arguments = arguments_of(node)
        first, second = arguments["self"], arguments["other"]
        if arguments.get("alpha", 1) != 1 or (kind == "divide" and second is data):
            raise Refused(f"{describe(node)} is not supported; supported are {SUPPORTED}")
        self._check_vectors(node, data)
        given = second if first is data else first
        array = self._constants.array(given) if isinstance(given, fx.Node) else np.array(given)
        try:
            return constant_affine(kind, array.astype(np.float64), first is data)
        except ValueError:
            raise Refused(
                f"{describe(node)} must have a constant of one number, or of one for each feature, "
                f"not of shape {array.shape}"
            ) from None


def _name(node: fx.Node) -> str:
    return operation(node)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _carries_tensors(node: fx.Node) -> bool:
    value = node.meta.get("val")
    return isinstance(value, (torch.Tensor, tuple, list))


def _listing(names: list[str], nodes: dict[str, fx.Node]) -> str:
    shapes = [f"{name} ({', '.join(map(str, shape_of(nodes.get(name))))})" for name in names]
    return "[" + ", ".join(shapes) + "]"
