"""The graph of an exported program of torch in the terms of :mod:`eie.host.compress.model_graph`.

The graph is walked back from the output, so that whatever does not lead to it (asserts, sizes,
counters) does not matter.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import fx
from torch.export import ExportedProgram

from eie.hls.boundary.errors import ModelError
from eie.host.compress.fake_quantize import FAKE_QUANTIZE
from eie.host.compress.graph_constants import Constants, describe, operation
from eie.host.compress.graph_layers import ARITHMETIC, PRODUCTS, LayerNodes
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
        self._layers = LayerNodes(self._constants, self._check_vectors)
        #: Nodes whose value depends on the model's input.
        self._data: set[fx.Node] = set()
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
                return read_recurrent(node, arguments, self._constants, self._layers.own)
            if name == "getitem" and _name(data) in RECURRENT:
                return self._axes.result(node, data)
            if name in _TURNS:
                return self._axes.turn(node, data, arguments_of(node))
            self._axes.keep(node, data)
        if name in PRODUCTS:
            return self._layers.linear(node, data)
        if "batch_norm" in name:
            return self._layers.norm(node, data)
        if name in ARITHMETIC:
            return self._layers.affine(node, data)
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
                operation = self._layers.convolution(node, data)
            elif "batch_norm" in _name(node):
                operation = self._layers.norm(node, data, at_positions=True)
            else:
                return None
        except (Refused, ModelError):
            return None
        return Pointwise(operation, tuple(sizes))


def _name(node: fx.Node) -> str:
    return operation(node)


def _carries_tensors(node: fx.Node) -> bool:
    value = node.meta.get("val")
    return isinstance(value, (torch.Tensor, tuple, list))


def _listing(names: list[str], nodes: dict[str, fx.Node]) -> str:
    shapes = [f"{name} ({', '.join(map(str, shape_of(nodes.get(name))))})" for name in names]
    return "[" + ", ".join(shapes) + "]"
