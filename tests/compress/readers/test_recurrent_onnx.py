"""LSTM and GRU of ONNX files: what torch's exporters write, and graphs made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from quiet_exporters import quiet
from torch import nn

from eie.hls.boundary.errors import ModelError
from eie.host.compress.reader import read_model
from eie.host.compress.sequence_model import SequenceModel


class Net(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], *, last: bool, batch_first: bool) -> None:
        super().__init__()
        self.pre = nn.Linear(5, 6)
        self.rnn = kind(6, 4, 2, batch_first=batch_first)
        self.fc = nn.Linear(4, 3)
        self.last, self.batch_first = last, batch_first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out, states = self.rnn(torch.relu(self.pre(x)))
        if not self.last:
            return self.fc(out)
        if self.batch_first:
            return self.fc(out[:, -1])
        return self.fc((states[0] if isinstance(states, tuple) else states)[-1])


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize(("batch_first", "dynamo"), [(True, False), (True, True), (False, False)])
def test_files_of_torch(
    kind: type[nn.RNNBase], last: bool, batch_first: bool, dynamo: bool, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = Net(kind, last=last, batch_first=batch_first).eval()
    path = tmp_path / "model.onnx"
    with quiet():
        torch.onnx.export(model, (torch.zeros(2, 7, 5),), path, dynamo=dynamo)
    read, wanted = read_model(path), read_model(model)
    assert isinstance(read, SequenceModel) and isinstance(wanted, SequenceModel)
    assert read.last == last and read.features == 5
    random = np.random.default_rng(1)
    sequences = [random.standard_normal((each, 5)) for each in (3, 6)]
    np.testing.assert_allclose(read.forward(sequences), wanted.forward(sequences), atol=1e-6)


def by_hand(kind: str, **attributes: Any) -> onnx.ModelProto:
    """A layer with the batch in front, which takes and gives all steps."""
    random = np.random.default_rng(2)
    gates = 4 if kind == "LSTM" else 3
    tensors = {
        "w": random.standard_normal((1, gates * 2, 3)),
        "r": random.standard_normal((1, gates * 2, 2)),
        "b": random.standard_normal((1, gates * 4)),
    }
    layer = helper.make_node(kind, ["x", "w", "r", "b"], ["y"], hidden_size=2, layout=1,
                             **attributes)  # fmt: skip
    axes = numpy_helper.from_array(np.array([2], np.int64), "axes")
    squeeze = helper.make_node("Squeeze", ["y", "axes"], ["out"])
    graph = helper.make_graph(
        [layer, squeeze],
        "by hand",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", "steps", 3])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", "steps", 2])],
        [axes, *(numpy_helper.from_array(array.astype(np.float32), name)
                 for name, array in tensors.items())],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_graph_by_hand_computes_what_onnx_says(kind: str, tmp_path: Path) -> None:
    from onnx.reference import ReferenceEvaluator

    more = {} if kind == "LSTM" else {"linear_before_reset": 1}
    model = by_hand(kind, **more)
    onnx.save(model, tmp_path / "model.onnx")
    read = read_model(tmp_path / "model.onnx")
    assert isinstance(read, SequenceModel)
    x = np.random.default_rng(3).standard_normal((1, 4, 3)).astype(np.float32)
    # The reference knows the other layout.
    for node in model.graph.node[:1]:
        del node.attribute[[each.name for each in node.attribute].index("layout")]
    wanted = ReferenceEvaluator(model).run(["y"], {"x": x.transpose(1, 0, 2)})[0]
    np.testing.assert_allclose(read.forward([x[0]]), wanted[:, 0, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "attributes", "message"),
    [
        ("GRU", {}, "has linear_before_reset = 0"),
        ("LSTM", {"direction": "reverse"}, "must step forward alone"),
        ("LSTM", {"activations": ["Sigmoid", "Relu", "Tanh"]}, "must have sigmoid and tanh"),
        ("LSTM", {"clip": 3.0}, "without clip"),
        ("LSTM", {"input_forget": 1}, "without clip and input_forget"),
    ],
)
def test_what_is_near_is_refused(
    kind: str, attributes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    onnx.save(by_hand(kind, **attributes), tmp_path / "model.onnx")
    with pytest.raises(ModelError, match=message):
        read_model(tmp_path / "model.onnx")
