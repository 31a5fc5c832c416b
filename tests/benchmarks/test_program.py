"""The command line of the benchmark."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as program
from benchmarks.results import Results


@pytest.fixture
def tiny(monkeypatch):
    """Layers so small that a part takes no time."""
    layers = tuple(layer.shrunk(48) for layer in program.LAYERS)
    monkeypatch.setattr(program, "LAYERS", layers)


def test_parts_are_added_to_what_is_there(tiny, tmp_path, capsys):
    assert program.main(["--only", "width", "--out", str(tmp_path)]) == 0
    assert program.main(["--only", "queue", "--out", str(tmp_path)]) == 0
    assert list(Results.load(tmp_path / "evaluation.json").parts) == ["width", "queue"]
    assert "queue: NT-LSTM" in capsys.readouterr().out


def test_the_page_can_be_written_again(tiny, tmp_path):
    assert program.main(["--only", "width", "--out", str(tmp_path)]) == 0
    path = tmp_path / "evaluation.md"
    text = path.read_text()
    path.unlink()
    assert program.main(["--page", "--out", str(tmp_path)]) == 0
    assert path.read_text() == text


def test_a_quick_run_does_not_mix_with_a_full_one(tiny, tmp_path, capsys):
    assert program.main(["--only", "width", "--out", str(tmp_path)]) == 0
    assert program.main(["--quick", "--only", "width", "--out", str(tmp_path)]) == 2
    assert "divided by 8, not 1" in capsys.readouterr().err


def test_a_damaged_file_is_bad_input(tmp_path, capsys):
    (tmp_path / "evaluation.json").write_text("{")
    assert program.main(["--page", "--out", str(tmp_path)]) == 2
    assert "evaluation.json must be a file that this benchmark wrote" in capsys.readouterr().err


def test_unknown_parts_are_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        program.main(["--only", "astrology"])
    assert stopped.value.code == 2
    assert "astrology" in capsys.readouterr().err
