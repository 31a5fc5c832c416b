"""Reading Vivado's report_utilization."""

from __future__ import annotations

import dataclasses
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eie.hls.boundary.errors import InputError
from eie.hls.tools.reports import Resources, read_utilization

KV260 = "kv260/utilization.rpt"
ZYNQ = "pynq_z2/utilization.rpt"


def test_reads_ultrascale(reports):
    report = read_utilization(reports / KV260)
    assert (report.version, report.device) == ("2022.2", "xck26-sfvc784-2LV-c")
    assert report.state == "Routed"
    assert report.used == Resources(lut=12034, ff=15056, bram18=37, uram=4, dsp=2)
    assert report.available == Resources(lut=117120, ff=234240, bram18=288, uram=64, dsp=1248)
    assert report.block_ram_tiles == 18.5


def test_reads_zynq_7000(reports):
    report = read_utilization(reports / ZYNQ)
    assert (report.version, report.device) == ("2019.2", "7z020clg400-1")
    assert report.state == "Synthesized"
    assert report.used == Resources(lut=7326, ff=9116, bram18=46, uram=0, dsp=4)
    assert report.available == Resources(lut=53200, ff=106400, bram18=280, uram=0, dsp=220)


def test_two_bram18_need_not_share_a_tile(changed):
    path = changed(ZYNQ, "Block RAM Tile    |   23 ", "Block RAM Tile    |   42 ")
    report = read_utilization(path)
    assert (report.used.bram18, report.block_ram_tiles) == (46, 42)


def rearrange(text: str, generator: random.Random) -> str:
    """Bring sections, and rows and columns of tables, into another order; add columns and rows."""
    first, *sections = re.split(r"^(?=\d[\d.]* .*\n-+\n)", text, flags=re.M)
    generator.shuffle(sections)
    lines = []
    for line in "".join(f"{section.rstrip()}\n\n" for section in sections).splitlines():
        if not line.startswith("+"):
            lines.append(line)
        elif lines and lines[-1].startswith("|") and not lines[-2].startswith("+"):
            rows = [lines.pop()]
            while not lines[-1].startswith("+"):
                rows.insert(0, lines.pop())
            lines += [*table(lines, rows, generator), line]
        else:
            lines.append(line)
    return first + "\n".join(lines) + "\n"


def table(above: list[str], rows: list[str], generator: random.Random) -> list[str]:
    """Rearrange the rows below the header, which lies above the border that `above` ends with."""
    border = above.pop()
    header = above.pop()
    cells = [line.strip("|").split("|") for line in (header, *rows)]
    columns = [*range(len(cells[0])), -1]
    generator.shuffle(columns)
    lines = [
        [[*line, " New " if index == 0 else " 3 "][column] for column in columns]
        for index, line in enumerate(cells)
    ]
    body = [*lines[1:], [" New Row " if "Site" in cell else " 5 " for cell in lines[0]]]
    generator.shuffle(body)
    bars = ["|" + "|".join(line) + "|" for line in (lines[0], *body)]
    above.append(bars[0])
    return [border, *bars[1:]]


@pytest.mark.parametrize("name", [KV260, ZYNQ])
@given(seed=st.integers(0, 2**32))
def test_places_do_not_matter(reports, written, name, seed):
    text = (reports / name).read_text(encoding="utf-8")
    path = written(rearrange(text, random.Random(seed)))
    expected = dataclasses.replace(read_utilization(reports / name), path=path)
    assert read_utilization(path) == expected


def test_that_test_does_rearrange(reports):
    text = (reports / KV260).read_text(encoding="utf-8")
    other = rearrange(text, random.Random(1))
    headings = r"^\d.*(?=\n--)"
    assert sorted(re.findall(headings, other, re.M)) == sorted(re.findall(headings, text, re.M))
    assert re.findall(headings, other, re.M) != re.findall(headings, text, re.M)
    assert other.count("New Row") == text.count("Site Type") == 4
    assert other.count(" New ") == 5 + 4


@pytest.mark.parametrize("name", [KV260, ZYNQ])
@given(data=st.data())
def test_a_report_cut_short_is_never_read_wrongly(reports, written, name, data):
    text = (reports / name).read_text(encoding="utf-8")
    path = written(text[: data.draw(st.integers(0, len(text)))])
    expected = dataclasses.replace(read_utilization(reports / name), path=path)
    try:
        report = read_utilization(path)
    except InputError as error:
        assert str(path) in str(error)
    else:
        assert report == expected


@pytest.mark.parametrize("name", [KV260, ZYNQ])
def test_a_report_that_lost_a_line_is_never_read_wrongly(reports, written, name):
    lines = (reports / name).read_text(encoding="utf-8").splitlines(keepends=True)
    read = 0
    for index, line in enumerate(lines):
        path = written("".join(lines[:index] + lines[index + 1 :]))
        expected = dataclasses.replace(read_utilization(reports / name), path=path)
        try:
            report = read_utilization(path)
        except InputError:
            continue
        read += 1
        if line.startswith("| URAM"):  # compare() knows which parts have one
            assert (report.used.uram, report.available.uram) == (0, 0)
        elif line.startswith("| Design State"):
            assert report == dataclasses.replace(expected, state="")
        else:
            assert report == expected
    assert read > 20


@pytest.mark.parametrize(
    "row", ["CLB LUTs", "CLB Registers", "Block RAM Tile", "  RAMB36/FIFO*", "  RAMB18", "DSPs"]
)
def test_a_missing_row_is_named(changed, row):
    path = changed(KV260, f"| {row} ", f"| no {row} ")
    with pytest.raises(InputError, match=f"there must be a row .*{re.escape(row.strip(' *'))}"):
        read_utilization(path)


@pytest.mark.parametrize("text", ["-", "undef", "?", "~0", "   ", "<1", "nan", "-2", "2e3"])
@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("| DSPs           |    2 |", "DSP slices: Used must be a number"),
        ("     0 |          0 |      1248 |", "DSP slices: Available must be a number"),
    ],
)
def test_an_undefined_number_is_named(changed, cell, message, text):
    damaged = re.sub(r"\d+ \|$", f"{text} |", cell)
    with pytest.raises(InputError, match=message):
        read_utilization(changed(KV260, cell, damaged))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("| CARRY8   ", "| CLB LUTs ", "has row 'CLB LUTs' twice"),
        ("| CARRY8                  |", "| Slice LUTs              |", "LUTs: rows .* must agree"),
        ("| LUT as Logic                               |", "| CLB LUTs |", "LUTs: rows .* agree"),
        ("| Prohibited |", "| Used       |", "Site Type, Used and Available once each"),
        ("| Available |", "| Have      |", "Site Type, Used and Available once each"),
        (
            "| CARRY8                  |",
            "| CARRY8 | 7 |",
            "table at line 28 is cut short or damaged",
        ),
        (
            "| DSPs           |    2 ",
            "| DSPs           |  2.5 ",
            "Used must be an integer, not 2.5",
        ),
        (
            "| Block RAM Tile    | 18.5",
            "| Block RAM Tile    | 18.0",
            "18 block RAM tiles must hold",
        ),
        (
            "| Block RAM Tile    | 18.5",
            "| Block RAM Tile    | 24.0",
            "24 block RAM tiles must hold",
        ),
        ("| Device ", "| Gadget ", "the header must name the Device"),
        ("Vivado v.", "ISE ", "the header must name its Tool Version"),
    ],
)
def test_mistakes_are_found(changed, old, new, message):
    with pytest.raises(InputError, match=message):
        read_utilization(changed(KV260, old, new))


@pytest.mark.parametrize("end", ["", "\n5. CLOCK\n"])
def test_a_table_without_its_last_border_is_refused(reports, written, end):
    text = (reports / KV260).read_text(encoding="utf-8")
    row = "|   DSP48E2 only |    2 |       |            |           |       |\n"
    path = written(text[: text.index(row)] + row + end)
    with pytest.raises(InputError, match="table at line 88 is cut short or damaged"):
        read_utilization(path)


def test_rows_that_differ_between_tables_are_found(reports, written):
    text = (reports / KV260).read_text(encoding="utf-8")
    before, row, after = text.rpartition("| CLB Registers                              | 15056 ")
    path = written(before + row.replace("15056", "15057") + after)
    with pytest.raises(InputError, match="registers: rows CLB Registers must agree"):
        read_utilization(path)


def test_other_reports_are_refused(reports, written, tmp_path):
    with pytest.raises(InputError, match=r"one report of report_utilization, .* not 0 times"):
        read_utilization(reports / "kv260/timing.rpt")
    with pytest.raises(InputError, match=r"one report of report_utilization, .* not 2 times"):
        read_utilization(written((reports / KV260).read_text(encoding="utf-8") * 2))
    with pytest.raises(InputError, match="cannot read report"):
        read_utilization(tmp_path / "utilization.rpt")


def test_a_name_in_any_encoding_does_not_matter(reports, tmp_path):
    path = tmp_path / "utilization.rpt"
    path.write_bytes((reports / KV260).read_bytes().replace(b"nobody's", b"\xb5\xff"))
    assert read_utilization(path).used == read_utilization(reports / KV260).used
