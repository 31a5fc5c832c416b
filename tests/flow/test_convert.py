from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import eie
from eie.hls.boundary.errors import DoesNotFitError, ModelError, NetworkFileError


@pytest.fixture(autouse=True)
def quietly():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", eie.EieWarning)
        yield


def test_modules_files_and_networks_give_the_same(acc, case, tmp_path):
    example = torch.zeros(2, 1, 4, 4, dtype=next(case.model.parameters()).dtype)
    program = torch.export.export(case.model, (example,))
    torch.export.save(program, tmp_path / "model.pt2")
    expected = acc.predict(case.x)
    arguments = {"board": "pynq-z2", "density": 0.6, "calibration": case.x}
    with pytest.raises(eie.EieError, match="input_shape must be None for an exported program"):
        eie.convert(program, input_shape=(16,))
    for model in (program, tmp_path / "model.pt2", str(tmp_path / "model.pt2")):
        made = eie.convert(model, **arguments)
        assert made.network.layers == acc.network.layers
        assert made.network.input_shape == (1, 4, 4)
    folder = acc.save(tmp_path / "saved")
    for given in (acc.network, folder / "network.npz"):
        for hardware in ({"board": "pynq-z2"}, {"design": folder / "design.toml"}):
            made = eie.convert(given, **hardware)
            assert made.network == acc.network
            assert made.design == acc.design
            assert (made.fit is None) == ("design" in hardware)
            assert np.array_equal(made.predict(case.x), expected)


def test_the_steps_give_the_same(acc, case):
    network = eie.compress(case.model, density=0.6, calibration=case.x)
    assert network == acc.network
    assert eie.fit(network, "pynq-z2").design == acc.design == acc.fit.design


@pytest.mark.parametrize("board", [None, "none"])
def test_without_a_board(acc, case, board):
    made = eie.convert(acc.network, board=board, pes=8)
    assert (made.design.board, made.design.pes) == ("none", 8)
    assert np.array_equal(made.predict(case.x), acc.predict(case.x))
    with pytest.raises(eie.EieError, match="build needs a board"):
        made.build()


def test_parameters_are_the_designs(acc):
    made = eie.convert(acc.network, board="KV260", pes=4, memory="uram")
    assert (made.design.board, made.design.pes, made.design.memory) == ("kv260", 4, "uram")


def test_weights_are_kept(case):
    with torch.no_grad():
        model = nn.Sequential(nn.Linear(4, 3))
        model[0].weight.copy_(torch.tensor([[0.5, 0, 0, 0.25]] * 3))
    made = eie.convert(model, keep_weights=True)
    assert made.network.layers[0].nonzeros == 6


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"board": "zx81"}, "board must be one of pynq-z1.*not 'zx81'"),
        ({"labels": [1, 2]}, "labels must be given with calibration"),
        ({"density": 0.5, "keep_weights": True}, "density must not be given with keep_weights"),
        ({"colour": 3}, "parameters must be among.*not colour"),
        ({"pes": 3}, "pes must be a power of two"),
        ({"calibration": "x"}, "calibration must be"),
        ({"design": "nowhere.toml"}, "nowhere.toml"),
    ],
)
def test_bad_arguments(case, keywords, message):
    with pytest.raises(eie.EieError, match=re.compile(message, re.S)):
        eie.convert(case.model, **keywords)


def test_labels_are_checked_before_compressing(case, monkeypatch):
    import eie.host.compress.pipeline as pipeline

    monkeypatch.setattr(pipeline, "compress_read", None)
    with pytest.raises(eie.EieError, match="labels must be one for each of 40 vectors, not 3"):
        eie.convert(case.model, calibration=case.x, labels=[0, 1, 2])


def test_a_network_takes_no_data(acc):
    with pytest.raises(eie.EieError) as caught:
        eie.convert(acc.network, density=0.5, calibration=np.zeros((1, 16)), labels=[1])
    for name in ("density", "calibration", "labels"):
        assert f"{name} must not be given with a network" in str(caught.value)


def test_a_design_takes_no_parameters_and_no_other_board(acc):
    with pytest.raises(eie.EieError, match="pes must not be given with a design") as caught:
        eie.convert(acc.network, design=acc.design, board="kv260", pes=4)
    assert "board must be left out or the design's, 'pynq-z2'" in str(caught.value)
    small = acc.design.replace(entries_per_pe=8, rows_per_pe=1, biases_per_pe=1)
    with pytest.raises(DoesNotFitError):
        eie.convert(acc.network, design=small)


def test_files_that_are_something_else(tmp_path, case):
    np.savez(tmp_path / "arrays.npz", a=np.zeros(3))
    with pytest.raises(NetworkFileError, match="not a valid network file"):
        eie.convert(tmp_path / "arrays.npz")
    torch.save(case.model.state_dict(), tmp_path / "model.pt")
    with pytest.raises(ModelError, match="state_dict"):
        eie.convert(tmp_path / "model.pt")
    with pytest.raises(eie.EieError, match="no model file"):
        eie.convert(tmp_path / "nothing.pt2")
    with pytest.raises(eie.EieError, match=r"model must be a torch\.nn\.Module"):
        eie.convert(3)


def test_warnings_name_the_callers_line(case):
    with pytest.warns(eie.EieWarning) as caught:
        eie.convert(case.model, density=0.1, calibration=case.x)
    assert {each.filename for each in caught} == {__file__}
