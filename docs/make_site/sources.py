"""Copy of the package whose docstrings are Markdown, for the pages of the API.

The sources have what Sphinx and Python's own tools know: roles as ``:class:`Design```, and ``#:``
comments behind or above a field. mkdocstrings knows neither.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

_ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc|obj):`~?(?:[\w.]+\.)?(\w+)`")

#: A page that a docstring names; the API's pages lie two folders down.
_PAGE = re.compile(r"docs/((?:tutorial|how-to|reference|explanation)/([\w-]+)\.md)")


def copy_sources(root: Path, package: Path) -> None:
    """Write the sources of the rooms to `package`, with docstrings in Markdown."""
    for room, target in (("front", package), ("hls", package / "hls"), ("host", package / "host")):
        for path in sorted((root / room).rglob("*.py")):
            place = target / path.relative_to(root / room)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(in_markdown(path.read_text(encoding="utf-8")), encoding="utf-8")


def in_markdown(source: str) -> str:
    """Turn roles into code, and comments of fields into docstrings."""
    lines = source.splitlines()
    added: dict[int, str] = {}
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        for part in node.body:
            if isinstance(part, ast.AnnAssign | ast.Assign) and (text := _comment(lines, part)):
                indent = " " * part.col_offset
                added[part.end_lineno or part.lineno] = f'{indent}r"""{text}"""'
    out = []
    for number, line in enumerate(lines, 1):
        out.append(line)
        if number in added:
            out.append(added[number])
    text = _ROLE.sub(r"`\1`", "\n".join(out) + "\n")
    text = _PAGE.sub(r"[\2](../../\1)", text)
    return re.sub(r"::$(?=\n\n +\S)", ":", text, flags=re.MULTILINE)


def _comment(lines: list[str], part: ast.stmt) -> str:
    """Text of the ``#:`` comment of a field: behind it, or in the lines above."""
    last = lines[(part.end_lineno or part.lineno) - 1]
    if "#: " in last:
        return last.partition("#: ")[2].strip()
    above = []
    for line in reversed(lines[: part.lineno - 1]):
        if not line.strip().startswith("#: "):
            break
        above.append(line.strip().removeprefix("#: "))
    return " ".join(reversed(above))
