"""The demo ends in one line where it cannot go on."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def demo(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return importlib.import_module("demo")


def test_an_interrupt_is_one_line(demo, tmp_path, monkeypatch, capsys):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", interrupted)
    assert demo.main(["--out", str(tmp_path)]) == 130
    assert capsys.readouterr() == ("", "demo: interrupted\n")


@pytest.mark.parametrize("out", ["file", "file/deeper", "folder"])
def test_an_out_that_cannot_be_written_is_one_line(demo, tmp_path, monkeypatch, capsys, out):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder" / "digits.npz").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "run", lambda *_: pytest.fail("nothing can be written"))
    assert demo.main(["--out", out]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("demo: cannot write ")
    assert out in printed.err
    assert printed.err.count("\n") == 1
