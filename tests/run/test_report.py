from __future__ import annotations

import json

import numpy as np
import pytest

from eie.hls.model.allowance import allowance_of
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.run.batch import emulate
from eie.host.run.report import RunReport

LAYER_FIELDS = [
    "name", "rows", "columns", "nonzeros", "entries", "padding_entries", "active_columns",
    "ideal_cycles", "cycles", "efficiency", "saturated",
]  # fmt: skip


@pytest.fixture(scope="module")
def network(random_network) -> Network:
    return random_network(60, 300, 20, density=0.05)


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    codes = np.random.default_rng(0).integers(-900, 900, (5, 60)).astype(np.int16)
    codes[:, ::3] = 0
    return codes


@pytest.mark.parametrize("paper", [False, True])
def test_the_json_has_exactly_the_fields_of_the_contract(paper, network, inputs, roomy):
    report = emulate(network, roomy(4), inputs, paper=paper).report.as_json()
    assert list(report) == [
        *("machine", "design", "vectors", "layers", "total_cycles", "latency_us"),
        *("saturated_inputs", "allowance_cycles", "allowance_source", "allowed_us"),
    ]
    assert [list(layer) for layer in report["layers"]] == [LAYER_FIELDS] * 2
    assert report["design"] == roomy(4).parameters()
    assert json.loads(json.dumps(report)) == report


def test_the_numbers_are_those_of_the_matrices(network, inputs, roomy, reference):
    pes = 4
    design = roomy(pes, index_bits=3, clock_mhz=125)
    report = emulate(network, design, inputs).report
    first = Network(network.layers[:1])
    taken = (inputs, reference(first, inputs))
    for layer, activations, found in zip(network.layers, taken, report.layers, strict=True):
        dense = layer.dense_codes() != 0
        active = activations != 0
        assert (found.name, found.rows, found.columns) == (layer.name, layer.rows, layer.columns)
        assert found.nonzeros == dense.sum()
        assert found.entries == found.nonzeros + found.padding_entries
        assert found.active_columns == active.sum()
        assert found.ideal_cycles == (active @ dense.sum(axis=0)).sum() / pes
        assert found.efficiency == found.ideal_cycles / found.cycles
        # Of its share of a batch in which layers overlap, so one of them may be above 1.
        assert found.efficiency > 0
    assert sum(found.ideal_cycles for found in report.layers) <= report.total_cycles
    assert report.layers[0].padding_entries > 0
    assert report.vectors == 5
    assert report.machine == "eie"
    assert report.latency_us == report.total_cycles / 125 / 5


def test_the_allowance_is_told_beside_what_is_counted(network, inputs, roomy):
    design = roomy(4)
    allowed = allowance_of(design)
    single, batch = (emulate(network, design, part).report for part in (inputs[:1], inputs))
    assert single.allowance_cycles == allowed.of(layers=2)
    assert batch.allowance_cycles == allowed.of(layers=2, vectors=5)
    assert single.allowed_us == (single.total_cycles + single.allowance_cycles) / 100
    assert batch.allowed_us == (batch.total_cycles + batch.allowance_cycles) / 100 / 5
    assert (
        f"latency of one vector: at least {single.latency_us:.2f} us at 100 MHz; "
        f"{single.allowed_us:.2f} us with {single.allowance_cycles} cycles allowed for pipeline "
        "stages (assumed)"
    ) in str(single)
    assert (
        f"throughput of the batch: at most {1e6 / batch.latency_us:,.0f} vectors a second; "
        f"{1e6 / batch.allowed_us:,.0f} with what is allowed for pipeline stages (assumed)"
    ) in str(batch)
    # What is given goes before what is assumed; what is counted stays.
    reported = allowance_of(design, {("broadcast", "tokens"): 7}, source="a report")
    found = emulate(network, design, inputs[:1], allowance=reported).report
    assert (found.allowance_cycles, found.allowance_source) == (reported.of(2), "a report")
    assert found.total_cycles == single.total_cycles
    # Of the paper's machine nobody knows.
    paper = emulate(network, design, inputs[:1], paper=True).report
    assert (paper.allowance_cycles, paper.allowed_us) == (None, None)
    assert "at least" in str(paper) and "allowed" not in str(paper)


def test_a_layer_that_does_nothing_has_no_efficiency(random_network, roomy):
    network = random_network(20, 10, density=0.0)
    report = emulate(network, roomy(2), np.zeros((1, 20), np.int16), paper=True).report
    assert [layer.efficiency for layer in report.layers] == [0.0]
    assert (report.total_cycles, report.latency_us) == (0, 0.0)


def test_a_batch_in_several_packets_adds_up(network, inputs, roomy, monkeypatch, reference):
    whole = emulate(network, roomy(4), inputs)
    monkeypatch.setattr("eie.host.protocol.client._PACKET_BYTES", 2 * 15 * 8)
    parts = emulate(network, roomy(4), inputs)
    assert np.array_equal(parts.outputs, whole.outputs)
    assert np.array_equal(parts.outputs, reference(network, inputs))
    single = [
        emulate(network, roomy(4), part).report for part in (inputs[:2], inputs[2:4], inputs[4:])
    ]
    assert parts.report == RunReport.total(single)
    assert parts.report.vectors == 5
    assert parts.report.total_cycles == sum(report.total_cycles for report in single)
    assert parts.report.latency_us == pytest.approx(parts.report.total_cycles / 100 / 5)
    for mine, theirs in zip(parts.report.layers, whole.report.layers, strict=True):
        assert mine.active_columns == theirs.active_columns
        assert mine.ideal_cycles == theirs.ideal_cycles
        assert mine.entries == theirs.entries
        assert mine.efficiency == mine.ideal_cycles / mine.cycles
    assert np.array_equal(parts.counters.busy, whole.counters.busy)


def test_without_a_report_nothing_is_counted(network, inputs, roomy, monkeypatch):
    def count(*_: object) -> Counters:
        raise AssertionError("counted")

    monkeypatch.setattr("eie.hls.model.emulator.count_cycles", count)
    result = emulate(network, roomy(4), inputs, report=False)
    assert result.report is None
    assert result.counters is None


def test_a_batch_of_none_has_nothing_to_report(network, roomy):
    result = emulate(network, roomy(4), np.zeros((0, 60), np.int16))
    assert result.outputs.shape == (0, 20)
    assert result.report is None


def test_latency_follows_the_clock(network, inputs):
    slow, fast = (
        emulate(network, Design(pes=4, accumulator_bits=48, clock_mhz=mhz, rows_per_pe=512), inputs)
        for mhz in (100, 200)
    )
    assert slow.report.total_cycles == fast.report.total_cycles
    assert slow.report.latency_us == 2 * fast.report.latency_us
