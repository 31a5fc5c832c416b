"""Hand-written reports, and changed copies of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FIXTURES = Path(__file__).with_name("fixtures")


@pytest.fixture(scope="session")
def reports() -> Path:
    """Folder of the hand-written reports."""
    return FIXTURES


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """Copy a report with one text in it replaced, which must be there; all places unless told."""

    def change(name: str, old: str, new: str, count: int = -1) -> Path:
        text = (FIXTURES / name).read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        path = tmp_path / Path(name).name
        path.write_text(text.replace(old, new, count), encoding="utf-8")
        return path

    return change


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Write a text to a file, the same one each time, as properties need it."""
    path = tmp_path_factory.mktemp("written") / "report"

    def write(text: str) -> Path:
        path.write_text(text, encoding="utf-8")
        return path

    return write
