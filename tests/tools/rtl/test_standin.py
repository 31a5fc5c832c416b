"""Golden packets played into the stand-in for RTL, as it is and with each of its faults."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from eie.hls.boundary.errors import ToolError
from eie.hls.spec.packets import DESIGN, HEADER, STATUS, TRAILER
from eie.hls.tools.rtl.check import RtlError, check_rtl, judge_passes, passes_of
from eie.hls.tools.rtl.judge import run_times
from eie.hls.tools.rtl.recording import Pass
from eie.hls.tools.rtl.simulator import Simulator
from eie.hls.tools.rtl.sources import RtlSources, rtl_folder
from eie.hls.tools.rtl.verdict import verdict_file, verdict_of

# One process, so that the stand-in is compiled once.
pytestmark = pytest.mark.xdist_group("rtl")
PLAIN, SHORT, LONG = passes_of(1)
#: Beats of an answer that says what design it is.
IDENTITY = HEADER.beats + DESIGN.beats + STATUS.beats + TRAILER.beats


@pytest.fixture
def first(exchanges):
    """Packets up to the first run and its counters, and a short patience."""
    names = [each.name for each in exchanges]
    few = exchanges[: names.index("counters") + 1]
    return [dataclasses.replace(each, patience=1200) for each in few]


def test_the_stand_in_passes_with_and_without_stalls(simulation, exchanges, synthesised):
    seen = simulation.play(exchanges, (PLAIN, SHORT, LONG))
    judge_passes(exchanges, seen, RtlSources.load(rtl_folder(synthesised)))
    assert [len(each.exchanges) for each in seen] == [len(exchanges)] * 3
    times = run_times(exchanges, seen[0])
    assert times[0].name == "run_dense"
    for time in times:
        assert time.model <= time.register == time.measured
    # Stalls were there: the same took longer, and answers were held up.
    assert seen[0].cycles < seen[1].cycles < seen[2].cycles
    assert all(each.answer[-1].stalled == 0 for each in seen[0].exchanges)
    assert seen[1].exchanges[-1].answer[-1].stalled > 50


def test_the_same_seed_gives_the_same_stalls(simulation, first):
    plans = [Pass("stalls", seed, 0.3, 0.3, 4) for seed in (3, 3, 4)]
    seen = [simulation.play(first[:4], [plan]) for plan in plans]
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize(
    ("fault", "plan", "messages"),
    [
        ("wrong_word", PLAIN, [r"packet run_dense: beat 5 of 32 must be 0x\w+, not 0x\w+$"]),
        (
            "no_last",
            PLAIN,
            [
                r"run_without_network: TLAST must be on beat 3, the answer's last: it is nowhere",
                r"packet run_without_network: waited 1200 cycles for TLAST: all 4 beats of the ans",
            ],
        ),
        (
            "hang_answer",
            PLAIN,
            [r"packet run_dense: waited 1200 cycles for packets_out_TVALID with beat 5 of 32 of t"],
        ),
        (
            "hang_request",
            PLAIN,
            [r"run_without_network: waited 1200 cycles for packets_in_TREADY to take beat 10 "],
        ),
        ("few_cycles", PLAIN, [r"register cycles says \d+, fewer than the model's \d+: work was"]),
        ("few_cycles", SHORT, [r"says \d+, and \d+ in which its answer was held up, fewer than"]),
        ("early", PLAIN, [r"last output came 54 cycles after the run's header, sooner than the"]),
        ("early", SHORT, [r"last output came \d+ cycles after the run's header, sooner than the"]),
        ("extra_beat", PLAIN, [r"packet load: nothing must come behind the answer's TLAST, but 1"]),
        ("wrong_keep", PLAIN, [r"counters_at_power_up: TKEEP of beat 6 must be 0xff, not 0xf"]),
        ("wrong_register", PLAIN, [r"packet identify: register errors must be 0x0, not 0x2"]),
        (
            "lost_beat",
            SHORT,
            [
                r"played with short stalls",
                r"packet identify: beat 3 of the answer changed while it waited for packets_out_TR",
                rf"identify: the answer must have {IDENTITY} beats up to TLAST, not {IDENTITY - 1}",
            ],
        ),
        ("power_up", PLAIN, [r"packet counters_at_power_up: beat 3 of 7 must be 0x0, not 0x5"]),
        (
            "no_restart",
            PLAIN,
            [r"identify: waited 1200 cycles for packets_in_TREADY to take beat 0"],
        ),
        (
            "deaf",
            PLAIN,
            [r"before the first packet: waited 1200 cycles for s_axi_control to"],
        ),
        (
            "unasked",
            PLAIN,
            [rf"identify: waited for an end of the answer: \d+ beats came, {IDENTITY} were"],
        ),
    ],
)
def test_a_fault_is_named(simulation, first, synthesised, standin, fault, plan, messages):
    seen = simulation.play(first, [plan], arguments=[f"+fault={standin.FAULTS[fault]}"])
    with pytest.raises(RtlError) as caught:
        judge_passes(first, seen, RtlSources.load(rtl_folder(synthesised)))
    for message in messages:
        assert re.search(message, str(caught.value), re.MULTILINE), str(caught.value)


def test_a_crc_that_is_not_checked(simulation, exchanges, synthesised, standin):
    seen = simulation.play(exchanges, [PLAIN], arguments=[f"+fault={standin.FAULTS['no_crc']}"])
    # The network's number, where there must be none.
    taken = r"packet damaged_load: beat 2 of 4 must be 0x6, not 0x[0-9a-f]{1,8}00000000\n"
    with pytest.raises(RtlError, match=taken):
        judge_passes(exchanges, seen, RtlSources.load(rtl_folder(synthesised)))


def test_a_beat_lost_in_a_stall_does_not_show_without(simulation, first, synthesised, standin):
    fault = [f"+fault={standin.FAULTS['lost_beat']}"]
    sources = RtlSources.load(rtl_folder(synthesised))
    judge_passes(first, simulation.play(first, [PLAIN], arguments=fault), sources)


def test_rtl_of_another_design_says_which(simulation, first, synthesised, standin):
    """The constants of the design are in a memory file, which the simulation reads."""
    standin.write_record(simulation.folder, standin.STANDIN.replace(queue_depth=64))
    try:
        seen = simulation.play(first[:2], [PLAIN])
    finally:
        standin.write_record(simulation.folder, standin.STANDIN)
    with pytest.raises(RtlError, match=r"it is RTL of another design, .*: queue_depth = 64\n"):
        judge_passes(first[:2], seen, RtlSources.load(rtl_folder(synthesised)))


def test_the_whole_check_keeps_its_verdict(project, simulator, simulation, monkeypatch):
    with monkeypatch.context() as patch:  # it was compiled already
        patch.setattr(Simulator, "build", lambda *_: simulation)
        verdict = check_rtl(project, seed=5)
    assert verdict.passed
    assert (verdict.simulator, verdict.bench, verdict.seed) == (simulator.name, simulator.bench, 5)
    assert verdict.packets == 3 * 18
    assert verdict.text.startswith("RTL simulated: 54 packets in ")
    assert "starts and FIFOs were not judged" in verdict.warnings[0]
    assert json.loads(verdict_file(project).read_text())["passed"] is True
    assert verdict_of(project) == verdict
    # It is of this RTL, and of no other.
    top = rtl_folder(project) / "eie.v"
    top.write_text(top.read_text() + "\n")
    assert verdict_of(project).text == ("RTL not simulated: nobody ran `eie rtl-check` on this RTL")
    # RTL that no simulator takes is named with the place, and has no verdict.
    top.write_text(top.read_text().replace("reg [3:0] state;", "reg [3:0] state"))
    with pytest.raises(ToolError, match=r"verilator ended with status 1; .*(\n.*)*eie\.v:\d+"):
        check_rtl(project)
    assert not verdict_of(project).passed
