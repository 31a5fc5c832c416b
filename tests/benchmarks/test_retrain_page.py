"""docs/how-to/retrain.md has the tables of what retrain.json keeps, and its goal is reached."""

from __future__ import annotations

import json

import pytest

from benchmarks import retrain
from benchmarks.sections import markdown_table, write_section


def test_the_page_has_what_was_measured():
    kept = json.loads(retrain.KEPT.read_text(encoding="utf-8"))
    page = retrain.PAGE.read_text(encoding="utf-8")
    for table in retrain._tables(kept).values():
        assert table in page
    for name, heads in (("goal", retrain._HEADS), ("bits", retrain._BITS_HEADS)):
        rows = [
            dict(zip(heads, row, strict=True))
            for each in kept.values()
            for row in each.get(name, ())
        ]
        assert len(rows) >= len(retrain.SEEDS)
        for row in rows:
            assert float(row["loss"]) <= retrain.GOAL
            assert row["engines"].endswith("same")


def test_a_section_is_replaced_alone(tmp_path):
    document = tmp_path / "page.md"
    document.write_text("before\n<!-- a -->\nold\n<!-- end -->\n<!-- b -->\nkept\n<!-- end -->\n")
    write_section(document, "a", markdown_table(("x",), [(1,), ("\\1",)]))
    assert document.read_text() == (
        "before\n<!-- a -->\n\n| x |\n| --- |\n| 1 |\n| \\1 |\n\n<!-- end -->\n"
        "<!-- b -->\nkept\n<!-- end -->\n"
    )
    with pytest.raises(SystemExit, match="must have one marker <!-- c -->, not 0"):
        write_section(document, "c", "")
