"""What the README shows runs as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from eie.hls.boundary.errors import LossWarning
from eie.hls.model.emulator import Emulator
from eie.host.board_emulator import EmulatedBoard
from eie.host.cli.main import main
from eie.host.compress import compress
from eie.host.search.fit import fit

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    """Code blocks of a language, in order."""
    text = README.read_text(encoding="utf-8")
    return [
        body
        for tag, body in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S)
        if tag == language
    ]


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 5)).eval()


@pytest.fixture
def samples() -> np.ndarray:
    return np.random.default_rng(0).random((6, 20)).astype(np.float32)


@pytest.fixture
def labels(model, samples) -> np.ndarray:
    with torch.no_grad():
        return model(torch.from_numpy(samples)).argmax(dim=1).numpy()


def test_the_first_example_runs(tmp_path, monkeypatch, capsys, model, samples, labels):
    monkeypatch.chdir(tmp_path)
    names = {"model": model, "x": samples, "y": labels}
    with pytest.warns(LossWarning, match="most of it comes from pruning"):  # as the README says
        exec(blocks("python")[0], names)
    assert (tmp_path / "digits" / "network.npz").is_file()
    assert (tmp_path / "report.html").is_file()
    assert (tmp_path / "digits.zip").is_file()
    code = [line for line in blocks("python")[0].splitlines() if line.strip()]
    assert len(code) <= 10
    assert sum("import" in line for line in code) == 1
    assert np.array_equal(names["outputs"], names["acc"].predict(samples))
    printed = capsys.readouterr().out
    assert "accuracy of the model: 100.00 % (6 of 6)" in printed
    assert "predicted latency of one vector" in printed
    names["acc"].close()


def test_the_retraining_example_runs(model, samples, labels):
    steps = []

    def train(model: nn.Module, after_step) -> None:
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.from_numpy(samples)).square().sum().backward()
            optimizer.step()
            after_step()
            weights = [part.weight for part in model.modules() if isinstance(part, nn.Linear)]
            steps.append(max(int(weight.count_nonzero()) / weight.numel() for weight in weights))

    names = {"model": model, "x": samples, "y": labels, "train": train}
    exec(blocks("python")[1], names)
    assert [round(share, 2) for share in steps] == [0.4] * 3 + [0.2] * 3 + [0.1] * 6
    assert all(layer.density <= 0.11 for layer in names["acc"].network.layers)


def test_the_driver_example_runs_on_the_emulated_board(monkeypatch, model, samples):
    with pytest.warns(LossWarning):  # a random model, pruned to a tenth
        network = compress(model, calibration=samples)
    design = fit(network, "pynq-z2").design
    with EmulatedBoard("pynq-z2", lambda: Emulator(design)) as board:
        monkeypatch.chdir(board.bitfile.parent)
        network.save("network.npz")
        names = {"inputs": samples}
        exec(blocks("python")[2], names)
    assert names["outputs"].shape == (6, 5)
    assert names["outputs"].dtype == np.float32


def test_the_commands_run(tmp_path, monkeypatch, model, samples):
    monkeypatch.chdir(tmp_path)
    torch.export.save(torch.export.export(model, (torch.zeros(1, 20),)), "model.pt2")
    np.save("samples.npy", samples)
    np.save("x.npy", samples)
    whole, single = (block for block in blocks("") if block.startswith("eie "))
    lines = [shlex.split(line, comments=True)[1:] for line in (whole + single).splitlines()]
    outputs = []
    for arguments in lines:
        if arguments[0] in ("build", "rtl-check"):
            continue  # need Vitis HLS and Vivado; tests/tools runs them with stand-ins
        assert main(arguments) == 0, arguments
        if "--outputs" in arguments:
            outputs.append(np.load("y.npy"))
    assert len(outputs) == 3
    np.testing.assert_array_equal(outputs[0], outputs[1])
    np.testing.assert_array_equal(outputs[0], outputs[2])


def test_every_file_that_it_links_is_there():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README.read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (README.parent / link).exists(), link
