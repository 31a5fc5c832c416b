"""ONNX graphs, those of QONNX among them, in the terms of :mod:`eie.host.compress.model_graph`.

Both of torch's exporters and graphs made by hand are read. Nothing of onnx is needed but its
parser: shapes follow from the input's and from what each node does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eie.hls.boundary.errors import InputError, ModelError
from eie.hls.boundary.text import listed, printable, shown
from eie.host.compress.model_graph import Graph, Node, Unsupported
from eie.host.compress.readers.onnx_file import OnnxFile
from eie.host.compress.readers.onnx_shapes import Refused
from eie.host.compress.readers.onnx_step import Step
from eie.host.compress.readers.onnx_values import BATCH, Constant, Data, Sizes, Value, compute

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

__all__ = ["OnnxReader", "leading_to"]

#: Versions of the operators whose meaning is known here.
_OPSETS = (7, 26)
#: Names of the standard domain, and those in which quantisers are.
_STANDARD = ("", "ai.onnx")
_QUANTIZERS = ("qonnx.custom_op.general", "finn.custom_op.general", "onnx.brevitas")
#: Nodes of a graph at most.
_MOST_NODES = 20_000
_LONGEST_NAME = 120
#: Types of attributes that are looked at, by their numbers in the format.
_ATTRIBUTES = {
    **dict.fromkeys(("alpha", "beta", "epsilon", "min", "max", "value_float"), 1),
    **dict.fromkeys(
        ("allowzero", "axis", "end", "narrow", "signed", "spatial", "start", "to", "training_mode",
         "transA", "transB", "value_int"),
        2,
    ),
    "rounding_mode": 3,
    "value": 4,
    "value_floats": 6,
    **dict.fromkeys(("axes", "perm", "value_ints"), 7),
}  # fmt: skip


class OnnxReader:
    """Reads one file."""

    def __init__(self, file: OnnxFile, path: Path) -> None:
        self._file, self.path = file, path
        self.onnx: GraphProto = file.model.graph
        self._tensors = {tensor.name: tensor for tensor in self.onnx.initializer}
        #: What is known of the values, by name; a text says why a value is not known.
        self.values: dict[str, Value | str] = {}
        self._names: set[str] = set()
        #: Node by the tensor that its weights are.
        self._owners: dict[str, str] = {}
        self._functions = {(each.domain, each.name) for each in file.model.functions}

    def graph(self) -> Graph:
        """Give all nodes that lead from the input to the output."""
        self.check_versions()
        name, shape, output = self._ends()
        self.values[name] = Data(name, shape)
        needed = self.needed(output)
        nodes = []
        for number, onnx_node in enumerate(self.onnx.node):
            if number in needed:
                read = self.node(onnx_node, f"{number + 1} of {len(self.onnx.node)}")
                nodes += [] if read is None else [read]
        found = self.values.get(output)
        if not isinstance(found, Data):
            raise ModelError(f"{self.path}: output {shown(output)} must depend on the input")
        return Graph(self.path.name, shape, name, leading_to(found.source, nodes))

    def check_versions(self) -> None:
        """Refuse a file of operators that are not known, or that gives a value twice."""
        known = {entry.domain: entry.version for entry in self._file.model.opset_import}
        version = next((known[domain] for domain in _STANDARD if domain in known), None)
        least, most = _OPSETS
        if version is None or not least <= version <= most:
            stands = "none" if version is None else str(version)
            raise ModelError(
                f"{self.path} must use operators of ONNX opset {least} to {most}, not {stands}: "
                "export it again (opset_version=20), or convert it with onnx.version_converter"
            )
        # Tensors may be among the inputs, too, as defaults of them.
        given = [value for node in self.onnx.node for value in node.output if value]
        given += {*self._tensors, *(each.name for each in self.onnx.input)}
        twice = [value for value, count in Counter(given).items() if count > 1]
        if twice:
            raise ModelError(f"{self.path} must give each value once, not {shown(twice[0])} twice")
        if len(self.onnx.node) > _MOST_NODES:
            raise ModelError(
                f"{self.path} must have at most {_MOST_NODES} nodes, not {len(self.onnx.node)}"
            )

    def names_of_ends(self) -> tuple[list[str], list[str]]:
        """Names of the inputs that are no tensors, and of the outputs."""
        inputs = [each.name for each in self.onnx.input if each.name not in self._tensors]
        return inputs, [each.name for each in self.onnx.output]

    def _ends(self) -> tuple[str, tuple[int, ...], str]:
        inputs = [each for each in self.onnx.input if each.name not in self._tensors]
        outputs = [each.name for each in self.onnx.output]
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(
                f"{self.path} must have one input of shape (batch, features...) and one output, "
                f"not inputs {listed(shown(each.name) for each in inputs)} and outputs "
                f"{listed(map(shown, outputs))}"
            )
        sizes = [
            each.dim_value if each.HasField("dim_value") else each.dim_param
            for each in inputs[0].type.tensor_type.shape.dim
        ]
        features = [size for size in sizes[1:] if isinstance(size, int) and size > 0]
        if len(sizes) < 2 or len(features) != len(sizes) - 1:
            raise ModelError(
                f"{self.path}: input {shown(inputs[0].name)} must have shape (batch, features...) "
                "with features of fixed sizes, not "
                f"({', '.join(str(each) or '?' for each in sizes)}): only the batch may be "
                "dynamic; export it with an example of the shape"
            )
        return inputs[0].name, tuple(features), outputs[0]

    def needed(self, output: str) -> set[int]:
        """Numbers of the nodes that lead to the output."""
        makers = {
            name: number for number, node in enumerate(self.onnx.node) for name in node.output
        }
        needed: set[int] = set()
        waiting = [output]
        while waiting:
            number = makers.get(waiting.pop())
            if number is not None and number not in needed:
                needed.add(number)
                waiting += self.onnx.node[number].input
        return needed

    def node(self, node: NodeProto, place: str) -> Node | None:
        """Read one node; None where it gives constants, or leaves a vector's values alone."""
        where = self.where(node, place)
        inputs = [self.value(name) for name in node.input]
        sources = tuple(each.source for each in inputs if isinstance(each, Data))
        name = node.output[0] if node.output else ""
        data = next((each for each in inputs if isinstance(each, Data)), None)
        try:
            unknown = next((each for each in inputs if isinstance(each, str)), None)
            if unknown is not None:
                raise Refused(unknown)
            values = [each for each in inputs if not isinstance(each, str)]
            standard = node.domain in _STANDARD
            if not standard and not (
                node.domain in _QUANTIZERS and node.op_type in ("Quant", "IntQuant", "BipolarQuant")
            ):
                what = "a function of the file" if self._functions else "a custom operator"
                raise Refused(
                    f"is {what}: only operators of ONNX itself and quantisers of QONNX are "
                    "supported; export the model without it"
                )
            attributes = self.attributes(node)
            if data is None:
                self.values[name] = self._constant(node, values, attributes)
                return None
            if node.op_type == "Shape" and data.shape is not None:
                first, last = attributes.get("start", 0), attributes.get("end")
                self.values[name] = Sizes((BATCH, *data.shape)[first:last])
                return None
            operation, shape = Step(node, values, attributes, self.layer_name).read(data)
        except (Refused, InputError) as error:
            if data is None:  # a weight: refused where it is used
                self.values[name] = f"takes the result of {where}, which {error}"
                return None
            convolution = node.op_type.startswith("Conv")
            operation, shape = Unsupported(f"{where} {error}", convolution), None
        source = data.source if operation is None else name
        for output in node.output:
            self.values[output] = Data(source, shape)
        return None if operation is None else Node(name, operation, sources, where)

    def where(self, node: NodeProto, place: str) -> str:
        """Name a node for a message; `place` is its number among all."""
        kind = node.op_type if node.domain in _STANDARD else f"{node.domain}::{node.op_type}"
        label = shown(node.name) if node.name else "without a name"
        return f"node {label} ({printable(kind)[:_LONGEST_NAME]}, number {place})"

    def value(self, name: str) -> Value | str | None:
        """Give what is known of a value; tensors are read when they are first needed."""
        if not name:
            return None  # an input that is left out
        if name not in self.values:
            tensor = self._tensors.get(name)
            if tensor is None:
                return f"takes {shown(name)}, which no node before it gives"
            try:
                self.values[name] = Constant(self._file.array(tensor), name)
            except InputError as error:
                self.values[name] = f"takes a tensor that cannot be read: {error}"
        return self.values[name]

    def _constant(
        self, node: NodeProto, values: list[Value | None], attributes: dict[str, Any]
    ) -> Value:
        if node.op_type == "Constant":
            name, value = next(iter(attributes.items()), ("", None))
            if name.startswith(("value_float", "value_int")):
                value = np.array(value, np.float32 if "float" in name else np.int64)
            if isinstance(value, np.ndarray):
                return Constant(value, node.output[0])
            raise Refused("must hold numbers")
        kind = "Quant" if node.op_type == "IntQuant" else node.op_type
        known = [each for each in values if not isinstance(each, Data)]
        result = compute(kind, known, attributes)
        if result is None:
            raise Refused(
                "is computed of constants in a way that is not supported: fold constants first, "
                "for example with onnxslim or onnxruntime's offline optimisation"
            )
        return result

    def attributes(self, node: NodeProto) -> dict[str, Any]:
        """Give the attributes of a node by name, as far as their types are known."""
        return {each.name: self._attribute(each) for each in node.attribute}

    def _attribute(self, attribute: Any) -> Any:
        wanted = _ATTRIBUTES.get(attribute.name)
        if wanted is not None and attribute.type != wanted:
            raise Refused(f"must have an attribute {attribute.name!r} of type {wanted} of ONNX")
        fields: dict[int, Callable[[], Any]] = {
            1: lambda: attribute.f,
            2: lambda: attribute.i,
            3: lambda: attribute.s,
            4: lambda: self._file.array(attribute.t),
            6: lambda: list(attribute.floats),
            7: lambda: list(attribute.ints),
        }
        return fields.get(attribute.type, lambda: None)()

    def layer_name(self, node: NodeProto, weights: Constant) -> str:
        """Name a layer by its module where the exporter left a trace of it.

        Raises
        ------
        Refused
            If another layer has the same weights.
        """
        owner = self._owners.setdefault(weights.name, node.name or node.output[0])
        if owner != (node.name or node.output[0]):
            raise Refused(
                f"must have weights of its own, not {shown(weights.name)}, which node "
                f"{shown(owner)} uses as well: shared layers are not supported"
            )
        if weights.name.endswith(".weight"):
            name = weights.name.removesuffix(".weight")
        elif node.name.startswith("/") and node.name.count("/") > 1:
            name = node.name[1:].rpartition("/")[0].replace("/", ".")
        else:
            name = node.name.removeprefix("node_") or re.sub(r"\W+", "_", weights.name)
        name = printable(name)[:_LONGEST_NAME] or "linear"
        unique = name
        while unique in self._names:
            unique = f"{name}.{len(self._names)}"
        self._names.add(unique)
        return unique


def leading_to(value: str, nodes: list[Node]) -> tuple[Node, ...]:
    """Those of `nodes` that `value` is computed of: others lead to sizes alone."""
    needed, kept = {value}, []
    for node in reversed(nodes):
        if node.name in needed:
            needed.update(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))
