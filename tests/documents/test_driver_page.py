"""What docs/reference/driver.md shows runs as it stands there, on the emulated board."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pynq", reason="the page is about the real pynq package")

from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.host.board_emulator import EmulatedBoard
from eie.host.network import Network

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "driver.md").read_text(encoding="utf-8")


def test_the_examples_run_one_after_the_other(monkeypatch, capsys):
    network = Network.load(ROOT / "notebooks" / "digits.npz")
    design = Design.load(ROOT / "notebooks" / "design.toml")
    names = {"inputs": network.golden_inputs}
    examples = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
    assert len(examples) == 5
    with EmulatedBoard(design.board, lambda: Emulator(design)) as board:
        monkeypatch.chdir(board.bitfile.parent)
        network.save("network.npz")
        design.save("design.toml")
        for example in examples:
            names.pop("outputs", None)
            exec(example, names)
            # The asynchronous one gives its batches one by one.
            outputs = np.concatenate(list(map(np.atleast_2d, names["outputs"])))
            assert np.array_equal(outputs, network.golden_outputs)
        monkeypatch.chdir("/")
    printed = capsys.readouterr().out
    assert f"{len(network.golden_inputs)} golden vectors are right" in printed
    assert "EieKernel False" in printed
    assert "timed out: no answer within 0.1 s" in printed


@pytest.mark.parametrize("name", re.findall(r"^\| `(\w+Error)`", PAGE, re.M))
def test_the_errors_it_names_are_there(name):
    from eie.hls.boundary import errors
    from eie.host.board import dma
    from eie.host.protocol import responses as answers

    assert any(hasattr(module, name) for module in (answers, dma, errors))
