"""Tables for a terminal and for a notebook."""

from __future__ import annotations

from eie.hls.boundary.tables import as_html, as_text


def test_columns_are_as_wide_as_their_cells():
    rows = [("a", 1, "x"), ("long", 22, "")]
    assert as_text(rows) == "a     1   x\nlong  22"
    assert as_text([]) == ""
    assert as_text([("a",), ("bb", "c")]) == "a\nbb  c"


def test_cells_are_no_markup():
    html = as_html([("<script>", "a & b")], head=("one", "two"))
    assert html == (
        "<table><tr><th>one</th><th>two</th></tr>"
        "<tr><td>&lt;script&gt;</td><td>a &amp; b</td></tr></table>"
    )
