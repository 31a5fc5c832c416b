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
from eie.host.cli.main import _parse

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


def test_its_commands_are_there():
    commands = [line for block in blocks("") for line in block.splitlines()]
    assert [line.split()[0] for line in commands] == ["make", ".venv/bin/eie"]  # two, and no more
    text = README.read_text(encoding="utf-8")
    for words in re.findall(r"(?:`|/)eie ([a-z-]+[^`\n#]*)", text):
        # Everything that it says is parsed, with its options; docs/how-to/step-by-step.md runs it.
        assert _parse(shlex.split(words)).command


def test_what_was_not_done_is_said_on_the_first_screen():
    text = README.read_text(encoding="utf-8")
    said = text.index("Nothing here has been synthesised by Vitis HLS, built by Vivado or run on")
    assert text[:said].count("\n") < 30


def test_every_file_that_it_links_is_there():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README.read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (README.parent / link).exists(), link
