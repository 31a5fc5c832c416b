"""A model with convolutions, converted in one call: both of its parts on every engine."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import warnings
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

import eie
from eie.host.cli.main import main
from eie.host.compress import TorchReference
from eie.host.network.head_record import HeadRecord


class Small(nn.Module):
    """A convolution, a head, and what comes behind it."""

    def __init__(self, behind: nn.Module) -> None:
        super().__init__()
        self.front = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Flatten())
        self.head = nn.Sequential(nn.Linear(36, 12), nn.ReLU(), nn.Linear(12, 5))
        self.behind = behind

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.behind(self.head(self.front(x)))


class Class(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.argmax(-1)


def positions() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2),
        nn.ReLU(),
        nn.Conv2d(4, 8, 1),
        nn.ReLU(),
        nn.Conv2d(8, 5, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


MODELS = {
    "whole head": lambda: Small(nn.Identity()),
    "probabilities": lambda: Small(nn.Softmax(-1)),
    "classes": lambda: Small(Class()),
    "positions": positions,
}
ENGINES = ("emulator", "c++", "board")


@pytest.fixture(autouse=True)
def quietly():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", eie.EieWarning)
        yield


def made(name: str, **keywords):
    """Convert a model; also gives it, inputs, and the classes that it says."""
    torch.manual_seed(5)
    model = MODELS[name]().eval()
    x = np.random.default_rng(0).normal(size=(40, 1, 8, 8)).astype(np.float32)
    with torch.no_grad():
        result = model(torch.from_numpy(x))
    y = (result if result.ndim == 1 else result.argmax(1)).numpy()
    keywords = {"board": "pynq-z2", "density": 1.0, "calibration": x, "labels": y} | keywords
    return eie.convert(model, **keywords), model, x, y


# One that goes on behind the accelerator, and one with a batch of positions: the others are these.
@pytest.mark.parametrize("name", ["classes", "positions"])
def test_every_engine_gives_the_same(name):
    acc, _, x, _ = made(name)
    # What goes into the accelerator, by the integer reference.
    codes = eie.quantize_inputs(acc.network, acc.features(x))
    values = TorchReference(acc.network)(codes) * np.float32(2.0**-acc.network.output_frac)
    expected = acc.host.finish(values.astype(np.float32))
    with acc:
        for engine in ENGINES:
            assert np.array_equal(acc.predict(x, engine=engine), expected)
    assert np.array_equal(acc.predict(x.reshape(40, -1)), expected)
    assert acc.predict(x[0]).shape == expected.shape[1:]


@pytest.mark.parametrize("name", list(MODELS))
def test_both_parts_are_judged_and_saved(name, tmp_path):
    acc, model, x, y = made(name)
    found = acc.evaluate(x, y)
    assert (found.vectors, found.float_correct) == (40, 40)
    assert found.correct == int((acc.host.scores(_head(acc, x))[0].argmax(1) == y).sum())
    assert acc.evaluate(x) == acc.findings.evaluation.__class__(
        40, same_class=found.same_class, rms_error=found.rms_error
    )
    vectors = 40 * acc.host.record.vectors
    assert acc.compare(x).vectors == acc.compare(model, x).vectors == vectors
    assert {len(each) for each in acc.trace(x).values()} == {vectors}
    folder = acc.save(tmp_path)
    again = eie.AcceleratedModel.load(folder)
    assert np.array_equal(again.predict(x), acc.predict(x))
    assert again.evaluate(x, y).correct == found.correct


def _head(acc, x):
    codes = eie.quantize_inputs(acc.network, acc.features(x))
    return eie.emulate(acc.network, acc.design, codes).outputs * 2.0**-acc.network.output_frac


def test_the_user_sees_the_cut(tmp_path):
    with pytest.warns(eie.EieWarning, match=r"the model is cut: 'head.0', 'head.2' .* on the host"):
        acc, *_ = made("whole head")
    text = str(acc.summary())
    assert "on the host, with torch, 1 conv2d, 1 relu before it (1x8x8 -> 36)" in text
    assert "324 on the host (40 parameters), 492 on the accelerator (60.3 % of all)" in text
    assert "calibration: 40 inputs went through the host's part" in text
    assert "before it" in str(eie.AcceleratedModel.load(acc.save(tmp_path)).summary())
    acc.report(tmp_path / "report.html")
    acc.report(tmp_path / "report.json")
    page = (tmp_path / "report.html").read_text()
    assert "Where the model is cut" in page
    host = json.loads((tmp_path / "report.json").read_text())["host"]
    assert (host["multiply_adds"], host["head_multiply_adds"], host["calibrated"]) == (324, 492, 40)
    several, *_ = made("positions")
    assert "9 vectors of 4" in str(several)
    assert "time of an input on the accelerator, 9 vectors" in str(several)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 7, 7)), r"x must have shape \(batch, 1, 8, 8\), or be flat, not \(2, 7, 7\)"),
        (np.full((2, 1, 8, 8), np.nan), "x must be finite"),
        (np.zeros((2, 36)), r"x must have shape \(batch, 1, 8, 8\)"),
    ],
)
def test_inputs_are_those_of_the_whole_model(x, message):
    acc, *_ = made("whole head")
    with pytest.raises(eie.EieError, match=message):
        acc.predict(x)


def test_a_network_takes_no_cut():
    acc, *_ = made("whole head")
    with pytest.raises(eie.EieError, match="cut must not be given with a network"):
        eie.convert(acc.network, cut="head")
    with pytest.raises(eie.EieError, match=r"calibration must have shape \(n, 1, 8, 8\)"):
        made("whole head", calibration=np.zeros((40, 1, 9, 9)), input_shape=(1, 8, 8))


def test_a_record_of_another_network_is_refused(tmp_path):
    acc, *_ = made("whole head")
    acc.save(tmp_path)
    record = HeadRecord.of(acc.network)
    other = dataclasses.replace(record, features=(2, 9))
    metadata = {**acc.network.metadata, "head": other.as_text()}
    dataclasses.replace(acc.network, metadata=metadata).save(tmp_path / "network.npz")
    with pytest.raises(eie.EieError, match="the record of what the host does must be of this"):
        eie.AcceleratedModel.load(tmp_path)


def test_without_torch_the_head_still_runs(tmp_path, monkeypatch):
    acc, _, x, _ = made("whole head")
    folder = acc.save(tmp_path)
    features, expected = acc.features(x), acc.predict(x)
    for name in [each for each in sys.modules if each.startswith("eie.host.cut")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"torch must be installed.*takes the head alone"):
        eie.AcceleratedModel.load(folder)
    head = eie.convert(folder / "network.npz", design=folder / "design.toml")
    assert np.array_equal(head.predict(features), expected)
    with pytest.raises(eie.EieError, match=r"the head of a model whose inputs have shape 1x8x8"):
        head.predict(x)


@pytest.mark.parametrize("name", ["whole head", "positions"])
def test_a_package_says_what_is_not_on_the_board(name, tmp_path):
    acc, *_ = made(name)
    acc.package(tmp_path / "package.zip")
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        names = {each.partition("/")[2] for each in archive.namelist()}
        readme = archive.read(next(each for each in archive.namelist() if "README" in each))
    assert {f"host/{each}" for each in acc.host.names} <= names
    text = readme.decode()
    assert "**The network is the head of a model.**" in text
    assert "this board needs torch only for that" in text
    assert ("9 vectors for each input" in text) == (name == "positions")


def test_the_flow_cuts_and_keeps(tmp_path, capsys):
    _, model, x, y = made("probabilities")
    program = torch.export.export(model, (torch.zeros(2, 1, 8, 8),))
    torch.export.save(program, tmp_path / "model.pt2")
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    out = tmp_path / "out"
    command = ["flow", str(tmp_path / "model.pt2"), "--board", "pynq-z2", "--out", str(out)]
    command += ["--data", str(tmp_path / "x.npy"), str(tmp_path / "y.npy"), "--density", "1"]
    assert main(command) == 0
    done = capsys.readouterr()
    assert "cut: head.0, head.2 on the accelerator" in done.out
    assert "the model is cut" in done.err
    assert re.search(r"run +done +driver on an emulated board .*equal to the emulator's", done.out)
    assert (out / "host.pt2").is_file()
    assert (out / "host-behind.pt2").is_file()
    assert main(command) == 0
    assert set(re.findall(r"^\w+ +(\w+) ", capsys.readouterr().out, re.M)) >= {"kept"}
    acc = eie.AcceleratedModel.load(out)
    assert np.allclose(acc.predict(x).sum(1), 1)
    assert main([*command, "--cut", "head.2"]) == 0
    assert "since cut is head.2 now, not given before" in capsys.readouterr().out
    assert HeadRecord.of(eie.Network.load(out / "network.npz")).features == (12,)
    assert main([*command, "--cut", "no"]) == 2
    assert "module 'front.0' of type Conv2d" in capsys.readouterr().err


def test_compress_writes_both_parts(tmp_path, capsys):
    _, model, x, y = made("classes")
    torch.export.save(torch.export.export(model, (torch.zeros(2, 1, 8, 8),)), tmp_path / "m.pt2")
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    out = tmp_path / "net.npz"
    given = ["--calibration", str(tmp_path / "x.npy"), "--labels", str(tmp_path / "y.npy")]
    assert main(["compress", str(tmp_path / "m.pt2"), "--out", str(out), *given]) == 0
    printed = capsys.readouterr().out
    assert f"wrote {tmp_path / 'host.pt2'}, {tmp_path / 'host-behind.pt2'}" in printed
    assert "on the calibration: accuracy" in printed
    assert "head of a model: before it, on the host with torch, 1 conv2d, 1 relu" in printed
    assert "behind it 1 argmax (-> 1)" in printed
    assert '"digest"' not in printed
    sweep = ["compress", str(tmp_path / "m.pt2"), "--sweep", "0.5,1", *given]
    assert main(sweep) == 0
    assert "100.00 %" in capsys.readouterr().out
