"""ONNX files from anywhere: an answer or an error of eie, and no other file is read."""

from __future__ import annotations

import random

import numpy as np
import pytest
from onnx import TensorProto, external_data_helper, helper
from onnx_graphs import W1, model, node, save

from eie.hls.boundary.errors import EieError, ModelError
from eie.host.compress import read_model

VALUES = W1.tobytes()
GEMM = node("Gemm", "x W1 B1", "y", transB=1, name="fc1")


def plain() -> bytes:
    return bytes(model([GEMM]).SerializeToString())


def with_external(folder, location, *, offset=0, length=W1.nbytes, data=VALUES, copies=1):
    """A model whose weights are in a file beside it, and that file."""
    made = model([GEMM])
    for number in range(copies):
        tensor = made.graph.initializer[0]
        if number:
            tensor = made.graph.initializer.add()
            tensor.CopyFrom(made.graph.initializer[0])
            tensor.name = f"more{number}"
            made.graph.node.append(node("Gemm", f"x more{number}", "z", transB=1))
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        del tensor.external_data[:]
        for key, value in (("location", location), ("offset", offset), ("length", length)):
            tensor.external_data.add(key=key, value=str(value))
    if data is not None:
        (folder / "w.bin").write_bytes(data)
    return save(made, folder)


def refused(path) -> str:
    with pytest.raises(ModelError) as error:
        read_model(path)
    return str(error.value)


def test_external_data_is_read(tmp_path):
    for kwargs in ({}, {"offset": 7, "data": bytes(7) + W1.tobytes()}):
        (layer,) = read_model(with_external(tmp_path, "w.bin", **kwargs)).layers
        assert np.array_equal(layer.weights, W1)


def test_external_data_as_onnx_writes_it(tmp_path):
    made = model([GEMM])
    external_data_helper.convert_model_to_external_data(made, location="all.bin", size_threshold=0)
    external_data_helper.write_external_data_tensors(made, str(tmp_path))
    assert np.array_equal(read_model(save(made, tmp_path)).layers[0].weights, W1)


@pytest.mark.parametrize("way", ["parent", "absolute", "link", "folder", "nothing", "null"])
def test_external_data_stays_in_the_models_folder(way, tmp_path):
    outside, inside = tmp_path / "secret", tmp_path / "model"
    inside.mkdir()
    outside.write_bytes(W1.tobytes())
    (inside / "link").symlink_to(outside)
    location = {
        "parent": "../secret", "absolute": str(outside), "link": "link", "folder": ".",
        "nothing": "", "null": "a\0b",
    }[way]  # fmt: skip
    message = refused(with_external(inside, location))
    assert "'fc1' (Gemm, number 1 of 1) takes a tensor that cannot be read: tensor 'W1'" in message
    if way != "null":
        assert "must lie in the model's own folder or below it" in message


def test_external_data_that_is_missing(tmp_path):
    message = refused(with_external(tmp_path, "gone.bin"))
    assert "'gone.bin', which is missing beside the model: keep both together" in message


@pytest.mark.parametrize(
    "kwargs",
    [
        {"offset": 8},
        {"offset": -8},
        {"length": 8},
        {"length": 1 << 60},
        {"data": b""},
        {"offset": "x"},
    ],
)
def test_external_data_of_another_size(kwargs, tmp_path):
    assert "tensor 'W1'" in refused(with_external(tmp_path, "w.bin", **kwargs))


def test_external_data_is_not_multiplied(tmp_path):
    made = with_external(tmp_path, "w.bin", copies=3)
    read = model([])
    read.ParseFromString(made.read_bytes())
    del read.graph.node[:]
    read.graph.node.extend(
        [GEMM, node("MatMul", "y more1", "h"), node("MatMul", "h more2", "z", name="m")]
    )
    read.graph.output[0].name = "z"
    assert "lies over other tensors in 'w.bin'" in refused(save(read, tmp_path))


def test_files_that_are_cut_off(tmp_path):
    whole = plain()
    path = tmp_path / "m.onnx"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert str(path) in refused(path)


def test_damaged_files(tmp_path):
    """Flipped, repeated and lost bytes; and whole fields, since most damage is to numbers."""
    whole, path, ends = plain(), tmp_path / "m.onnx", {"read": 0, "refused": 0}
    rng = random.Random(8)
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            place, size = rng.randrange(len(data)), rng.randint(1, 8)
            change = rng.choice(("flip", "repeat", "lose"))
            if change == "flip":
                data[place] = rng.randrange(256)
            elif change == "repeat":
                data[place:place] = data[place : place + size]
            else:
                del data[place : place + size]
        path.write_bytes(bytes(data))
        try:
            read_model(path)
            ends["read"] += 1
        except EieError:
            ends["refused"] += 1
    assert min(ends.values()) > 20  # both happen, and nothing else


@pytest.mark.parametrize("field", [b"\x0a\x00", b"\x2a\x00", b"\x6a\x00"])
def test_a_graph_of_empty_parts_is_not_parsed(field, tmp_path):
    """Two bytes a part become two hundred, parsed."""
    graph = field * (2 << 20)
    length = len(graph)
    prefix = b""
    while length:
        prefix += bytes([length & 0x7F | (0x80 if length > 0x7F else 0)])
        length >>= 7
    (tmp_path / "m.onnx").write_bytes(b"\x08\x0a\x3a" + prefix + graph)
    assert "what is no numbers in it must take at most" in refused(tmp_path / "m.onnx")


@pytest.mark.parametrize("dims", [(1 << 40, 1 << 40), (-1, 4), (5, 5), (1 << 62,)])
def test_shapes_that_the_numbers_do_not_have(dims, tmp_path):
    made = model([GEMM])
    del made.graph.initializer[0].dims[:]
    made.graph.initializer[0].dims.extend(dims)
    assert "tensor 'W1'" in refused(save(made, tmp_path))


def test_tensors_of_other_types(tmp_path):
    made = model([GEMM])
    made.graph.initializer[0].CopyFrom(helper.make_tensor("W1", TensorProto.STRING, (1,), [b"a"]))
    assert "tensor 'W1' must hold real numbers or integers" in refused(save(made, tmp_path))


def test_constants_do_not_grow(tmp_path):
    """A few kilobytes would become gigabytes, and take them."""
    constants = {
        "column": np.ones((1 << 15, 1), np.float32),
        "row": np.ones((1, 1 << 15), np.float32),
        "many": np.array([1 << 20, 1 << 20]),
    }
    grow = [node("Add", "column row", "w"), node("Expand", "row many", "e")]
    for name in ("w", "e"):
        made = model([*grow, node("Gemm", f"x {name}", "y", name="fc1")], constants=constants)
        assert "in a way that is not supported" in refused(save(made, tmp_path))


def test_a_node_that_waits_for_itself(tmp_path):
    made = model([node("Add", "a W1", "a", name="loop"), node("Gemm", "x a", "y")])
    assert "which no node before it gives" in refused(save(made, tmp_path))


def test_names_cannot_steer_a_terminal(tmp_path):
    made = model([node("\x1b[2JFoo", "x", "y", name="\x1b]0;owned\x07" * 999)])
    message = refused(save(made, tmp_path))
    assert message.isprintable()
    assert len(message) < 600


def test_too_many_nodes(tmp_path):
    nodes = [node("Identity", f"v{n}" if n else "x", f"v{n + 1}") for n in range(20_000)]
    made = model([*nodes, node("Gemm", "v20000 W1", "y", transB=1)])
    assert "must have at most 20000 nodes, not 20001" in refused(save(made, tmp_path))


@pytest.mark.parametrize("contents", [b"", b"no model", b"\x00" * 99, b"PK\x03\x04"])
def test_files_that_are_no_model(contents, tmp_path):
    (tmp_path / "m.onnx").write_bytes(contents)
    assert str(tmp_path / "m.onnx") in refused(tmp_path / "m.onnx")
    assert "no model file at" in refused(tmp_path / "gone.onnx")
