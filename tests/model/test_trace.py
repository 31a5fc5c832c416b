"""The trace is the cycle model watched: it adds up to its totals and to the emulator's sums."""

from __future__ import annotations

import numpy as np
import pytest

from eie.hls.model.cycles import count_cycles
from eie.hls.model.emulator import Emulator
from eie.hls.model.trace import NEVER, Steps, trace_layer
from eie.hls.spec.dataflow import DEPTHS
from eie.hls.spec.design import Design
from eie.host.packing.packer import pack


def design_of(pes, **others):
    return Design(pes=pes, entries_per_pe=4096, pointers_per_pe=512, **others)


CASES = {
    "lone": (design_of(1, index_bits=8, rows_per_pe=256), (20, 30, 10), {}),
    "four": (design_of(4), (33, 70, 16), {}),
    "short queue": (design_of(4, queue_depth=2), (64, 64, 64, 64), {"density": 0.6}),
    "sixteen": (design_of(16, index_bits=3), (40, 100, 50), {"density": 0.1}),
    "merging": (design_of(64, length_bits=5), (64, 128, 20), {}),
    "padding": (design_of(2, index_bits=3, rows_per_pe=128), (12, 150, 5), {"density": 0.04}),
}


@pytest.fixture(scope="module", params=CASES, ids=[name.replace(" ", "-") for name in CASES])
def run(request, random_network):
    """A run of one vector, traced layer by layer, and what the emulator says of it."""
    design, sizes, options = CASES[request.param]
    network = random_network(*sizes, **options)
    packed = pack(network, design)
    random = np.random.default_rng(4)
    codes = random.integers(-900, 900, (1, network.inputs))
    codes = (codes * (random.random(codes.shape) < 0.6)).astype(np.int16)
    codes[0, -1] = 0  # the end of the first layer comes without an activation
    emulator = Emulator(design)
    emulator.process(packed.load_packet())
    emulator.process(packed.run_packet(codes))
    resident, activations = emulator.resident, emulator.last_activations
    traces = [
        trace_layer(design, resident, activations[:-1], number) for number in range(len(sizes) - 1)
    ]
    return design, network, resident, activations, traces


def test_counters_are_those_of_the_model(run):
    design, _, resident, activations, traces = run
    counted = count_cycles(design, resident, activations[:-1])
    assert all(trace.counters.same_as(counted) for trace in traces)


def test_every_entry_and_every_full_queue_is_there(run):
    _, _, _, _, traces = run
    pes = len(traces[0].counters.busy)
    busy = sum(np.bincount(trace.entries[:, 1], minlength=pes) for trace in traces)
    assert np.array_equal(busy, traces[0].counters.busy)
    assert np.array_equal(
        sum(trace.waited.sum(axis=0) for trace in traces), traces[0].counters.full
    )


def test_sums_are_the_emulators(run):
    """With bias, ReLU, rounding and saturation in plain integers."""
    _, network, resident, activations, traces = run
    for of_model, layer, trace, results in zip(
        network.layers, resident.layers, traces, activations[1:], strict=True
    ):
        sums = Steps.of(trace, layer).sums(trace, layer) + layer.bias
        if of_model.relu:
            sums = np.maximum(sums, 0)
        outputs = (sums + (1 << of_model.shift >> 1)) >> of_model.shift
        outputs = outputs.clip(-32768, 32767)
        assert np.array_equal(outputs[: layer.rows], results[0, : layer.rows])


def test_a_multiplier_has_an_entry_a_cycle_and_the_rows_rise(run):
    _, _, resident, _, traces = run
    for layer, trace in zip(resident.layers, traces, strict=True):
        steps = Steps.of(trace, layer)
        cycles, pes, tokens, numbers = trace.entries.T
        for pe in range(layer.encoded.pes):
            mine = pes == pe
            assert (np.diff(cycles[mine]) > 0).all()
            same = np.diff(tokens[mine]) == 0
            assert (np.diff(numbers[mine])[same] == 1).all()
            assert (np.diff(steps.rows[mine])[same] > 0).all()
        assert (steps.rows < layer.local_rows).all()


def test_everything_happens_in_its_order(run):
    """No token is fetched before it was queued, nor multiplied before it was fetched."""
    design, _, _, _, traces = run
    for trace in traces:
        assert (trace.queued > trace.sent[:, None]).all()
        assert (trace.fetched > trace.queued).all()
        passed = trace.offered != NEVER
        assert (trace.offered >= trace.fetched)[passed].all()
        assert (trace.taken > trace.offered)[passed].all()
        cycles, pes, tokens, _ = trace.entries.T
        assert (cycles > trace.taken[tokens, pes]).all()
        for pe in range(design.pes):
            assert (trace.written[:, pe] > cycles[pes == pe].max(initial=0)).all()
        assert trace.first < trace.sent[0] <= trace.last <= trace.counters.cycles + trace.first


def test_no_queue_ever_holds_more_than_its_places(run):
    design, _, _, _, traces = run
    for trace in traces:
        for pe in range(design.pes):
            passed = trace.offered[:, pe] != NEVER
            for entered, left, depth in (
                (trace.queued[:, pe], trace.fetched[:, pe], DEPTHS["fetch"].elements),
                (trace.offered[passed, pe], trace.taken[passed, pe], design.queue_depth),
            ):
                for cycle in entered:
                    assert ((entered <= cycle) & (cycle <= left)).sum() <= depth


def test_a_layer_that_meets_nothing(random_network):
    design = design_of(4)
    network = random_network(16, 16)
    packed = pack(network, design)
    emulator = Emulator(design)
    emulator.process(packed.load_packet())
    emulator.process(packed.run_packet(np.zeros((1, 16), np.int16)))
    trace = trace_layer(design, emulator.resident, emulator.last_activations[:-1])
    assert trace.columns.tolist() == [NEVER]
    assert trace.entries.shape == (0, 4)
    layer = emulator.resident.layers[0]
    assert not Steps.of(trace, layer).sums(trace, layer).any()
