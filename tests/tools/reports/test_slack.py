"""Slack by module, before routing and after it, and what is said of a clock that is missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eie.hls.boundary.errors import InputError
from eie.hls.spec.design import Design
from eie.hls.tools.reports import (
    by_module,
    compare,
    module_slacks,
    read_csynth,
    read_log,
    read_paths,
    read_timing,
)
from eie.hls.tools.reports.module_slack import path_text
from eie.hls.tools.reports.path_slack import module_of
from eie.hls.tools.reports.slack_lines import path_lines, slack_lines

DESIGN = Design(pes=4, board="zcu104", clock_mhz=200)
TIMING = "missed_clock/timing.rpt"


@pytest.fixture
def csynth(reports):
    return read_csynth(reports / "missed_clock/csynth.xml")


@pytest.fixture
def log(reports):
    return read_log(reports / "missed_clock/hls.log")


def test_modules_are_listed_by_their_slack(csynth, log):
    found = module_slacks(csynth, log)
    assert [(each.modules, each.count, each.slack_ns) for each in found[:4]] == [
        # The loop itself before the modules around it, which have its path.
        ("broadcast_4_0_true_Pipeline_tokens", 1, -1.321),
        ("broadcast_4_0_true_s", 1, -1.321),
        ("eie", 1, -1.321),
        # PEs together, with the worst of them.
        ("multiply_accumulate_*_Pipeline_run", 4, -0.052),
    ]
    assert path_text(found[0].missed) == (
        "fifo read (broadcast.h:80) 1.64, icmp (broadcast.h:60) 0.85, select (broadcast.h:74) "
        "0.641, fifo write (broadcast.h:33) 1.84"
    )
    assert found[0].path_ns == pytest.approx(sum(step.delay_ns for step in found[0].missed.path))
    assert {each.missed for each in module_slacks(csynth)} == {None}


def test_all_that_miss_are_listed_and_some_of_those_that_meet(csynth, log):
    lines = slack_lines(csynth, log)
    assert lines[1] == (
        "Slack by module before routing (of 5.000 ns, 1.350 ns are kept), 7 others have more:"
    )
    assert len(lines) == 3 + 8
    assert sum("MISSED" in line for line in lines) == 4
    all_missed = replace(csynth, target_ns=2.0)
    assert sum("MISSED" in line for line in slack_lines(all_missed)) == 15
    assert slack_lines(replace(csynth, estimates=())) == []


def test_a_missed_clock_sends_to_the_slack_and_not_to_the_ii(csynth, log):
    findings = compare(DESIGN, csynth, log=log).findings()
    (missed,) = [each for each in findings if each.startswith("Missed clock: ")]
    assert "raises the estimated period and never the II" in missed
    # 4.971 ns of path are 73 % of the period.
    assert "146 MHz would be met" in missed
    met = replace(csynth, estimated_ns=3.65)
    assert not [each for each in compare(DESIGN, met).findings() if "Missed" in each]


def test_a_loop_above_one_has_the_reason_of_the_tool(csynth, log):
    def slow(**reports: object) -> str:
        (found,) = [
            each
            for each in compare(DESIGN, csynth, **reports).findings()
            if each.startswith("LOOP ABOVE II 1")
        ]
        return found

    start = "LOOP ABOVE II 1: multiply_accumulate_3_Pipeline_run: run has II 2, not 1, depth 16"
    assert slow() == start
    assert slow(log=log).startswith(
        f"{start}; the tool says: [200-880] Unable to enforce a carried dependence constraint"
    )
    assert "/home" not in slow(log=log)


def test_a_margin_that_is_not_the_designs_stands_out(csynth):
    def margins(percent: int) -> list[str]:
        design = DESIGN.replace(clock_uncertainty=percent)
        return [each for each in compare(design, csynth).findings() if each.startswith("Margin")]

    assert margins(27) == []
    assert margins(12) == ["Margin: NOT the design's 12 % for routing, but 27.0 %."]


def test_paths_are_put_together_by_modules(reports):
    paths = read_paths(reports / TIMING)
    # The one of a hold check is none of these.
    assert [each.slack_ns for each in paths] == [-0.333, -0.214, -0.101, 0.047]
    assert (paths[0].logic_ns, paths[0].route_ns, paths[0].levels) == (1.4, 3.8, 7)
    assert paths[0].slack_ns == read_timing(reports / TIMING).setup.worst_ns
    found = by_module(paths)
    assert [(each.modules, each.paths, each.failing) for each in found] == [
        ("broadcast_*_*_true to queue_*", 2, 2),
        ("multiply_accumulate_*", 1, 1),
        ("axi_dma_*", 1, 0),
    ]
    assert found[0].worst is paths[0]


@pytest.mark.parametrize(
    ("pin", "module"),
    [
        ("eie_i/eie_0/inst/column_fetch_3_U0/bank_0_U/ram_reg/C", "column_fetch_*"),
        ("eie_i/eie_0/inst/queue_2_U/U_fifo/mOutPtr_reg[1]/D", "queue_*"),
        ("eie_wrapper/eie_i/eie_0/inst/send_U0/crc_reg/D", "send"),
        ("eie_i/smartconnect_0/inst/m00_exit/a/C", "smartconnect_*"),
        ("eie_i/eie_0/ap_clk", "eie_*"),
        ("reset_reg/C", "reset_reg"),
    ],
)
def test_a_pin_has_its_module(pin, module):
    assert module_of(pin) == module


def test_a_report_that_lists_no_paths_has_none(reports):
    assert read_paths(reports / "kv260/timing.rpt") == ()
    assert path_lines(()) == []


def test_a_path_cut_short_is_no_path(reports, written):
    lines = (reports / TIMING).read_text().splitlines(keepends=True)
    start = next(number for number, line in enumerate(lines) if line.startswith("Slack (VIOL"))
    found = {len(read_paths(written("".join(lines[:end])))) for end in range(start, start + 11)}
    assert found == {0, 1}


def test_a_report_of_paths_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"cannot read report .*: No such file"):
        read_paths(tmp_path / "timing.rpt")
