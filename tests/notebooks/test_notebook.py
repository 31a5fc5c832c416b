"""The notebook runs from top to bottom on the emulated board, and is delivered as pynq does it."""

from __future__ import annotations

import base64
import importlib.metadata
import re
import shutil
import warnings
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The notebook, executed in a folder of its own."""
    folder = tmp_path_factory.mktemp("notebook")
    for file in FOLDER.iterdir():
        shutil.copy(file, folder)
    notebook = nbformat.read(folder / "eie_digits.ipynb", as_version=4)
    with warnings.catch_warnings():
        # Of the client itself, about its own event loop and sockets.
        warnings.simplefilter("ignore")
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": folder}}).execute()
    return notebook


def texts(notebook) -> str:
    return "".join(
        output.get("text", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.get("name") == "stdout"
    )


def pictures(notebook) -> list[bytes]:
    return [
        base64.b64decode(output["data"]["image/png"])
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


def test_it_runs_and_counts_what_the_model_predicts(executed):
    printed = texts(executed)
    assert "emulated board with 8 PEs" in printed
    assert "golden vectors are right" in printed
    counted, predicted = re.search(r"cycles counted: (\d+)\s+predicted: (\d+)", printed).groups()
    assert counted == predicted
    assert len(pictures(executed)) == 2
    assert all(picture.startswith(b"\x89PNG") for picture in pictures(executed))


def test_the_one_in_the_repository_was_executed(executed):
    stored = nbformat.read(FOLDER / "eie_digits.ipynb", as_version=4)
    assert texts(stored) == texts(executed)
    assert len(pictures(stored)) == 2


def test_it_names_no_path_of_a_machine():
    assert not re.search(r"/(home|root|tmp|work|Users)/", (FOLDER / "eie_digits.ipynb").read_text())


@pytest.mark.parametrize("group", ["pynq.notebooks", "pynq.overlays"])
def test_pynq_finds_what_is_delivered(group):
    from pynqutils.setup_utils import ExtensionsManager

    (entry,) = [e for e in importlib.metadata.entry_points(group=group) if e.name == "eie"]
    folder = Path(ExtensionsManager.extension_path(entry.value))
    files = {file.name for file in folder.iterdir()}
    if group == "pynq.notebooks":
        assert {"eie_digits.ipynb", "digits.npz", "design.toml"} <= files
    else:
        assert "README.md" in files


def test_pynq_delivers_the_notebook(tmp_path):
    from pynqutils.setup_utils import ExtensionsManager, deliver_notebooks

    source = ExtensionsManager.extension_path("eie.notebooks")
    deliver_notebooks("any", source, str(tmp_path), "eie", folder=True, overlays_res_lookup=False)
    delivered = {file.name for file in (tmp_path / "eie").iterdir()}
    assert {"eie_digits.ipynb", "digits.npz", "design.toml"} <= delivered
