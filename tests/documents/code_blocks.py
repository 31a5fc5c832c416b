"""Code blocks of the site's pages: what is to be run, and what is not, with its reason."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: Tests that run the Python of a page with claims of their own.
RUN_ELSEWHERE = {
    "reference/driver.md": "tests/documents/test_driver_page.py",
    "reference/report.md": "tests/report/test_document.py",
    "how-to/exploring.md": "tests/search/explore/test_page.py",
    "explanation/first-steps.md": "benchmarks/first_steps",
}
#: Languages of blocks in which nothing can be run.
SHOWN = {"text", "toml", "mermaid", "json", "cpp"}
_FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+?) -->\n)?^```(?P<language>\w*)\n(?P<body>.*?)^```",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A block of code on a page."""

    language: str
    body: str
    #: Why it is not run; empty if it is.
    reason: str
    line: int

    def commands(self) -> Iterator[list[str]]:
        """Words of each command: all lines, or those behind a prompt."""
        for line in self.body.replace("\\\n", " ").splitlines():
            if self.language == "console":
                if not line.startswith("$ "):
                    continue
                line = line.removeprefix("$ ")
            if words := shlex.split(line, comments=True):
                yield words


def pages() -> list[Path]:
    """Every page of the site that is written by hand, and those of the repository in it."""
    records = DOCS / "decisions"
    found = [path for path in sorted(DOCS.rglob("*.md")) if records not in path.parents]
    return [*found, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]


def blocks(path: Path) -> list[Block]:
    """Blocks of a page, in order."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(
            found["language"], found["body"], found["reason"] or "",
            text[: found.start("language")].count("\n") + 1,
        )
        for found in _FENCE.finditer(text)
    ]  # fmt: skip
