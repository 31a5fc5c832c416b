"""Small tables for people: lines of text for a terminal, HTML for a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["as_html", "as_text"]


def as_text(rows: Iterable[Sequence[object]]) -> str:
    """Lay rows out in columns, two spaces apart; no line ends in spaces."""
    cells = [[str(cell) for cell in row] for row in rows]
    count = max(map(len, cells), default=0)
    widths = [max((len(row[n]) for row in cells if n < len(row)), default=0) for n in range(count)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def as_html(rows: Iterable[Sequence[object]], head: Sequence[object] = ()) -> str:
    """Lay rows out as an HTML table, with nothing in a cell taken for markup."""

    def line(cells: Sequence[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    lines = [line(head, "th")] if head else []
    lines += [line(row, "td") for row in rows]
    return "<table>" + "".join(lines) + "</table>"
