"""Every command and every block of Python on the site is run, or says why not."""

from __future__ import annotations

import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from code_blocks import DOCS, ROOT, RUN_ELSEWHERE, SHOWN, blocks, pages
from torch import nn

from eie.hls.spec.design import Design
from eie.host.cli.main import main
from eie.host.flow.digits import digits_network, save_program
from eie.host.flow.digits import test_digits as digits_data
from eie.host.network import Network
from eie.host.project.generate import generate

#: Vectors that pages get.
VECTORS = 60


@pytest.fixture(scope="module")
def workshop(tmp_path_factory) -> Path:
    """A folder with the files that pages speak of."""
    folder = tmp_path_factory.mktemp("workshop")
    network = Network.load(ROOT / "notebooks" / "digits.npz")
    design = Design.load(ROOT / "notebooks" / "design.toml")
    x, y = digits_data()
    save_program(digits_network(), folder / "model.pt2")
    for name in ("net.npz", "network.npz", "digits.npz"):
        network.save(folder / name)
    for name, array in {"x": x, "inputs": x, "y": y, "labels": y}.items():
        np.save(folder / f"{name}.npy", array[:VECTORS])
    design.save(folder / "design.toml")
    generate(design, folder / "project")
    return folder


def digits_model(network: Network) -> nn.Module:
    """Make a plain module with the weights of the program that lies in the workshop."""
    program = torch.export.load("model.pt2")
    parts = [
        part
        for layer in network.layers
        for part in (nn.Linear(layer.columns, layer.rows), nn.ReLU())
    ]
    model = nn.Sequential(*parts[:-1]).eval()
    model.load_state_dict(program.state_dict)
    return model


def of_site(path: Path) -> str:
    return path.relative_to(DOCS if DOCS in path.parents else ROOT).as_posix()


RUN = [
    path
    for path in pages()
    if any(not block.reason and block.language not in SHOWN for block in blocks(path))
]


@pytest.mark.parametrize("path", RUN, ids=of_site)
def test_what_a_page_shows_runs(path, workshop, tmp_path, monkeypatch, capsys):
    folder = shutil.copytree(workshop, tmp_path / "work")
    monkeypatch.chdir(folder)
    network = Network.load("net.npz")
    x, y = digits_data()
    names: dict[str, Any] = {
        "model": digits_model(network), "x": x[:VECTORS], "y": y[:VECTORS], "network": network,
        "design": Design.load("design.toml"), "inputs": network.golden_inputs,
    }  # fmt: skip
    for block in blocks(path):
        if block.reason or block.language in SHOWN:
            continue
        if block.language == "python" and of_site(path) in RUN_ELSEWHERE:
            continue
        where = f"{path}:{block.line}"
        if block.language == "python":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the exporters, too
                exec(compile(block.body, where, "exec"), names)
            continue
        for words in block.commands():
            assert words[0] == "eie", f"{where}: cannot run {words}: mark it, with the reason"
            assert main(words[1:]) == 0, f"{where}: {words}\n{capsys.readouterr().err}"


@pytest.mark.parametrize("path", pages(), ids=of_site)
def test_every_block_says_what_it_is(path):
    known = SHOWN | {"python", "sh", "console"}
    for block in blocks(path):
        assert block.language in known, f"{path}:{block.line} is {block.language!r}, not of {known}"
    # A mark that stands before nothing would hide nothing, and say that it does.
    marks = len(re.findall("^<!-- not run:", path.read_text(encoding="utf-8"), re.M))
    assert marks == sum(bool(block.reason) for block in blocks(path))


def test_every_target_of_make_that_a_page_names_is_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for path in [*pages(), ROOT / "README.md"]:
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M))
        assert named <= targets | {"simulate", "testbench"}, (path, named - targets)


def test_what_is_run_elsewhere_is():
    for page, place in RUN_ELSEWHERE.items():
        assert (DOCS / page).is_file()
        assert (ROOT / place).exists()
