"""Mutated ONNX files: nodes, names, attributes, tensors, versions, bytes.

All numbers are small whole ones or their halves, so that single precision computes them exactly and
what a file means can be compared with ``==``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from fuzz.damage import damage, edge
from fuzz.verdict import Case

#: Features of the inputs.
FEATURES = 6


@dataclass
class _Graph:
    """A graph that grows at its end."""

    dice: random.Random
    nodes: list[object] = field(default_factory=list)
    tensors: list[TensorProto] = field(default_factory=list)
    value: str = "x"
    width: int = FEATURES

    def node(self, kind: str, *inputs: str, **attributes: object) -> None:
        """Add a node that takes the last value, ``@`` among its inputs."""
        result = f"v{len(self.nodes)}"
        names = [self.value if name == "@" else name for name in inputs]
        name = f"node{len(self.nodes)}" if self.dice.random() < 0.8 else ""
        self.nodes.append(helper.make_node(kind, names, [result], name=name, **attributes))
        self.value = result

    def constant(self, *shape: int, low: int = -2, high: int = 2, whole: bool = False) -> str:
        """Add a tensor."""
        name = f"t{len(self.tensors)}"
        values = [self.dice.randint(low, high) for _ in range(int(np.prod(shape)))]
        array = np.array(values, np.int64 if whole else np.float32).reshape(shape)
        self.tensors.append(numpy_helper.from_array(array, name))
        return name


def _linear(graph: _Graph) -> None:
    rows, columns = graph.dice.randint(1, 7), graph.width
    bias = graph.constant(rows)
    if graph.dice.random() < 0.5:
        graph.node("Gemm", "@", graph.constant(rows, columns), bias, transB=1)
    elif graph.dice.random() < 0.5:
        factors = {"alpha": graph.dice.choice((0.5, 2.0)), "beta": graph.dice.choice((1.0, -1.0))}
        graph.node("Gemm", "@", graph.constant(columns, rows), bias, **factors)
    else:
        graph.node("MatMul", "@", graph.constant(columns, rows))
        graph.node("Add", *graph.dice.choice((("@", bias), (bias, "@"))))
    graph.width = rows


def _norm(graph: _Graph) -> None:
    gain, offset, mean = (graph.constant(graph.width) for _ in range(3))
    variance = graph.constant(graph.width, low=1, high=1)
    graph.node("BatchNormalization", "@", gain, offset, mean, variance, epsilon=0.0)


def _arithmetic(graph: _Graph) -> None:
    constant = graph.constant(*graph.dice.choice(((), (1,), (graph.width,))), low=1)
    kind = graph.dice.choice(("Add", "Sub", "Mul"))
    graph.node(kind, *graph.dice.choice((("@", constant), (constant, "@"))))


def _nothing(graph: _Graph) -> None:
    kind = graph.dice.choice(("Identity", "Dropout", "Flatten", "Reshape", "Squeeze", "Cast"))
    if kind == "Reshape":
        name = f"t{len(graph.tensors)}"
        sizes = graph.dice.choice(([0, -1], [-1, graph.width], [0, graph.width]))
        graph.tensors.append(numpy_helper.from_array(np.array(sizes, np.int64), name))
        graph.node("Reshape", "@", name)
    elif kind == "Squeeze":
        name = graph.constant(1, low=1, high=1, whole=True)
        graph.node("Unsqueeze", "@", name)
        graph.node("Squeeze", "@", name)
    elif kind == "Cast":
        graph.node("Cast", "@", to=TensorProto.FLOAT)
    else:
        graph.node(kind, "@")


def _foreign(graph: _Graph) -> None:
    kind = graph.dice.choice(("Sigmoid", "LeakyRelu", "Abs", "Residual", "Neg"))
    if kind == "Residual":
        graph.node("Add", "@", "@")
    elif kind == "LeakyRelu":
        # A slope that floats hold, so that outputs are equal and not close.
        graph.node(kind, "@", alpha=0.25)
    else:
        graph.node(kind, "@")


def _model(dice: random.Random) -> ModelProto:
    graph = _Graph(dice)
    for _ in range(dice.randint(1, 6)):
        parts = (_linear, _norm, _arithmetic, _nothing, _foreign)
        dice.choices(parts, (6, 2, 2, 3, 0.3))[0](graph)
        if dice.random() < 0.3:
            graph.node("Relu", "@")
    made = helper.make_graph(
        graph.nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", FEATURES))],
        [helper.make_tensor_value_info(graph.value, TensorProto.FLOAT, None)],
        graph.tensors,
    )
    opsets = [helper.make_opsetid("", dice.choice((15, 17, 20)))]
    return helper.make_model(made, opset_imports=opsets, ir_version=10)


def _change_node(dice: random.Random, model: ModelProto) -> str:
    nodes = model.graph.node
    place = dice.randrange(len(nodes))
    node = nodes[place]
    way = dice.choice(("lose", "repeat", "kind", "input", "output", "domain", "attribute", "more"))
    names = ["x", "", *(tensor.name for tensor in model.graph.initializer), nodes[-1].output[0]]
    if way == "lose":
        del nodes[place]
    elif way == "repeat":
        nodes.add().CopyFrom(node)
    elif way == "kind":
        node.op_type = dice.choice(
            ("Gemm", "MatMul", "Add", "Mul", "Div", "Relu", "Flatten", "Reshape", "Transpose",
             "Clip", "Softmax", "Concat", "Shape", "Gather", "LSTM", "Conv", "Quant", "Constant")
        )  # fmt: skip
    elif way == "input" and node.input:
        node.input[dice.randrange(len(node.input))] = dice.choice(names)
    elif way == "output":
        node.output[0] = dice.choice(names)
    elif way == "domain":
        node.domain = dice.choice(("ai.onnx", "com.acme", "qonnx.custom_op.general"))
    elif way == "more":
        node.input.append(dice.choice(names))
    else:
        name = dice.choice(("axis", "transA", "transB", "alpha", "perm", "to", "epsilon", "axes"))
        value = dice.choice((0, 1, -1, 7, 0.5, float("nan"), [0, 1], [1, 0], [], "text"))
        kept = [each for each in node.attribute if each.name != name]
        del node.attribute[:]
        node.attribute.extend(kept)
        if value != []:
            node.attribute.append(helper.make_attribute(name, value))
    return way


def _change_tensor(dice: random.Random, model: ModelProto) -> str:
    tensors = model.graph.initializer
    if not tensors:
        return "no tensor"
    tensor = dice.choice(tensors)
    way = dice.choice(("dims", "type", "short", "external", "name", "not finite"))
    if way == "dims":
        size = abs(edge(dice)) % (1 << 62)
        tensor.dims[:] = dice.choice(([size], [], [0], [-1, 2], [*tensor.dims, 1], [size, size]))
    elif way == "type":
        tensor.data_type = dice.randrange(25)
    elif way == "short":
        tensor.raw_data = tensor.raw_data[: dice.randrange(len(tensor.raw_data) + 1)]
    elif way == "external":
        tensor.data_location = TensorProto.EXTERNAL
        for key in ("location", "offset", "length"):
            text = dice.choice(("..", "/etc/passwd", "case.onnx", "0", "8", str(edge(dice)), ""))
            tensor.external_data.add(key=key, value=text)
    elif way == "name":
        tensor.name = dice.choice(("x", "t0", "", "\x1b[2J"))
    elif tensor.data_type == TensorProto.FLOAT and tensor.raw_data:
        bad = np.float32(dice.choice((np.nan, np.inf, 3e38))).tobytes()
        tensor.raw_data = bad + tensor.raw_data[4:]
    return way


def _change_rest(dice: random.Random, model: ModelProto) -> str:
    way = dice.choice(("opset", "shape", "input", "output", "order"))
    if way == "opset":
        model.opset_import[0].version = abs(edge(dice)) % (1 << 40)
    elif way == "shape":
        sizes = dice.choice((("n",), ("n", "m"), ("n", 2, 3), ("n", 5), (1, 6), ("n", 1 << 40)))
        given = helper.make_tensor_value_info("x", TensorProto.FLOAT, sizes)
        model.graph.input[0].CopyFrom(given)
    elif way == "input":
        model.graph.input.add().name = dice.choice(("x", "z", "t0"))
    elif way == "output":
        model.graph.output[0].name = dice.choice(("x", "t0", "v0", "gone"))
    else:
        nodes = list(model.graph.node)
        dice.shuffle(nodes)
        del model.graph.node[:]
        model.graph.node.extend(nodes)
    return way


def mutated_onnx(dice: random.Random) -> Case:
    """Make a case."""
    model = _model(dice)
    way = dice.choices(("sound", "node", "tensor", "rest", "bytes"), (20, 30, 20, 10, 20))[0]
    if way == "sound":
        return Case(model.SerializeToString(), way)
    if way == "bytes":
        return Case(damage(dice, model.SerializeToString()), way)
    change = {"node": _change_node, "tensor": _change_tensor, "rest": _change_rest}[way]
    done = change(dice, model)
    return Case(model.SerializeToString(), f"{way}: {done}")
