"""Networks with functions and recurrent layers: the compiled kernel, emulator and cycle models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_graphs import Builder, evaluate, graph_networks, random_inputs

from eie.hls.spec.design import Design
from eie.hls.spec.packets import RUN, Kind, Status, build_packet
from eie.host.packing.packer import pack

PLAIN = ("none", "relu", "leaky_relu", "sigmoid", "tanh")
EVERY = (*PLAIN, "lstm", "gru")


def _design(pes: int, units: int, **others: int) -> Design:
    sizes = {
        "entries_per_pe": 16384 // pes + 4096,
        "pointers_per_pe": 2048,
        "rows_per_pe": max(256 // pes, 64),
        "biases_per_pe": max(1024 // pes, 256),
        "layers": 16,
        "hidden_activations": 512,
        "held_activations": 2048,
        "accumulator_bits": 48,
        "bounds": 1,
    }
    return Design(pes=pes, cell_units=units, **(sizes | others))


DESIGNS = {
    "1 PE, 4 units": _design(1, 4, queue_depth=2),
    "4 PEs, 1 unit": _design(4, 1, length_bits=8),
    "32 PEs, 2 units": _design(32, 2, hidden_activations=256, result_depth=8),
}


@pytest.fixture(scope="session", params=DESIGNS)
def twin(request, twin_of):
    return twin_of(DESIGNS[request.param])


def test_results_of_a_cell_that_find_no_room_are_refused(twin_of) -> None:
    """The last word may be one of few results: their number counts, not that of local rows."""
    design = DESIGNS["32 PEs, 2 units"]
    room = design.hidden_activations
    bad = Status.BAD_CONTENTS
    for units, status in ((room, Status.OK), (room + 1, bad), (room + 4, bad)):
        builder = Builder(9, 1)
        builder.chain(units, None, activation="lstm", density=0.02)
        packed = pack(builder.network(), design.replace(hidden_activations=room + 16))
        assert twin_of(design).status(packed.load_packet()) is status


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    network=graph_networks(activations=PLAIN), vectors=st.integers(0, 6), seed=st.integers(0, 99)
)
def test_any_functions(twin, network, vectors, seed) -> None:
    """Outputs are those of an oracle, and every byte and counter those of the emulator."""
    inputs = random_inputs(network, vectors, seed)
    assert np.array_equal(twin.run(network, inputs), evaluate(network, inputs).outputs)


def _run(twin, packed, inputs, tags) -> None:
    width = -(-inputs.shape[1] // 4) * 4
    lanes = np.zeros((len(inputs), width), np.int16)
    lanes[:, : inputs.shape[1]] = packed.in_order_sent(inputs)
    beats = np.concatenate([np.array(tags, "<u8")[:, None], lanes.view("<u8")], axis=1)
    record = {
        "network_id": packed.network_id,
        "batch": len(inputs),
        "first": 0,
        "tagged": 1,
        "layers": len(packed.layers),
        "outputs": sum(tag >> 16 & 1 for tag in tags),
    }
    packet = build_packet(Kind.RUN, 5, np.concatenate([RUN.build(**record), beats.ravel()]))
    assert twin.status(packet) is Status.OK
    assert twin.status(build_packet(Kind.COUNTERS, 6)) is Status.OK


@settings(max_examples=30, deadline=None, derandomize=True)
@given(network=graph_networks(activations=EVERY), data=st.data())
def test_any_sequences(twin, network, data) -> None:
    """Steps of sequences in several lanes over two runs, with outputs and without."""
    packed = pack(network, twin.design)
    assert twin.status(packed.load_packet()) is Status.OK
    if not packed.held.lanes:
        twin.run(packed, random_inputs(network, 3))
        return
    lanes = min(packed.held.lanes, 3)
    started: set[int] = set()
    for seed in range(2):
        inputs = random_inputs(network, data.draw(st.integers(1, 7), "vectors"), seed)
        tags = []
        for _ in inputs:
            lane = data.draw(st.integers(0, lanes - 1), "lane")
            start = lane not in started or data.draw(st.booleans(), "start")
            output = not network.recurrent or data.draw(st.booleans(), "output")
            tags.append(lane | start << 8 | output << 16)
            started.add(lane)
        _run(twin, packed, inputs, tags)
