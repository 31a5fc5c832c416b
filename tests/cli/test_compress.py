"""``eie compress`` on a small exported program."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="compressing reads torch models")

from eie.host.network import Network  # noqa: E402


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(20, 30), torch.nn.ReLU(), torch.nn.Linear(30, 10)
    ).eval()
    path = tmp_path_factory.mktemp("program") / "model.pt2"
    torch.export.save(torch.export.export(model, (torch.zeros(1, 20),)), path)
    return path


def test_compress_then_emulate(program, eie):
    ended = eie("compress", program, "--out", "new.npz", "--calibration", "x.npy")
    assert ended.status == 0
    # A random model has nothing that could be left out.
    assert re.fullmatch(
        r"eie: error \d+\.\d+ % rms of the model's outputs, on the calibration; median "
        r"vector .*: most of it comes from pruning .*: keep more weights \(--density 0.2, .*\n",
        ended.err,
    )
    assert "loss by step, median vector: pruning " in ended.out
    network = Network.load("new.npz")
    assert (network.inputs, network.outputs) == (20, 10)
    assert [layer.activation for layer in network.layers] == ["relu", "none"]
    ended = eie("emulate new.npz --inputs x.npy --outputs y.npy")
    assert ended.status == 0
    assert f"against its model: {network.metadata['error']}\n" in ended.out
    assert np.load("y.npy").shape == (3, 10)


def test_what_loses_little_is_not_warned_of(program, eie):
    ended = eie("compress", program, "--out", "new.npz", "--calibration", "x.npy", "--density", 1.0)
    assert (ended.status, ended.err) == (0, "")


def test_without_calibration_it_says_so(program, eie):
    ended = eie("compress", program, "--out", "new.npz")
    assert ended.status == 0
    assert ended.err.startswith("eie: compressed without calibration: how far ")
    assert ended.err.count("\n") == 1
    assert "formats: weights and unit-scale inputs: no input from -4 to 3.9998" in ended.out
    unknown = "not known: compressed without calibration"
    assert f"error: {unknown}\n" in ended.out
    assert f"error: {unknown}\n" in eie("info new.npz").out
    assert f"model: {unknown}\n" in eie("emulate new.npz --inputs x.npy --outputs y.npy").out


def test_what_is_lost_is_shown_by_info(program, eie):
    calibration = np.random.default_rng(0).normal(size=(200, 20))
    calibration[17, 3] = 1e6
    np.save("c.npy", calibration)
    compress = ("compress", program, "--out", "new.npz", "--density", 1.0, "--calibration", "c.npy")
    assert "1 input value (feature 3 of vector 17: 1e+06)" in eie(*compress).err
    described = eie("info new.npz").out
    assert "inputs: 1 calibration value cut off\n" in described
    assert re.search(r"worst (99|100)\.\d\d % \(vector 17\)\n", described)


def test_density_is_kept(program, eie):
    for density in (0.05, 0.5):
        assert eie("compress", program, "--out", "new.npz", "--density", density).status == 0
        layers = Network.load("new.npz").layers
        kept = sum(layer.nonzeros for layer in layers)
        assert kept == pytest.approx(density * (20 * 30 + 30 * 10), abs=2)


def test_density_of_each_layer(program, eie):
    options = [["--density", "0=0.2,2=1"], ["--density", "0=0.2", "--density", "2=1"]]
    for given in options:
        assert eie("compress", program, "--out", "new.npz", *given).status == 0
        layers = Network.load("new.npz").layers
        assert [layer.nonzeros for layer in layers] == [120, 300]


def test_weights_that_are_shared_already_are_kept(tmp_path_factory, eie):
    model = torch.nn.Linear(20, 10).eval()
    values = torch.tensor([0.0, 0.25, -0.5, 1.0])
    with torch.no_grad():
        model.weight.copy_(values[torch.arange(200).reshape(10, 20) % 4])
    path = tmp_path_factory.mktemp("program") / "shared.pt2"
    torch.export.save(torch.export.export(model, (torch.zeros(1, 20),)), path)
    ended = eie("compress", path, "--out", "new.npz", "--keep-weights")
    assert ended.status == 0
    assert "without calibration" in ended.err
    (layer,) = Network.load("new.npz").layers
    weights = layer.dense_weights() * 2.0**-layer.weight_frac
    assert np.array_equal(weights, model.weight.detach().numpy())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--keep-weights --density 0.1", "--density must not be given with --keep-weights"),
        ("--keep-weights", "15"),
        ("--keep-weights", "leave out --keep-weights and give --density 1.0, which prunes none"),
        ("--density 0=0.1,9=0.2", "layer '9' must be one of '0', '2'"),
        ("--density 0.1 --density 0.2", "must be one number for all layers"),
        ("--density 0", "density"),
        ("--density 1.5", "density"),
        ("--density nan", "density"),
        ("--calibration missing.npy", "no file missing.npy"),
        ("--calibration net.npz", "must be a .npy file"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message, program, refused):
    assert message in refused("compress", program, "--out", "new.npz", *options.split())


@pytest.mark.parametrize(
    "calibration", [np.full((3, 20), np.nan), np.zeros((3, 19)), np.zeros((3, 20), complex)]
)
def test_calibration_that_is_none_is_refused(calibration, program, refused):
    np.save("c.npy", calibration)
    refused("compress", program, "--out", "new.npz", "--calibration", "c.npy")


@pytest.mark.parametrize("name", ["missing.pt2", "net.npz", "design.toml", "project"])
def test_a_model_that_is_none_is_refused(name, refused):
    assert name in refused("compress", name, "--out", "new.npz")


@pytest.mark.parametrize("target", ["missing/new.npz", "project", "x.npy/new.npz", "."])
def test_a_network_that_cannot_be_written_is_refused(target, program, refused):
    assert "cannot write" in refused("compress", program, "--out", target)
