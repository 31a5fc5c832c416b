"""Reading Vivado's report_timing_summary."""

from __future__ import annotations

import dataclasses
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eie.hls.boundary.errors import InputError
from eie.hls.tools.reports import Clock, Slack, read_timing

KV260 = "kv260/timing.rpt"
ZYNQ = "pynq_z2/timing.rpt"


def test_reads_timing_that_is_met(reports):
    timing = read_timing(reports / ZYNQ)
    assert (timing.version, timing.device) == ("2019.2", "7z020-clg400")
    assert timing.setup == Slack(0.221, 0.0, 0)
    assert timing.hold == Slack(0.018, 0.0, 0)
    assert timing.pulse_width == Slack(3.75, 0.0, 0)
    assert timing.clocks == (Clock("clk_fpga_0", 10.0, 100.0),)
    assert timing.met


def test_reads_timing_that_is_missed(reports):
    timing = read_timing(reports / KV260)
    assert (timing.version, timing.device) == ("2022.2", "xck26-sfvc784")
    assert timing.setup == Slack(-0.333, -13.146, 57)
    assert timing.hold == Slack(0.010, 0.0, 0)
    assert timing.pulse_width == Slack(1.512, 0.0, 0)
    assert timing.clocks == (Clock("clk_pl_0", 5.0, 200.0), Clock("clk_second", 3.333, 300.03))
    assert not timing.met


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("      0.221  ", "     -0.001  "),
        ("        0.018  ", "       -0.001  "),
        ("        3.750  ", "       -0.001  "),
        (
            "    0.000                      0                20485        0.018",
            "0.000  1  2  0.018",
        ),
    ],
)
def test_every_kind_of_constraint_counts(changed, old, new):
    assert not read_timing(changed(ZYNQ, old, new, 1)).met


def rearrange(text: str, title: str, generator: random.Random) -> str:
    """Bring the columns of a section's table into another order, and add one."""
    lines = text.split("\n")
    start = lines.index(f"| {title}")
    header = next(i for i in range(start + 2, len(lines)) if "(ns)" in lines[i])
    end = next(i for i in range(header, len(lines)) if not lines[i].strip())
    order = list(range(len(re.split("  +", lines[header].strip())) + 1))
    generator.shuffle(order)
    for index in range(header, end):
        extra = {header: "New Column", header + 1: "----------"}.get(index, "7")
        cells = [*re.split("  +", lines[index].strip()), extra]
        lines[index] = "   ".join(cells[column] for column in order) + "  "
    return "\n".join(lines)


@pytest.mark.parametrize("name", [KV260, ZYNQ])
@given(seed=st.integers(0, 2**32))
def test_the_order_of_columns_does_not_matter(reports, written, name, seed):
    generator = random.Random(seed)
    text = (reports / name).read_text(encoding="utf-8")
    for title in ("Design Timing Summary", "Clock Summary"):
        text = rearrange(text, title, generator)
    path = written(text)
    assert read_timing(path) == dataclasses.replace(read_timing(reports / name), path=path)


@pytest.mark.parametrize("name", [KV260, ZYNQ])
@given(data=st.data())
def test_a_report_cut_short_is_never_read_wrongly(reports, written, name, data):
    text = (reports / name).read_text(encoding="utf-8")
    path = written(text[: data.draw(st.integers(0, len(text)))])
    try:
        timing = read_timing(path)
    except InputError as error:
        assert str(path) in str(error)
    else:
        assert timing == dataclasses.replace(read_timing(reports / name), path=path)


def test_a_report_cut_in_its_last_table_is_never_read_wrongly(reports, written):
    text = (reports / KV260).read_text(encoding="utf-8")
    expected = read_timing(reports / KV260)
    start, end = text.index("| Clock Summary"), text.index("| Intra Clock Table")
    for length in range(start, end):
        path = written(text[:length])
        try:
            assert read_timing(path) == dataclasses.replace(expected, path=path)
        except InputError:
            continue


def test_a_report_that_lost_a_line_is_never_read_wrongly(reports, written):
    lines = (reports / KV260).read_text(encoding="utf-8").splitlines(keepends=True)
    for index, line in enumerate(lines):
        path = written("".join(lines[:index] + lines[index + 1 :]))
        expected = dataclasses.replace(read_timing(reports / KV260), path=path)
        try:
            timing = read_timing(path)
        except InputError:
            continue
        clocks = tuple(
            clock for clock in expected.clocks if not re.match(rf" *{clock.name} ", line)
        )
        assert timing == dataclasses.replace(expected, clocks=clocks)


def test_a_design_without_constraints_is_refused(reports, written):
    text = (reports / ZYNQ).read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("      0.221"))
    path = written(text.replace(row, re.sub(r"\S+", "NA", row), 1))
    with pytest.raises(InputError, match=r"WNS\(ns\) must be a number, not 'NA'"):
        read_timing(path)


@pytest.mark.parametrize("text", ["-", "undef", "?", "inf", "NA", "1e3", "12"])
def test_an_undefined_slack_is_named(changed, text):
    with pytest.raises(InputError, match=r"WHS\(ns\) must be a number, not"):
        read_timing(changed(ZYNQ, "        0.018  ", f"        {text}  ", 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "| Design Timing Summary",
            "| Other Summary",
            "one section 'Design Timing Summary', not 0",
        ),
        ("| Clock Summary", "| Design Timing Summary", "'Design Timing Summary', not 2"),
        ("WPWS(ns)", "Wpws(ns)", r"must have the columns WPWS\(ns\) once each"),
        ("THS(ns) ", "WHS(ns) ", r"must have the columns WHS\(ns\), THS\(ns\) once each"),
        ("Period(ns)", "Period(ps)", r"Clock Summary must have the columns Period\(ns\)"),
        ("   0.010  ", "   0.010  0.020  ", "must have 12 cells, not 13"),
        ("   0.010  ", "   ", "must have 12 cells, not 11"),
        ("   57  ", "   5.7  ", "TNS Failing Endpoints must be a number, not '5.7'"),
        ("5.000           200.000", "5.000           slow", r"Frequency\(MHz\) must be a number"),
        ("| Device ", "| Gadget ", "the header must name the Device"),
    ],
)
def test_mistakes_are_found(changed, old, new, message):
    with pytest.raises(InputError, match=message):
        read_timing(changed(KV260, old, new, 1))


def test_a_summary_has_one_row_and_there_is_a_clock(reports, written):
    text = (reports / ZYNQ).read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("      0.221"))
    with pytest.raises(InputError, match="Design Timing Summary must have one row, not 2"):
        read_timing(written(text.replace(row, f"{row}\n{row}", 1)))
    clock = next(line for line in text.splitlines() if line.startswith("clk_fpga_0  {"))
    with pytest.raises(InputError, match="Clock Summary must have a clock"):
        read_timing(written(text.replace(f"{clock}\n", "", 1)))


def test_other_reports_are_refused(reports, tmp_path):
    with pytest.raises(InputError, match=r"one report of report_timing_summary, .* not 0 times"):
        read_timing(reports / "kv260/utilization.rpt")
    with pytest.raises(InputError, match="cannot read report"):
        read_timing(tmp_path / "timing.rpt")
