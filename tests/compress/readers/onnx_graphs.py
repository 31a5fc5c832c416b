"""ONNX graphs made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"
RNG = np.random.default_rng(6)
W1, B1 = RNG.normal(size=(5, 4)).astype(np.float32), RNG.normal(size=5).astype(np.float32)
W2 = RNG.normal(size=(3, 5)).astype(np.float32)


def node(kind, inputs, outputs, **attributes):
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def model(nodes, shape=("n", 4), constants=None, opsets=((("", 20),)), output="y", inputs=None):
    """A model of `nodes` from x to y; constants W1, B1 and W2 are there."""
    values = {"W1": W1, "B1": B1, "W2": W2, **(constants or {})}
    graph = helper.make_graph(
        nodes,
        "made by hand",
        inputs or [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    made = [helper.make_opsetid(domain, version) for domain, version in opsets]
    return helper.make_model(graph, opset_imports=made, ir_version=10)


def save(made, folder: Path, name="m.onnx") -> Path:
    path = folder / name
    path.write_bytes(made.SerializeToString())
    return path


def forward(made, inputs: np.ndarray) -> np.ndarray:
    """What onnx's own reference implementation computes."""
    from onnx.reference import ReferenceEvaluator

    (result,) = ReferenceEvaluator(made).run(None, {"x": inputs.astype(np.float32)})
    return np.asarray(result)


__all__ = ["B1", "QONNX", "W1", "W2", "forward", "model", "node", "onnx", "save"]
