"""Executed notebooks as pages."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import nbformat
from pages import with_links

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def notebook_page(notebook: Path, page: Path, root: Path) -> None:
    """Write a page of a notebook and what its cells gave, with pictures beside it."""
    place = root / "docs" / "tutorial" / page.name
    cells = nbformat.read(notebook, as_version=4).cells
    parts: list[str] = []
    for number, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            parts.append(with_links(cell.source, notebook, root, place))
        elif cell.source.strip():
            if cell.execution_count is None:
                raise SystemExit(f"{notebook}: cell {number} was not executed")
            parts += [_code(cell.source), *_outputs(cell.outputs, page, number)]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _code(source: str) -> str:
    """Show a cell; one that is a command as that."""
    if source.startswith("!"):
        return f"```sh\n{source.removeprefix('!').replace(chr(10) + '!', chr(10))}\n```"
    return f"```python\n{source}\n```"


def _outputs(outputs: list[Any], page: Path, number: int) -> list[str]:
    parts = []
    text = "".join(_text(output) for output in outputs)
    if text.strip():
        parts.append(f"```{{.text .output}}\n{_ANSI.sub('', text).rstrip()}\n```")
    for output in outputs:
        data = output.get("data", {})
        if "image/png" in data:
            picture = page.with_name(f"{page.stem}-{number}.png")
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_bytes(base64.b64decode(data["image/png"]))
            parts.append(f"![What the cell above draws]({picture.name})")
        elif "text/html" in data:
            parts.append(f'<div class="output">\n{data["text/html"].strip()}\n</div>')
    return parts


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text)
    data = output.get("data", {})
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}\n"
    return "" if {"image/png", "text/html"} & set(data) else str(data.get("text/plain", "")) + "\n"
