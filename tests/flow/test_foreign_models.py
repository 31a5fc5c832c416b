"""A flow of a model that is not torch's: read, and made again when its weights change."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from onnx import TensorProto, external_data_helper, helper, numpy_helper

import eie
from eie.hls.boundary.errors import ModelError
from eie.host.flow.flow import Flow


@pytest.fixture
def onnx_model(tmp_path):
    """A model whose weights are in a file beside it."""
    weights = np.random.default_rng(1).normal(size=(5, 8)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "fc.weight"], ["y"], transB=1)],
        "one layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", 8))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("n", 5))],
        [numpy_helper.from_array(weights, "fc.weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    external_data_helper.convert_model_to_external_data(model, location="w.bin", size_threshold=0)
    external_data_helper.write_external_data_tensors(model, str(tmp_path))
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def first_step(model, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", eie.EieWarning)
        return next(Flow(model, "pynq-z2", folder / "out", density=1.0).run())


def test_weights_beside_the_model_are_part_of_it(onnx_model, tmp_path):
    assert not first_step(onnx_model, tmp_path).kept
    assert eie.Network.load(tmp_path / "out" / "network.npz").layers[0].name == "fc"
    assert first_step(onnx_model, tmp_path).kept
    data = tmp_path / "w.bin"
    data.write_bytes(bytes(4) + data.read_bytes()[4:])
    assert not first_step(onnx_model, tmp_path).kept


def test_a_model_of_a_sweep_is_read_once_more(onnx_model, tmp_path):
    from eie.host.flow.sweep import sweep_densities

    inputs = np.random.default_rng(2).normal(size=(20, 8))
    found = sweep_densities(onnx_model, inputs, densities=[0.5, 1.0], board="pynq-z2")
    assert [each.density for each in found.points] == [0.5, 1.0]


def test_what_is_missing_is_named(onnx_model, tmp_path):
    (tmp_path / "w.bin").unlink()
    with pytest.raises(eie.EieError, match=r"'w\.bin', which is missing"):
        first_step(onnx_model, tmp_path)
    with pytest.raises(ModelError, match="missing beside the model"):
        eie.convert(onnx_model)
