"""The same model through every reader: the same network file, byte for byte, but for its origin."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

import eie
from eie.hls.boundary.errors import EieWarning
from eie.host.compress import compress, read_model
from eie.host.network import Network

SHAPE = (3, 4)


@pytest.fixture(scope="module")
def calibration():
    return np.random.default_rng(5).normal(size=(40, *SHAPE))


def network(model, calibration, **options) -> Network:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)
        made = compress(model, density=0.4, calibration=calibration, **options)
    return replace(made, metadata={**made.metadata, "model": "the same"})


@pytest.fixture(scope="module")
def wanted(mlp, calibration, tmp_path_factory):
    made = network(mlp, calibration)
    path = tmp_path_factory.mktemp("wanted") / "n.npz"
    made.save(path)
    return made, path.read_bytes()


@pytest.fixture
def same(wanted, calibration, tmp_path):
    """Fails unless a model gives the wanted file."""

    def _same(model, **options) -> None:
        made = network(model, calibration, **options)
        assert made == wanted[0]
        made.save(tmp_path / "n.npz")
        assert (tmp_path / "n.npz").read_bytes() == wanted[1]

    return _same


def test_a_saved_program(mlp, same, tmp_path):
    program = torch.export.export(
        mlp, (torch.zeros(2, *SHAPE),), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)
    )
    torch.export.save(program, tmp_path / "m.pt2")
    same(program)
    same(tmp_path / "m.pt2")


@pytest.mark.parametrize(
    "options",
    [
        {"dynamo": False},
        {"dynamo": False, "opset_version": 9},
        {"dynamo": False, "do_constant_folding": False},
        # With optimisation, that exporter folds the BatchNorm itself, in single precision.
        {"dynamo": True, "optimize": False},
    ],
)
def test_onnx(options, mlp, same, export_onnx, tmp_path):
    export_onnx(mlp, tmp_path / "m.onnx", SHAPE, **options)
    same(tmp_path / "m.onnx")
    same(str(tmp_path / "m.onnx"))


def test_onnx_whose_exporter_has_folded_the_batch_norm(mlp, export_onnx, tmp_path):
    export_onnx(mlp, tmp_path / "m.onnx", SHAPE, dynamo=True)
    with pytest.warns(EieWarning, match="Softmax, number .* at the end is left off"):
        found = read_model(tmp_path / "m.onnx").layers
    with pytest.warns(EieWarning, match="left off"):
        wanted = read_model(mlp, input_shape=SHAPE).layers
    assert [layer.name for layer in found] == [layer.name for layer in wanted]
    # Rounded once more to single precision: off by a few of its last places.
    step = np.spacing(np.abs(wanted[0].weights).astype(np.float32))
    assert np.abs(found[0].weights - wanted[0].weights).max() <= 3 * step.max()
    for one, other in zip(found[1:], wanted[1:], strict=True):
        assert np.array_equal(one.weights, other.weights)
        assert np.array_equal(one.bias, other.bias)


def test_keras(keras_mlp, same, tmp_path):
    same(keras_mlp)
    keras_mlp.save(tmp_path / "m.keras")
    same(tmp_path / "m.keras")


def test_a_state_dict_with_its_module(mlp, same, tmp_path):
    fresh = type(mlp)()
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    torch.save(mlp.state_dict(), tmp_path / "m.pth")
    same(fresh, state_dict=mlp.state_dict())
    same(fresh, state_dict=tmp_path / "m.pth")
    assert all(torch.equal(value, before[name]) for name, value in fresh.state_dict().items())


def test_convert_takes_them_all(mlp, calibration, export_onnx, keras_mlp, tmp_path):
    export_onnx(mlp, tmp_path / "m.onnx", SHAPE)
    keras_mlp.save(tmp_path / "m.keras")
    options = {"density": 0.4, "calibration": calibration, "pes": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)
        made = eie.convert(type(mlp)(), state_dict=mlp.state_dict(), **options)
        outputs = made.predict(calibration)
        for model in (tmp_path / "m.onnx", keras_mlp, tmp_path / "m.keras"):
            assert np.array_equal(eie.convert(model, **options).predict(calibration), outputs)
