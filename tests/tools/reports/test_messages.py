"""The log of Vitis HLS: why loops miss their II, and which paths miss the clock."""

from __future__ import annotations

import pytest

from eie.hls.boundary.errors import InputError
from eie.hls.tools.reports import read_log
from eie.hls.tools.reports.messages import MissedClock, PathStep, PipelinedLoop

ENTRIES = "multiply_accumulate_0_Pipeline_entries"


def test_reads_a_log_of_2021(reports):
    log = read_log(reports / "logs/of_2021.log")
    assert log.loops == (
        PipelinedLoop("broadcast_4_0_true_Pipeline_tokens", "tokens", 1, 1, 2, ""),
        PipelinedLoop(
            *(ENTRIES, "entries", 1, 3, 14),
            # Of two reasons the one that the last II failed for.
            "[200-885] Unable to schedule 'load' operation ('codebooks_load') on array 'codebooks' "
            "due to limited memory ports (II = 2)",
        ),
    )
    (missed,) = log.clocks
    assert (missed.module, missed.estimated_ns, missed.budget_ns) == (
        *("broadcast_4_0_true_Pipeline_tokens", 8.311, 7.3),
    )
    assert [step.delay_ns for step in missed.path] == [3.4, 0, 1.51, 3.401]
    assert missed.path[0].operation == (
        "fifo read operation ('parent_read', broadcast.h:80) on port 'activations' (broadcast.h:80)"
    )


def test_reads_a_log_of_2024_with_an_earlier_run_in_it(reports):
    log = read_log(reports / "logs/of_2024.log")
    assert [each.module for each in log.loops] == [
        *(ENTRIES, "control_activations_Pipeline_section", "collect"),
    ]
    assert log.reason(ENTRIES, "entries") == (
        "[200-885] Unable to schedule 'load' operation 16 bit ('weight', "
        "multiply_accumulate.h:132) on array 'codebooks' due to limited memory ports (II = 1)"
    )
    assert log.loops[1] == PipelinedLoop(log.loops[1].module, "section", None, 1, 4, "")
    assert log.reason("collect", "layers") == (
        "[200-448] Lower bound of II is 2 due to multiple operations accessing core:RAM:saturated"
    )
    # A path that is the longest of its module, but not too long.
    assert log.clocks == ()
    assert log.reason("send_Pipeline_beats", "beats") == log.reason("nothing", "beats") == ""


def test_reads_a_log_of_2020(reports):
    (loop,) = read_log(reports / "logs/of_2020.log").loops
    assert (loop.module, loop.loop, loop.final_ii, loop.depth) == ("detect_nonzero", "layer", 2, 3)
    assert loop.reason == (
        "[204-68] Unable to enforce a carried dependence constraint (II = 1, distance = 1, "
        "offset = 0) between 'select' operation ('pending', detect_nonzero.h:72) and fifo read on "
        "port 'vectors' (detect_nonzero.h:56)"
    )


MODULE = "INFO: [HLS 200-42] -- Implementing module 'm'"
RESULT = "INFO: [HLS 200-1470] Pipelining result : Target II = 1, Final II = 2, Depth = 3, loop 'b'"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            "WARNING: [HLS 200-878] Unable to schedule the loop exit test ('icmp' operation 1 bit "
            "('icmp_ln27', ../kernel/send.h:78)) in the first pipeline iteration (II = 1 cycles).",
            "[200-878] Unable to schedule the loop exit test ('icmp' operation 1 bit "
            "('icmp_ln27', send.h:78)) in the first pipeline iteration (II = 1 cycles)",
        ),
        (
            "INFO: [HLS 200-2199] The II Violation in module 'm' (loop 'b'): Potential resource "
            "conflict between fifo read operation ('a', ./p.h:48) and fifo read operation ('b', "
            "./p.h:48) on common resource 'in'.",
            "[200-2199] Potential resource conflict between fifo read operation ('a', p.h:48) and "
            "fifo read operation ('b', p.h:48) on common resource 'in'",
        ),
        # A message that there is in no release read so far is passed over.
        ("WARNING: [HLS 200-9999] The II is what it is.", ""),
    ],
)
def test_knows_the_other_reasons(tmp_path, message, reason):
    path = tmp_path / "vitis_hls.log"
    start = "INFO: [SCHED 204-61] Pipelining loop 'b'."
    resolution = "Resolution: For help on it see docs"
    path.write_text(f"{MODULE}\n{start}\n{message}\n{resolution}\n{RESULT}\n")
    assert read_log(path).loops == (PipelinedLoop("m", "b", 1, 2, 3, reason),)


def test_a_reason_is_of_its_own_loop_alone(tmp_path):
    path = tmp_path / "hls.log"
    violation = "WARNING: [HLS 200-880] The II Violation in module 'm' (loop 'a'): Unable."
    first, second = (f"INFO: [SCHED 204-61] Pipelining loop '{name}'." for name in "ab")
    of_first = RESULT.replace("'b'", "'a'")
    path.write_text("\n".join([MODULE, first, violation, of_first, second, RESULT, ""]))
    assert [each.reason for each in read_log(path).loops] == ["[200-880] Unable", ""]


def test_a_path_without_its_clock_message_is_none_of_a_missed_clock(tmp_path):
    path = tmp_path / "hls.log"
    clock = (
        "WARNING: [HLS 200-871] Estimated clock period (5.844 ns) exceeds the target (target clock "
        "period: 3.330 ns, clock uncertainty: 0.899 ns, effective delay budget: 2.431 ns).\n"
    )
    step = "\t'mul' operation 32 bit ('quad', src/poly.cpp:17) [24]  (2.365 ns)\n"
    of = "WARNING: [HLS 200-1016] The critical path in module '{}' consists of the following:\n"
    module = "INFO: [HLS 200-42] -- Implementing module '{}'\n"
    path.write_text(
        module.format("poly") + clock + of.format("poly") + step
        + module.format("other") + of.format("other") + step
    )  # fmt: skip
    steps = (PathStep("'mul' operation 32 bit ('quad', poly.cpp:17)", 2.365),)
    assert read_log(path).clocks == (MissedClock("poly", 5.844, 2.431, steps),)


def test_a_log_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"cannot read log .*: No such file"):
        read_log(tmp_path / "hls.log")
