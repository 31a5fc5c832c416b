"""docs/explanation/reliability.md: each program that tries eie writes its own part.

A part stands between a line ``<!-- part NAME -->`` and a line ``<!-- end -->``; everything else in
the page is left alone.
"""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "reliability.md"


def write_part(name: str, text: str, page: Path = PAGE) -> None:
    """Put `text` in the place of what the part `name` of the page says."""
    pattern = re.compile(rf"(<!-- part {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    # A function, so that nothing in the text means anything to re.
    changed, times = pattern.subn(
        lambda found: f"{found[1]}\n{text.strip()}\n\n{found[2]}", page.read_text(encoding="utf-8")
    )
    if times != 1:
        raise ValueError(f"{page} must have one part {name!r}, not {times}")
    page.write_text(changed, encoding="utf-8")
