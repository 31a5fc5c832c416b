"""ONNX graphs: read as onnx's reference implementation computes them, or refused by name."""

from __future__ import annotations

import sys
import zipfile

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_graphs import W1, forward, model, node, save

from eie.hls.boundary.errors import EieWarning, InputError, ModelError
from eie.host.compress import read_model

#: Two layers, each in a form of its own.
READ = {
    "gemm, and no name": [
        node("Gemm", "x W1 B1", "h", transB=1),
        node("Relu", "h", "r"),
        node("Gemm", "r W2", "y", transB=1),
    ],
    "factors": [node("Gemm", "x W1 B1", "y", transB=1, alpha=0.5, beta=2.0)],
    "transposed constants": [
        node("Transpose", "W1", "T1", perm=[1, 0]),
        node("Identity", "T1", "I1"),
        node("MatMul", "x I1", "m"),
        node("Add", "B1 m", "h"),
        node("Clip", "h zero", "r"),
        node("Transpose", "W2", "T2"),
        node("MatMul", "r T2", "y"),
    ],
    "constant nodes": [
        node("Constant", "", "two", value_float=2.0),
        node("Constant", "", "parts", value_floats=[1.0, 2.0, 3.0, 4.0]),
        node("Constant", "", "same", value_ints=[0, -1]),
        node("Sub", "x parts", "s"),
        node("Div", "s two", "d"),
        node("Reshape", "d same", "r"),
        node("Gemm", "r W1 B1", "g", transB=1),
        node("Sub", "two g", "y"),
    ],
    "sizes of the batch": [
        node("Shape", "x", "shape"),
        node("Gather", "shape zero_index", "batch"),
        node("Concat", "batch minus_one", "wanted", axis=0),
        node("Unsqueeze", "x one_index", "u"),
        node("Squeeze", "u one_index", "q"),
        node("Reshape", "q wanted", "r"),
        node("Cast", "r", "c", to=TensorProto.FLOAT),
        node("Dropout", "c", "d"),
        node("Gemm", "d W1 B1", "y", transB=1),
    ],
    "batch norm before": [
        node("BatchNormalization", "x gain offset mean variance", "b", epsilon=1e-3),
        node("Gemm", "b W1 B1", "y", transB=1),
    ],
    "what does not lead to the output": [
        node("Gemm", "x W1 B1", "y", transB=1),
        node("Sin", "y", "sine"),
    ],
}
CONSTANTS = {
    "zero": np.float32(0),
    "zero_index": np.array([0]),
    "one_index": np.array([1]),
    "minus_one": np.array([-1]),
    "gain": np.array([1, 2, 3, 4], np.float32),
    "offset": np.array([0, 1, 0, 1], np.float32),
    "mean": np.array([1, 0, -1, 0], np.float32),
    "variance": np.array([1, 0.5, 2, 3], np.float32),
}


@pytest.mark.parametrize("name", READ)
def test_graphs_made_by_hand(name, tmp_path):
    made = model(READ[name], constants=CONSTANTS)
    found = read_model(save(made, tmp_path))
    inputs = np.random.default_rng(7).integers(-8, 9, (9, 4)) / 8.0
    wanted = forward(made, inputs)
    np.testing.assert_allclose(found.forward(inputs), wanted, rtol=2e-6, atol=2e-6)
    assert found.name == "m.onnx"


@pytest.mark.parametrize(
    ("weights", "name", "wanted"),
    [
        ("net.fc1.weight", "node_linear", "net.fc1"),
        ("onnx::MatMul_31", "/net/fc1/Gemm", "net.fc1"),
        ("onnx::MatMul_31", "node_linear_3", "linear_3"),
        ("onnx::MatMul_31", "", "onnx_MatMul_31"),
    ],
)
def test_layer_names(weights, name, wanted, tmp_path):
    made = model([node("Gemm", f"x {weights}", "y", transB=1, name=name)], constants={weights: W1})
    assert [layer.name for layer in read_model(save(made, tmp_path)).layers] == [wanted]


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax"])
def test_an_end_is_left_off(kind, tmp_path):
    made = model([node("Gemm", "x W1 B1", "h", transB=1), node(kind, "h", "y")])
    with pytest.warns(
        EieWarning, match=rf"node without a name \({kind}, number 2 of 2\) at the end"
    ):
        assert read_model(save(made, tmp_path)).layers[0].rows == 5


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("raw", [True, False])
def test_every_way_to_store_numbers(dtype, raw, tmp_path):
    made = model([node("Gemm", "x W1", "y", transB=1)])
    numbers = (np.arange(20).reshape(5, 4) / 8).astype(dtype)
    kind = helper.np_dtype_to_tensor_dtype(numbers.dtype)
    values = numbers.tobytes() if raw else numbers.ravel().tolist()
    made.graph.initializer[0].CopyFrom(helper.make_tensor("W1", kind, (5, 4), values, raw))
    (layer,) = read_model(save(made, tmp_path)).layers
    assert np.array_equal(layer.weights, numbers)
    assert layer.weights.dtype == (np.float64 if dtype == np.float64 else np.float32)


def test_bfloat16(tmp_path):
    made = model([node("Gemm", "x W1", "y", transB=1)])
    numbers = np.arange(20).reshape(5, 4) / 8
    tensor = helper.make_tensor("W1", TensorProto.BFLOAT16, (5, 4), numbers.ravel().tolist())
    made.graph.initializer[0].CopyFrom(tensor)
    assert np.array_equal(read_model(save(made, tmp_path)).layers[0].weights, numbers)


GEMM = node("Gemm", "x W1 B1", "h", transB=1, name="fc1")
LAST = node("Gemm", "a W2", "y", transB=1, name="fc2")
#: Nodes, and what the refusal says.
REFUSED = {
    "steep": (
        [GEMM, node("LeakyRelu", "h", "a", name="l", alpha=2.0), LAST],
        ["node 'l' (LeakyRelu, number 2 of 3) must have a slope above 0 and below 1, not 2"],
    ),
    "product": (
        [node("Gemm", "x S", "h"), node("Mul", "h x", "y", name="gate")],
        ["node 'gate' (Mul, number 2 of 2) multiplies 'h', 'x'", "on the host"],
    ),
    "concatenation along another axis": (
        [GEMM, node("Concat", "h h", "y", axis=0)],
        ["node without a name (Concat, number 2 of 2) must put features one behind the other"],
    ),
    "lstm": (
        [
            node("LSTM", "x W1 W2", "h", hidden_size=5, name="memory"),
            node("Gemm", "h W2", "y", transB=1),
        ],
        ["must have shape (batch, steps, features)"],
    ),
    "convolution": (
        [node("Conv", "x W1", "a", name="conv"), LAST],
        ["node 'conv' (Conv, number 1 of 2) is not supported", "fully connected layers only"],
    ),
    "custom operator": (
        [helper.make_node("Foo", ["x"], ["a"], name="mine", domain="com.acme"), LAST],
        ["node 'mine' (com.acme::Foo, number 1 of 2) is a custom operator"],
    ),
    "all of them at once": (
        [
            GEMM,
            node("Softplus", "h", "a1", name="t"),
            node("Gemm", "a1 V", "b", name="fc3"),
            node("Erf", "b", "a", name="e"),
            LAST,
        ],
        ["2 problems", "'t' (Softplus, number 2 of 5)", "'e' (Erf, number 4 of 5)"],
    ),
    "batch moved": (
        [node("Reshape", "x pairs", "a2", name="r"), GEMM, node("Gemm", "a2 W2", "y")],
        ["node 'r' (Reshape, number 1 of 3) must keep the batch in front", "(-1, 2)"],
    ),
    "transposed data": (
        [node("Transpose", "x", "t", perm=[1, 0], name="t"), node("Gemm", "t W1", "y", transB=1)],
        ["node 't' (Transpose, number 1 of 2) is not supported"],
    ),
    "weights of other sizes": (
        [GEMM, node("Gemm", "h S", "y", transB=1, name="fc2")],
        ["'fc2' (Gemm, number 2 of 2) must take the 5 values that come before it", "not take 4"],
    ),
    "bias of another size": (
        [node("Gemm", "x W1 two_numbers", "y", transB=1, name="fc1")],
        ["'fc1' (Gemm, number 1 of 1) must have a bias of shape (5,), not (2,)"],
    ),
    "weights of the data": (
        [GEMM, node("MatMul", "W2 h", "y", name="m")],
        ["'m' (MatMul, number 2 of 2) must be a product of its input and constant real weights"],
    ),
    "shared weights": (
        [node("Gemm", "x S", "h", name="one"), node("Gemm", "h S", "y", name="two")],
        ["'two' (Gemm, number 2 of 2) must have weights of its own, not 'S', which node 'one'"],
    ),
    "norm of the batch": (
        [
            GEMM,
            node("BatchNormalization", "h B1 B1 B1 B1", "y", training_mode=1, name="bn"),
        ],
        ["'bn' (BatchNormalization, number 2 of 2) must use its running statistics"],
    ),
    "value from nowhere": (
        [node("Gemm", "x W7", "y", name="fc1")],
        ["'fc1' (Gemm, number 1 of 1) takes 'W7', which no node before it gives"],
    ),
    "not a number": (
        [node("Gemm", "x NAN", "y", name="fc1")],
        ["layer 'fc1': weights must be finite, not nan at index (1, 0)"],
    ),
    "random weights": (
        [node("RandomNormal", "", "R", shape=[4, 5]), node("Gemm", "x R", "y", name="fc1")],
        ["'fc1' (Gemm, number 2 of 2) takes the result of node without a name (RandomNormal"],
    ),
    "a constant for each vector": (
        [GEMM, node("Add", "h W1", "y", name="a")],
        ["'a' (Add, number 2 of 2) must have a constant of one number, or of one for each"],
    ),
    "constants that grow": (
        [node("Mul", "column row", "grown"), node("Gemm", "x grown", "y", name="fc1")],
        ["takes the result of node without a name (Mul, number 1 of 2)", "fold constants first"],
    ),
}
MORE = {
    "zero": np.float32(0),
    "six": np.float32(6),
    "S": np.eye(4, dtype=np.float32),
    "V": np.ones((5, 5), np.float32),
    "pairs": np.array([-1, 2]),
    "two_numbers": np.ones(2, np.float32),
    "NAN": np.array([[1, np.nan], [3, 4], [5, 6], [7, 8]], np.float32),
    "column": np.ones((4, 1), np.float32),
    "row": np.ones((1, 5), np.float32),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, tmp_path):
    nodes, fragments = REFUSED[name]
    opsets = [("", 20)] + ([("com.acme", 1)] if "custom" in name else [])
    with pytest.raises(ModelError) as error:
        read_model(save(model(nodes, constants=MORE, opsets=opsets), tmp_path))
    for fragment in fragments:
        assert fragment in str(error.value)


@pytest.mark.parametrize("shape", [("n", "m"), ("n", 0), ("n", None), (4,), ()])
def test_only_the_batch_may_be_dynamic(shape, tmp_path):
    with pytest.raises(ModelError, match=r"input 'x' must have shape \(batch, features\.\.\.\)"):
        read_model(save(model([GEMM], shape=shape, output="h"), tmp_path))


def test_two_inputs_and_outputs_are_refused(tmp_path):
    both = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n", 4)) for name in ("x", "z")]
    with pytest.raises(ModelError, match=r"must have one input .* not inputs 'x', 'z'"):
        read_model(save(model([GEMM], inputs=both, output="h"), tmp_path))


@pytest.mark.parametrize("opsets", [[], [("", 6)], [("", 999)], [("ai.onnx.ml", 3)]])
def test_other_opsets_are_refused(opsets, tmp_path):
    with pytest.raises(ModelError, match=r"must use operators of ONNX opset 7 to \d+, not"):
        read_model(save(model([GEMM], opsets=opsets, output="h"), tmp_path))


def test_values_are_given_once(tmp_path):
    for nodes in ([GEMM, GEMM], [node("Gemm", "x W1", "W1")], [node("Gemm", "x W1", "x")]):
        with pytest.raises(ModelError, match="must give each value once"):
            read_model(save(model(nodes, output="h"), tmp_path))


def test_sizes_are_no_output_and_what_leads_to_them_is_no_layer(tmp_path):
    sizes = [GEMM, node("Shape", "h", "s")]
    with pytest.raises(ModelError, match="output 's' must depend on the input"):
        read_model(save(model(sizes, output="s"), tmp_path))
    nodes = [*sizes, node("Gather", "s zero", "n"), node("Concat", "n four", "w", axis=0),
             node("Reshape", "x w", "r"), node("Gemm", "r S", "y", name="fc2")]  # fmt: skip
    constants = {**MORE, "zero": np.array([0]), "four": np.array([4])}
    (layer,) = read_model(save(model(nodes, constants=constants), tmp_path)).layers
    assert layer.name == "fc2"


@pytest.mark.parametrize("name", ["m.onnx", "m.keras"])
def test_a_package_that_is_missing_is_named(name, tmp_path, monkeypatch):
    missing = "onnx" if name == "m.onnx" else "h5py"
    if missing == "onnx":
        save(model([GEMM], output="h"), tmp_path)
    else:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member in ("config.json", "metadata.json", "model.weights.h5"):
                archive.writestr(member, "{}")
    monkeypatch.setitem(sys.modules, missing, None)
    extra = name.rpartition(".")[2]
    with pytest.raises(ImportError, match=rf"needs {missing}, .*pip install '\.\[{extra}\]'"):
        read_model(tmp_path / name)


def test_the_shape_of_a_file_is_its_own(tmp_path):
    with pytest.raises(InputError, match="input_shape must be None"):
        read_model(save(model([GEMM], output="h"), tmp_path), input_shape=(4,))
