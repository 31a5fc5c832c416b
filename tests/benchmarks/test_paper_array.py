"""The benchmark counts what the command line reports, and sweeps count what they say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.measure import paper_array
from benchmarks.measure.timing import Environment
from benchmarks.page.frames import frames
from benchmarks.paper.array import OnArray
from benchmarks.paper.layers import (
    CLOCK_MHZ,
    INDEX_BITS,
    LAYERS,
    PAPER_SPEEDUP,
    PES,
    QUEUE_DEPTH,
)
from benchmarks.paper.patterns import PATTERNS, inputs, network, uniform
from benchmarks.results import Part, Results
from eie.hls.model.paper import paper_cycles
from eie.host.run.batch import emulate
from eie.host.search.fit import fit

DOCS = Path(__file__).parents[2] / "docs"


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
        met = (
            layer.inputs * layer.outputs * (layer.weight_density - 0.005) * layer.activation_density
        )
        assert layer.theoretical_us > met / PES / CLOCK_MHZ * 0.95


def test_the_hardware_page_has_the_same_layers():
    page = (DOCS / "explanation" / "hardware.md").read_text(encoding="utf-8")
    names = " | ".join(layer.name for layer in LAYERS)
    assert f"| board | {names} |" in page
    assert "Alex-6" not in (DOCS / "make_hardware.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_rows_are_what_emulate_reports(layer, pattern):
    row = paper_array.measure(layer, pattern, kernel=True)
    net, codes = network(layer, PATTERNS[pattern]), inputs(layer)
    paper = fit(
        net,
        assignment="natural",
        pes=PES,
        index_bits=INDEX_BITS,
        queue_depth=QUEUE_DEPTH,
        clock_mhz=CLOCK_MHZ,
    ).design
    report = emulate(net, paper, codes, paper=True).report
    (reported,) = report.layers
    assert (row["weights"], row["entries"]) == (reported.nonzeros, reported.entries)
    assert row["entries"] - row["weights"] == reported.padding_entries
    assert row["cycles"] == reported.cycles
    assert row["weights_met"] / PES == reported.ideal_cycles
    assert row["cycles"] / CLOCK_MHZ == pytest.approx(report.latency_us)
    kernel = fit(net, pes=PES, index_bits=6, queue_depth=32).design
    assert row["kernel_cycles"] == emulate(net, kernel, codes).report.total_cycles


def test_shares_of_a_row():
    counted = {"weights": 1000, "entries": 1200, "weights_met": 640, "entries_met": 768}
    counted |= {"busiest_met": 20, "cycles": 24, "kernel_cycles": None}
    rows = [
        {"layer": "Alex-6", "pattern": "uniform", "seed": 0, "weight_density": density} | counted
        for density in (0.09, 0.095)
    ]
    environment = Environment("a processor", 2, 0.5, "Python 3")
    found = frames(Results(1, {"layers": Part(1.0, environment, rows)}))["layers"]
    assert found.own_density.tolist() == [True, False]
    row = found.iloc[0]
    assert row.padding == pytest.approx(0.2)
    assert row.unpadded_us == 640 / 64 / 800
    assert row.theoretical_us == 768 / 64 / 800
    assert row.actual_us == 24 / 800
    assert row.balance == pytest.approx(0.5)
    assert row.ratio == pytest.approx(2)


def test_the_papers_run_covers_seeds_patterns_and_rounded_densities(layer):
    rows = list(paper_array.nine_layers(layer))
    assert [(row["pattern"], row["seed"], row["weight_density"]) for row in rows] == [
        ("uniform", 0, 0.09),
        ("log-normal", 0, 0.09),
        ("blocks", 0, 0.09),
        ("uniform", 1, 0.09),
        ("uniform", 2, 0.09),
        ("uniform", 0, 0.085),
        ("uniform", 0, 0.095),
    ]
    sparser, denser = rows[-2:]
    assert sparser["weights"] < rows[0]["weights"] < denser["weights"]


def test_what_a_vector_meets(layer):
    weights = network(layer, uniform).layers[0]
    array = OnArray.encode(weights, inputs(layer)[0], 4)
    assert np.array_equal(array.active, np.flatnonzero(inputs(layer)[0]))
    dense = weights.dense_codes()[:, array.active] != 0
    assert array.weights_met == dense.sum()
    assert array.entries_met >= array.weights_met
    per_pe = [array.encoded.lengths()[pe, array.active].sum() for pe in range(4)]
    assert array.entries_met == sum(per_pe)
    assert array.lengths.sum(axis=1).tolist() == per_pe


def test_queue_sweep_has_a_machine_without_queues(layer):
    rows = [row for row in paper_array.queue(layer) if row["pattern"] == "uniform"]
    array = OnArray.encode(network(layer, uniform).layers[0], inputs(layer)[0])
    lengths = array.lengths
    for row in rows:
        if row["depth"]:
            assert row["cycles"] == paper_cycles(lengths, row["depth"])
    in_step = sum(max(1, *lengths[:, column].tolist()) for column in range(lengths.shape[1]))
    none, one = (row for row in rows if row["depth"] in (0, 1))
    assert none["cycles"] == 1 + in_step
    assert none["cycles"] > one["cycles"] >= one["entries_met"] / PES
    assert none["entries_met"] == one["entries_met"] == array.entries_met


@pytest.mark.parametrize("width", paper_array.WIDTHS)
def test_memory_reads_are_the_words_that_columns_touch(layer, width):
    array = OnArray.encode(network(layer, uniform).layers[0], inputs(layer)[0], 8)
    pointers = array.encoded.pointers
    reads = 0
    for pe in range(8):
        for column in array.active:
            entries = range(pointers[pe, column], pointers[pe, column + 1])
            reads += len({entry * 8 // width for entry in entries})
    assert array.memory_reads(width) == reads


def test_pes_sweep(results):
    rows = frames(results)["pes"].loc["Alex-6"]
    rows = rows[rows.pattern == "uniform"].set_index("pes")
    assert tuple(rows.index) == paper_array.PE_COUNTS
    # A single PE never waits: its cycles are its entries and its empty columns.
    assert rows.cycles[1] >= rows.entries_met[1]
    assert rows.balance[1] > 0.9
    assert rows.speedup[1] == 1
    assert rows.padding[256] <= rows.padding[1]


def test_skew_sweep_deals_rows_both_ways(results):
    rows = frames(results)["skew"]
    keys = rows.loc["Alex-6"][["sigma", "assignment", "depth"]].to_numpy().tolist()
    assert keys == [
        [sigma, *dealt]
        for sigma in paper_array.SIGMAS
        for dealt in (("natural", 8), ("balanced", 32))
    ]
    assert (rows.ratio >= 1).all()
