"""Networks with functions and recurrent layers: the compiled kernel, emulator and cycle models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_graphs import Builder, evaluate, graph_networks, random_inputs

from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    HEADER,
    LAYER,
    NETWORK,
    RUN,
    SECTION,
    TRAILER,
    Function,
    Kind,
    Status,
    build_packet,
)
from eie.host.packing.packer import pack
from eie.host.packing.state_packet import state_packet

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
    design = _design(8, 1, hidden_activations=16)
    for units, status in ((16, Status.OK), (17, Status.BAD_CONTENTS), (20, Status.BAD_CONTENTS)):
        builder = Builder(9, 1)
        builder.chain(units, None, activation="lstm")
        packed = pack(builder.network(), design.replace(hidden_activations=32))
        assert twin_of(design).status(packed.load_packet()) is status


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    network=graph_networks(activations=PLAIN), vectors=st.integers(0, 6), seed=st.integers(0, 99)
)
def test_any_functions(twin, network, vectors, seed) -> None:
    """Outputs are those of an oracle, and every byte and counter those of the emulator."""
    inputs = random_inputs(network, vectors, seed)
    assert np.array_equal(twin.run(network, inputs), evaluate(network, inputs).outputs)


def _run(twin, packed, inputs, tags, status=Status.OK) -> None:
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
    assert twin.status(packet) is status
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


def test_a_slope_that_no_function_uses_is_refused(twin) -> None:
    builder = Builder(9, 1)
    builder.chain(16, None, activation="leaky_relu", slope=655)
    packed = pack(builder.network(), twin.design)
    place = HEADER.beats + NETWORK.beats + SECTION.beats
    load = np.frombuffer(packed.load_packet(), "<u8")
    layer = LAYER.parse(load[place:])
    assert (layer["function"], layer["slope"] != 0) == (Function.LEAKY_RELU, True)
    for function in Function:
        changed = load.copy()
        changed[place : place + LAYER.beats] = LAYER.build(**layer | {"function": function})
        payload = changed[HEADER.beats : -TRAILER.beats]
        status = twin.status(build_packet(Kind.LOAD, 1, payload))
        assert status is (Status.OK if function is Function.LEAKY_RELU else Status.BAD_CONTENTS)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_lane_has_a_given_state_when_all_its_layers_came_in_a_row(twin, data) -> None:
    """Against an oracle in a few lines: what was given to which lane, whatever comes between."""
    builder = Builder(5, 1)
    for units, activation in ((6, "lstm"), (4, "relu"), (17, "gru"), (3, "lstm")):
        builder.chain(units, None, activation=activation)
    network = builder.network()
    recurrent = [index for index, layer in enumerate(network.layers) if layer.recurrent]
    packed = pack(network, twin.design)
    assert twin.status(packed.load_packet()) is Status.OK
    states: set[int] = set()
    row: list[tuple[int, int]] = []  # lane and layer
    for _ in range(data.draw(st.integers(1, 12), "packets")):
        lane = data.draw(st.integers(0, 1), "lane")
        if data.draw(st.integers(0, 3), "a run") == 0:
            start = data.draw(st.booleans(), "start")
            good = start or lane in states
            status = Status.OK if good else Status.NO_STATE
            inputs = random_inputs(network, 1, len(row))
            _run(twin, packed, inputs, [lane | start << 8 | 1 << 16], status)
            states, row = states | {lane} if good else set(), []
            continue
        # Mostly the one whose turn it is.
        turn = [layer for its, layer in row if its == lane]
        number = data.draw(st.sampled_from([*([len(turn) % 3] * 4), 0, 1, 2]), "number")
        units = network.layers[recurrent[number]].results
        h, kept = (np.arange(units) * (1 - 2 * (lane + number)) for _ in range(2))
        packet = state_packet(
            packed, recurrent[number], lane, h.astype(np.int16), kept.astype(np.int32)
        )
        damaged = data.draw(st.integers(0, 4), "damaged") == 0
        if damaged:
            packet = packet[:-1] + bytes([packet[-1] ^ 1])
        before = [(lane, each) for each in range(number)]
        in_turn = number == 0 or row[:number] == before
        status = Status.BAD_CRC if damaged else Status.OK if in_turn else Status.BAD_LAYERS
        assert twin.status(packet) is status
        if in_turn:
            row = before if damaged else [*before, (lane, number)]
            states = states - {lane} if len(row) < len(recurrent) else states | {lane}
