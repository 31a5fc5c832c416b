"""Depths of a synthesis in place of the assumed ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eie.hls.model.allowance import ASSUMED, allowance_of
from eie.hls.model.loop_depths import loop_depths
from eie.hls.spec.design import Design
from eie.hls.tools.reports import read_csynth, reported_allowance

DESIGN = Design(pes=4, board="zcu104", clock_mhz=200)


@pytest.fixture
def csynth(reports):
    return read_csynth(reports / "missed_clock/csynth.xml")


def test_all_loops_are_found_by_their_labels(csynth):
    found = reported_allowance(csynth, DESIGN)
    assert found.source == "depths of csynth.xml, Vitis HLS 2022.2"
    depths = {
        **{(each.process, each.loop): None for each in loop_depths(DESIGN)},
        ("take_crc", "beats"): 2,
        ("receive", "vectors"): 4,
        ("control_activations", "run"): 5,
        ("detect_nonzero", "layer"): 4,
        ("broadcast", "tokens"): 3,
        ("column_fetch", "layer"): 6,
        ("multiply_accumulate", "run"): 16,
        ("gather", "layer"): 2,
        ("collect", "words"): 3,
        ("send", "beats"): 4,
        ("add_crc", "beats"): 3,
    }
    assert None not in depths.values()
    assert found == allowance_of(DESIGN, depths, source=found.source)
    assert found.layer_cycles > allowance_of(DESIGN).layer_cycles


def test_the_deepest_of_several_modules_counts(csynth):
    deeper = [
        replace(loop, depth=9) if loop.module == "column_fetch_2_Pipeline_layer" else loop
        for loop in csynth.loops
    ]
    more = reported_allowance(replace(csynth, loops=tuple(deeper)), DESIGN)
    assert more.layer_cycles == reported_allowance(csynth, DESIGN).layer_cycles + 3


def test_a_loop_that_is_not_there_stays_assumed_and_is_named(csynth):
    without = tuple(loop for loop in csynth.loops if loop.name != "tokens")
    found = reported_allowance(replace(csynth, loops=without), DESIGN)
    assert found.source.endswith("Vitis HLS 2022.2; assumed of broadcast.tokens")
    assert found.layer_cycles == reported_allowance(csynth, DESIGN).layer_cycles - 1


def test_a_report_without_the_loops_changes_nothing(csynth):
    found = reported_allowance(replace(csynth, loops=()), DESIGN)
    assert found.source == f"{ASSUMED}: csynth.xml has none of the loops"
    assert found.layer == allowance_of(DESIGN).layer
