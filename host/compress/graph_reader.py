"""The graph of an exported program as a sequence of steps: Linear, BatchNorm, ReLU.

The graph is walked back from the output, so that whatever does not lead to it (asserts, sizes,
counters) does not matter; each node on the way must have exactly one computed input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import fx
from torch.export import ExportedProgram

from eie.hls.boundary.errors import ModelError, Problems
from eie.hls.boundary.warning import warn
from eie.host.compress.graph_constants import Constants, describe, operation
from eie.host.compress.program import LINEAR_PART, SUPPORTED

__all__ = ["LinearStep", "NormStep", "ReluStep", "Step", "read_steps"]

#: Nodes that leave the order of a vector's values alone, when the batch stays in front.
_RESHAPES = frozenset({"aten.view.default", "aten.reshape.default", "aten._unsafe_view.default"})
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
#: What a model may end in without effect on which output is the largest, and what is told of it.
_ENDS = {
    "softmax": "the largest output is the same",
    "log_softmax": "the largest output is the same",
    "sigmoid": "the largest output is the same, and what was 0.5 is 0",
}
#: Product of data and a constant: names of the data, matrix and bias arguments, and whether the
#: matrix has one row for each output (else one column).
_LINEARS = {
    "aten.linear.default": ("input", "weight", "bias", True),
    "aten.addmm.default": ("mat1", "mat2", "self", False),
    "aten.mm.default": ("self", "mat2", None, False),
    "aten.matmul.default": ("self", "other", None, False),
}


@dataclass(frozen=True, eq=False)
class LinearStep:
    """``y = W a + b``."""

    #: Unique name of the layer.
    name: str
    #: float32 or float64, shape (rows, columns).
    weights: npt.NDArray[Any]
    #: float64, shape (rows,).
    bias: npt.NDArray[np.float64]
    #: The node, for messages.
    where: str


@dataclass(frozen=True, eq=False)
class NormStep:
    """``y = scale * a + shift``: a BatchNorm with its running statistics."""

    #: float64, shape (features,).
    scale: npt.NDArray[np.float64]
    #: float64, shape (features,).
    shift: npt.NDArray[np.float64]
    #: The node, for messages.
    where: str


@dataclass(frozen=True)
class ReluStep:
    """``y = max(a, 0)``."""

    #: The node, for messages.
    where: str


Step: TypeAlias = LinearStep | NormStep | ReluStep


def read_steps(program: ExportedProgram) -> tuple[tuple[int, ...], list[Step]]:
    """Read what a functional program does to its input.

    Parameters
    ----------
    program
        From :func:`eie.host.compress.program.load_program`.

    Returns
    -------
    input_shape
        Shape of one input, without the batch.
    steps
        In the order of computation.

    Raises
    ------
    ModelError
        If the graph holds anything else, naming every such node.

    Warns
    -----
    EieWarning
        If a softmax or sigmoid at the end is left off.
    """
    problems = Problems("model")
    reader = _Reader(program, problems)
    source, output = reader.ends()
    chain, left_off = _without_end(reader.chain(source, output))
    steps = [step for node in chain for step in reader.step(node)]
    convolutional = any("aten.conv" in operation(node) for node in program.graph.nodes)
    problems.raise_as(ModelError, LINEAR_PART if convolutional else "")
    if left_off:
        warn(left_off)
    return tuple(int(size) for size in _shape(source)[1:]), steps


def _without_end(chain: list[fx.Node]) -> tuple[list[fx.Node], str]:
    """Leave off a softmax over the outputs, or a sigmoid, at the end; also says so, or nothing."""
    for place in reversed(range(len(chain))):
        node = chain[place]
        name = operation(node)
        kind = name.removeprefix("aten.").partition(".")[0].removeprefix("_")
        over_outputs = kind == "sigmoid" or (
            kind in _ENDS and _arguments(node)["dim"] in (-1, len(_shape(node)) - 1)
        )
        if over_outputs:
            text = (
                f"{describe(node)} at the end is left off: outputs are those before it; "
                f"{_ENDS[kind]}. Where probabilities are needed, apply it to the outputs"
            )
            return chain[:place] + chain[place + 1 :], text
        if name not in _IDENTITIES:
            break
    return chain, ""


class _Reader:
    """Reads one program; notes what it cannot read in `problems`."""

    def __init__(self, program: ExportedProgram, problems: Problems) -> None:
        self._graph = program.graph
        self._signature = program.graph_signature
        self._constants = Constants(program)
        self._problems = problems
        #: Nodes whose value depends on the model's input.
        self._data: set[fx.Node] = set()
        self._names: set[str] = set()
        #: Node by the parameter that its weights come from.
        self._owners: dict[str, str] = {}

    def ends(self) -> tuple[fx.Node, fx.Node]:
        """Find the one input and the one output, or raise at once."""
        nodes = {node.name: node for node in self._graph.nodes}
        given = [str(name) for name in self._signature.user_inputs]
        results = [str(name) for name in self._signature.user_outputs]
        if len(given) != 1 or len(results) != 1 or len(_shape(nodes.get(given[0]))) < 2:
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
        return nodes[given[0]], output

    def chain(self, source: fx.Node, output: fx.Node) -> list[fx.Node]:
        """Nodes from after `source` to `output`; stops early where branches join."""
        chain: list[fx.Node] = []
        node = output
        while node is not source:
            chain.append(node)
            computed = self._computed(node)
            if len(computed) != 1:
                names = ", ".join(repr(before.name) for before in computed)
                self._problems.require(
                    False,
                    f"{describe(node)} joins {names}: branches are not supported, only {SUPPORTED}",
                )
                return []
            node = computed[0]
        return chain[::-1]

    def step(self, node: fx.Node) -> list[Step]:
        """Read the step that `node` takes: none for an identity or where there is a problem."""
        name = operation(node)
        data = self._computed(node)[0]
        if name in _LINEARS:
            return self._linear(node, data)
        if "batch_norm" in name:
            return self._norm(node, data)
        if name == "aten.relu.default":
            return [ReluStep(describe(node))]
        if name in _RESHAPES:
            # Compared as text: sizes may be symbols, and comparing those adds guards.
            supported = str(_shape(node)[0]) == str(_shape(data)[0])
        elif name == "aten._to_copy.default":
            supported = bool(node.meta["val"].dtype.is_floating_point)
        elif name == "getitem":
            supported = bool(node.args[1] == 0)
        else:
            supported = name in _IDENTITIES
        self._problems.require(
            supported, f"{describe(node)} is not supported; supported are {SUPPORTED}"
        )
        return []

    def _computed(self, node: fx.Node) -> list[fx.Node]:
        return [before for before in node.all_input_nodes if before in self._data]

    def _vectors(self, node: fx.Node, data: fx.Node) -> bool:
        shape = _shape(data)
        return self._problems.require(
            len(shape) == 2,
            f"{describe(node)} must take inputs of shape (batch, features), not "
            f"({', '.join(map(str, shape))}); put a Flatten before it",
        )

    def _linear(self, node: fx.Node, data: fx.Node) -> list[Step]:
        data_name, matrix_name, bias_name, by_rows = _LINEARS[operation(node)]
        arguments = _arguments(node)
        matrix = arguments[matrix_name]
        plain = arguments.get("alpha", 1) == 1 and arguments.get("beta", 1) == 1
        if not self._problems.require(
            arguments[data_name] is data and plain and len(_shape(matrix)) == 2,
            f"{describe(node)} must be a product of its input and constant weights, plus a bias",
        ) or not self._vectors(node, data):
            return []
        weights = self._constants.array(matrix)
        if not by_rows:
            weights = weights.T
        rows = weights.shape[0]
        bias = np.zeros(rows)
        if bias_name is not None and arguments[bias_name] is not None:
            bias = self._constants.array(arguments[bias_name]).astype(np.float64)
        if not self._problems.require(
            bias.shape == (rows,),
            f"{describe(node)} must have a bias of shape ({rows},), not {bias.shape}",
        ):
            return []
        name = self._own(node, matrix)
        return [LinearStep(name, np.ascontiguousarray(weights), bias, describe(node))]

    def _own(self, node: fx.Node, matrix: fx.Node) -> str:
        """Name the layer of `node`, and note if its weights belong to another layer already."""
        name = self._constants.layer_name(node, matrix)
        if name in self._names:
            name = f"{name}.{node.name}"
        self._names.add(name)
        for parameter in self._constants.matrices_behind(matrix):
            owner = self._owners.setdefault(parameter, node.name)
            self._problems.require(
                owner == node.name,
                f"{describe(node)} must have weights of its own, not {parameter!r}, which node "
                f"{owner!r} uses as well: shared layers are not supported",
            )
        return name

    def _norm(self, node: fx.Node, data: fx.Node) -> list[Step]:
        arguments = _arguments(node)
        statistics = [arguments.get(name) for name in ("running_mean", "running_var")]
        running = [node for node in statistics if isinstance(node, fx.Node)]
        if not self._problems.require(
            not arguments.get("training", False) and len(running) == 2,
            f"{describe(node)} must use its running statistics, not those of the batch: "
            "call model.eval() before torch.export.export, and keep track_running_stats",
        ) or not self._vectors(node, data):
            return []
        mean, variance = (self._constants.array(value) for value in running)
        gain, offset = arguments.get("weight"), arguments.get("bias")
        with np.errstate(all="ignore"):  # folding refuses what is not finite
            scale = 1.0 / np.sqrt(variance.astype(np.float64) + float(arguments["eps"]))
            if gain is not None:
                scale = scale * self._constants.array(gain)
            shift = -mean * scale
            if offset is not None:
                shift = shift + self._constants.array(offset)
        return [NormStep(scale, shift, describe(node))]


def _arguments(node: fx.Node) -> dict[str, Any]:
    """Arguments of an aten node by their names in its schema, with defaults."""
    schema = node.target._schema  # type: ignore[union-attr]
    names = [argument.name for argument in schema.arguments]
    values = {
        argument.name: argument.default_value
        for argument in schema.arguments
        if argument.has_default_value()
    }
    return values | dict(zip(names, node.args, strict=False)) | dict(node.kwargs)


def _shape(node: fx.Node | None) -> tuple[Any, ...]:
    """Sizes of a node's tensor, some of them symbols; () for anything else."""
    return tuple(getattr(node.meta.get("val"), "shape", ())) if node is not None else ()


def _carries_tensors(node: fx.Node) -> bool:
    value = node.meta.get("val")
    return isinstance(value, (torch.Tensor, tuple, list))


def _listing(names: list[str], nodes: dict[str, fx.Node]) -> str:
    shapes = [f"{name} ({', '.join(map(str, _shape(nodes.get(name))))})" for name in names]
    return "[" + ", ".join(shapes) + "]"
