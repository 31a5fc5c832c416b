"""The documents list what the code defines."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from eie.hls.spec.packets import COUNTER_ROWS, RECORDS, Kind, Section, Status
from eie.hls.spec.registers import REGISTERS
from eie.host.board_emulator import Faults

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def make_tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_tables", DOCS / "make_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def document() -> str:
    return (DOCS / "reference/packets.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "reference/packets.md",
        "reference/driver.md",
        "explanation/architecture.md",
        "reference/report.md",
        "reference/parameters.md",
    ],
)
def test_the_tables_are_up_to_date(make_tables, name):
    document = (DOCS / name).read_text(encoding="utf-8")
    assert make_tables.with_tables(name, document) == document, "run `make tables`"


def test_everything_defined_is_in_the_document(document):
    for enumeration in (Kind, Section, Status):
        for member in enumeration:
            assert f"| `{member.name}` | {int(member)} |" in document
    for record in RECORDS:
        assert f"### {record.name.upper()}\n\n{record.text}\n" in document
        for field in record.fields:
            bits = f"{field.offset % 64 + field.bits - 1}:{field.offset % 64}"
            assert f"| {field.offset // 64} | {bits} | `{field.name}` | {field.text} |" in document
    for register in REGISTERS:
        assert f"| 0x{register.offset:02x} | `{register.name}` |" in document
    for row, name in enumerate(COUNTER_ROWS):
        assert f"| {row} | `{name}` |" in document


def test_a_change_of_the_code_makes_the_document_out_of_date(make_tables, document, monkeypatch):
    monkeypatch.setattr(make_tables, "COUNTER_ROWS", (*COUNTER_ROWS, "late"))
    assert make_tables.with_tables("reference/packets.md", document) != document


def test_a_missing_marker_is_an_error(make_tables, document):
    with pytest.raises(SystemExit, match="must have a marker for each of"):
        without = document.replace("<!-- table kinds -->", "")
        make_tables.with_tables("reference/packets.md", without)


def test_every_fault_is_in_the_document():
    document = (DOCS / "reference/driver.md").read_text(encoding="utf-8")
    for field in dataclasses.fields(Faults):
        assert f"| `{field.name}` |" in document


def test_the_script_rewrites_the_files(make_tables, document, tmp_path, monkeypatch):
    for name in make_tables.tables():
        text = (DOCS / name).read_text(encoding="utf-8")
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.replace("| `IDENTIFY` | 1 |", "| `IDENTIFY` | 9 |"))
    monkeypatch.setattr(make_tables, "FOLDER", tmp_path)
    assert make_tables.main() == 0
    assert (tmp_path / "reference/packets.md").read_text() == document
