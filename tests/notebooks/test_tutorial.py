"""The notebooks of the tutorial run from top to bottom, and give what is shown on the site."""

from __future__ import annotations

import os
import re
import sys
import warnings
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytest.importorskip("sklearn", reason="the tutorial's digits")

FOLDER = Path(__file__).parents[2] / "docs" / "tutorial"
NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def printed(notebook) -> str:
    """What the cells print, but for numbers: training differs between processors."""
    text = "".join(
        output["text"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.get("name") == "stdout"
    )
    return " ".join(re.sub(r"[\d.,]*\d", "#", text).split())


def test_they_are_all_there():
    assert NOTEBOOKS == ["choosing-a-design", "first-network", "recurrent", "your-own-model"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_runs_and_prints_what_is_stored(name, tmp_path, monkeypatch):
    stored = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    notebook = nbformat.from_dict(stored)
    programs = str(Path(sys.executable).parent)  # where `eie` is, as in an activated environment
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    # Tests run on all cores already.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    shown = printed(stored)
    assert "the same bits: False" not in shown
    with warnings.catch_warnings():
        # Of the client itself, about its own event loop and sockets.
        warnings.simplefilter("ignore")
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()
    assert printed(notebook) == shown


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_stored_names_no_path_and_no_error(name):
    text = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work|Users)/", text)
    assert '"output_type": "error"' not in text
