"""The benchmark counts what the command line reports, and sweeps count what they say."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import paper_table, sweeps
from benchmarks.layers import CLOCK_MHZ, LAYERS, PAPER_SPEEDUP, PES
from benchmarks.machine import encoded_for, paper_design, work_met
from benchmarks.patterns import PATTERNS, inputs, network, uniform
from benchmarks.sweeps import memory_reads
from eie.hls.model.paper import paper_cycles
from eie.host.run.batch import emulate
from eie.host.search.fit import fit


@pytest.fixture(scope="module")
def layer():
    return LAYERS[0].shrunk(24)


def test_the_papers_figures_fit_together():
    ratios = [layer.cpu_dense_us / layer.actual_us for layer in LAYERS]
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    assert mean == pytest.approx(PAPER_SPEEDUP, rel=0.05)
    assert len(LAYERS) == 9
    assert all(layer.actual_us > layer.theoretical_us for layer in LAYERS)
    # Without padding no PE can be faster than its weights, but for rounded densities.
    for layer in LAYERS:
        met = layer.weights * (layer.weight_density - 0.005) * layer.activation_density
        assert layer.theoretical_us > met / PES / CLOCK_MHZ * 0.95


def test_the_hardware_page_has_the_same_layers():
    path = Path(__file__).parents[2] / "docs" / "make_hardware.py"
    (table,) = (
        ast.literal_eval(statement.value)
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "NINE_LAYERS"
    )
    assert list(table) == [
        (one.name, one.inputs, one.outputs, one.weight_density, one.activation_density)
        for one in LAYERS
    ]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_rows_are_what_emulate_reports(layer, pattern):
    row = paper_table.measure(layer, pattern, PATTERNS[pattern], kernel=True)
    net, codes = network(layer, PATTERNS[pattern]), inputs(layer)
    report = emulate(net, paper_design(net), codes, paper=True).report
    (reported,) = report.layers
    assert (row.weights, row.entries) == (reported.nonzeros, reported.entries)
    assert row.entries - row.weights == reported.padding_entries
    assert row.cycles == reported.cycles
    assert row.weights_met / PES == reported.ideal_cycles
    assert row.actual_us == pytest.approx(report.latency_us)
    kernel = fit(net, pes=PES, index_bits=6, queue_depth=32).design
    assert row.kernel_cycles == emulate(net, kernel, codes).report.total_cycles


def test_shares_of_a_row():
    row = paper_table.LayerRow("x", "uniform", 0, 0.1, 1000, 1200, 640, 768, 20, 24, None)
    assert row.padding == pytest.approx(0.2)
    assert row.unpadded_us == 640 / 64 / 800
    assert row.theoretical_us == 768 / 64 / 800
    assert row.actual_us == 24 / 800
    assert row.load_balance == pytest.approx(0.5)


def test_the_papers_run_covers_seeds_patterns_and_rounded_densities(layer):
    rows = [row for _, more in paper_table.run([layer]) for row in more]
    assert [(row.pattern, row.seed, row.weight_density) for row in rows] == [
        ("uniform", 0, 0.09),
        ("log-normal", 0, 0.09),
        ("blocks", 0, 0.09),
        ("uniform", 1, 0.09),
        ("uniform", 2, 0.09),
        ("uniform", 0, 0.085),
        ("uniform", 0, 0.095),
    ]
    sparser, denser = rows[-2:]
    assert sparser.weights < rows[0].weights < denser.weights


def test_work_met(layer):
    weights = network(layer, uniform).layers[0]
    active = np.flatnonzero(inputs(layer)[0])
    encoded = encoded_for(weights, 4)
    work = work_met(weights, encoded, active)
    dense = weights.dense_codes()[:, active] != 0
    assert work.weights == dense.sum()
    assert work.entries >= work.weights
    per_pe = [encoded.lengths()[pe, active].sum() for pe in range(4)]
    assert (work.entries, work.busiest) == (sum(per_pe), max(per_pe))


def test_queue_sweep_has_a_machine_without_queues(layer):
    rows = [row for _, more in sweeps.run_queue([layer]) for row in more]
    weights = network(layer, uniform).layers[0]
    active = np.flatnonzero(inputs(layer)[0])
    lengths = encoded_for(weights, PES).lengths()[:, active]
    for row in rows:
        if row.pattern == "uniform" and row.depth:
            assert row.cycles == paper_cycles(lengths, row.depth)
    in_step = sum(max(1, *lengths[:, column].tolist()) for column in range(len(active)))
    none, one = (row for row in rows if row.pattern == "uniform" and row.depth in (0, 1))
    assert none.cycles == 1 + in_step
    assert none.cycles > one.cycles
    assert none.load_balance < one.load_balance <= 1


@pytest.mark.parametrize("width", sweeps.WIDTHS)
def test_memory_reads_are_the_words_that_columns_touch(layer, width):
    weights = network(layer, uniform).layers[0]
    encoded = encoded_for(weights, 8)
    active = np.flatnonzero(inputs(layer)[0])
    reads = 0
    for pe in range(8):
        for column in active:
            entries = range(encoded.pointers[pe, column], encoded.pointers[pe, column + 1])
            reads += len({entry * 8 // width for entry in entries})
    assert memory_reads(encoded, active, width) == reads


def test_pes_sweep(layer):
    rows = [row for _, more in sweeps.run_pes([layer]) for row in more]
    uniform_rows = [row for row in rows if row.pattern == "uniform"]
    assert [row.pes for row in uniform_rows] == list(sweeps.PE_COUNTS)
    one = uniform_rows[0]
    # A single PE never waits: its cycles are its entries and its empty columns.
    assert one.cycles >= one.entries_met
    assert one.load_balance > 0.9
    assert uniform_rows[-1].padding <= one.padding


def test_skew_sweep_deals_rows_both_ways(layer):
    rows = [row for _, more in sweeps.run_skew([layer]) for row in more]
    keys = [(row.sigma, row.assignment, row.depth) for row in rows]
    assert keys == [
        (sigma, *dealt) for sigma in sweeps.SIGMAS for dealt in (("natural", 8), ("balanced", 32))
    ]
    assert all(row.actual_over_theoretical >= 1 for row in rows)
