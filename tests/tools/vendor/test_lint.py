"""tclint has nothing to say about the generated scripts, nor about the mock."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def tclint():
    here = Path(sys.executable).parent
    command = shutil.which("tclint", path=str(here)) or shutil.which("tclint")
    if command is None:
        pytest.skip("tclint is not installed")

    def run(folder: Path) -> str:
        scripts = sorted(str(path) for path in folder.rglob("*.tcl"))
        assert scripts
        done = subprocess.run(
            [command, "--style-line-length", "100", *scripts],
            capture_output=True,
            text=True,
            cwd=folder,
        )
        return done.stdout + done.stderr

    return run


def test_generated_scripts(project, tclint):
    assert tclint(project) == ""


def test_the_mock(tclint):
    assert tclint(Path(__file__).parent) == ""


def test_a_mistake_is_seen(tmp_path, tclint):
    (tmp_path / "wrong.tcl").write_text("set a [expr $b + 1]\n")
    assert "wrong.tcl:1" in tclint(tmp_path)
