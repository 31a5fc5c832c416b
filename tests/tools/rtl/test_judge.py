"""What is judged, without a simulator: records as a kernel would leave them, and changed ones."""

from __future__ import annotations

import dataclasses
import zlib

import numpy as np
import pytest

from eie.hls.spec.design import Design
from eie.hls.spec.packets import COUNTERS, HEADER, RUN
from eie.hls.tools.rtl.exchanges import exchanges_of
from eie.hls.tools.rtl.judge import faults_of, run_times
from eie.hls.tools.rtl.recording import BeatSeen, ExchangeSeen, PassSeen
from eie.host.project.generate import generate

#: Cycles that everything takes longer than in the model.
LATENCY = 30


@pytest.fixture(scope="module")
def exchanges(tmp_path_factory):
    """Of a design with more PEs than the stand-in has."""
    project = tmp_path_factory.mktemp("judge") / "project"
    design = Design(pes=4, entries_per_pe=256, rows_per_pe=32)
    generate(design, project)
    return exchanges_of(project, design)


def record(exchanges):
    """A pass as a kernel leaves it whose pipelines take a while to fill."""
    cycle, found, cycles = 0, [], 0
    for each in exchanges:
        request = [BeatSeen(cycle + beat, 0) for beat in range(len(each.request))]
        begin = cycle + HEADER.beats + RUN.beats - 1
        cycle += len(each.request) + (each.run.cycles + LATENCY if each.run else 3)
        answer = []
        for number, data in enumerate(each.answer):
            cycle += 1
            answer.append(BeatSeen(cycle, 0, data, 255, 255, number == len(each.answer) - 1))
        if each.run:
            cycles = answer[each.run.last_beat].cycle - begin
        found.append(ExchangeSeen(each.name, request, answer, {**each.registers, "cycles": cycles}))
        if "counters" in each.name:
            set_beat(found[-1], HEADER.beats, cycles)
        cycle += 100
    return PassSeen("by hand", found, dict.fromkeys(exchanges[0].registers, 0), cycle)


def set_beat(seen, number, data):
    """Change a beat of an answer, and the CRC with it."""
    beats = [beat.data for beat in seen.answer]
    beats[number] = data
    beats[-1] = zlib.crc32(np.array(beats[:-1], "<u8").tobytes())
    for place, beat in enumerate(beats):
        seen.answer[place] = dataclasses.replace(seen.answer[place], data=beat)


@pytest.fixture
def seen(exchanges):
    return record(exchanges)


def of(seen, name):
    return next(each for each in seen.exchanges if each.name == name)


def test_latency_is_no_fault(exchanges, seen):
    assert faults_of(exchanges, seen) == []
    assert PassSeen.from_document(seen.to_document()) == seen
    for time in run_times(exchanges, seen):
        assert time.register == time.measured > time.model


def test_counters_may_differ_in_what_depends_on_latency(exchanges, seen):
    """Of four PEs a beat has one value each: busy, starved, full in two halves."""
    counters = of(seen, "counters")
    table = HEADER.beats + COUNTERS.beats
    busy = counters.answer[table].data
    for row in range(2, 6):
        set_beat(counters, table + row, 0x0007000600050004)
    assert faults_of(exchanges, seen) == []
    set_beat(counters, table, busy + 1)
    (fault,) = faults_of(exchanges, seen)
    place = f"beat {table} of {len(counters.answer)}"
    assert fault == f"packet counters: {place} must be {busy:#x}, not {busy + 1:#x}"


def test_what_is_not_compared_is_under_the_crc(exchanges, seen):
    counters = of(seen, "counters")
    row = HEADER.beats + COUNTERS.beats + 2
    counters.answer[row] = dataclasses.replace(counters.answer[row], data=1 << 40)
    assert faults_of(exchanges, seen) == ["packet counters: the CRC of the answer is wrong"]


def test_counters_and_register_say_the_same(exchanges, seen):
    counters = of(seen, "counters")
    cycles = counters.registers["cycles"]
    set_beat(counters, HEADER.beats, cycles + 9)
    assert faults_of(exchanges, seen) == [
        f"packet counters: counters report {cycles + 9} cycles, and register cycles {cycles}"
    ]


def test_a_cycle_less_than_the_model_is_a_fault(exchanges, seen):
    run = of(seen, "run_sparse")
    model = next(each for each in exchanges if each.name == "run_sparse").run.cycles
    upto = seen.exchanges.index(run) + 1
    seen.exchanges, exchanges = seen.exchanges[:upto], exchanges[:upto]
    run.registers["cycles"] = model
    assert faults_of(exchanges, seen) == []
    run.registers["cycles"] = model - 1
    (fault,) = faults_of(exchanges, seen)
    assert fault.startswith(f"packet run_sparse: register cycles says {model - 1}, fewer than the")
    # Unless it was held up: those cycles it does not count.
    run.answer[:] = [dataclasses.replace(beat, stalled=1) for beat in run.answer]
    assert faults_of(exchanges, seen) == []


def test_cycles_stay_without_a_run(exchanges, seen):
    refused = of(seen, "damaged_header")
    before = refused.registers["cycles"]
    refused.registers["cycles"] = 0
    assert faults_of(exchanges, seen)[0] == (
        f"packet damaged_header: register cycles must stay {before} without a run, not be 0"
    )


def test_a_pass_that_is_not_whole(exchanges, seen):
    del seen.exchanges[-1]
    assert faults_of(exchanges, seen) == [
        f"{len(exchanges) - 1} of {len(exchanges)} packets were played"
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda seen: seen.answer.pop(), "{name}: waited"),
        (lambda seen: seen.breaches.append("beat 3 changed"), "{name}: beat 3 changed"),
        (lambda seen: seen.registers.update(packets=0), "{name}: register packets must be 0x"),
        (
            lambda seen: seen.request.__setitem__(0, BeatSeen(10**6, 0)),
            "{name}: an answer came before the request",
        ),
    ],
)
def test_one_fault_a_record(exchanges, seen, change, fault):
    load = of(seen, "load")
    change(load)
    if len(load.answer) < 4:
        load.hang = "waited 9 cycles for packets_out_TVALID"
    found = faults_of(exchanges, seen)
    assert len(found) == 1
    assert found[0].startswith("packet " + fault.format(name="load"))


def test_registers_after_a_reset_and_a_hang_before_anything(exchanges, seen):
    seen.registers["errors"] = 2
    assert faults_of(exchanges, seen) == ["register errors must be 0 after a reset, not 0x2"]
    seen.hang = "waited 9 cycles"
    assert faults_of(exchanges, seen) == ["before the first packet: waited 9 cycles"]
