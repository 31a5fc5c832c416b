"""Parts of a document that a run writes: between ``<!-- NAME -->`` and ``<!-- end -->``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from eie.hls.boundary.atomic import write_whole

__all__ = ["markdown_table", "write_section"]


def markdown_table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Lay out a Markdown table."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def write_section(document: Path, name: str, text: str) -> None:
    """Replace what stands between a document's markers; everything else is left alone."""
    before = document.read_text(encoding="utf-8")
    pattern = rf"<!-- {re.escape(name)} -->.*?<!-- end -->"
    after, count = re.subn(
        pattern, lambda _: f"<!-- {name} -->\n\n{text}\n\n<!-- end -->", before, flags=re.DOTALL
    )
    if count != 1:
        raise SystemExit(f"{document} must have one marker <!-- {name} -->, not {count}")
    write_whole(document, after)
