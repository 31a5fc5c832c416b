"""Layers that hold and add: the compiled kernel against the emulator, cycle by cycle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_graphs import NAMED, evaluate, graph_networks, named_network, random_inputs

from eie.hls.spec.design import Design
from eie.hls.spec.group_order import as_sent
from eie.hls.spec.packets import RUN, Kind, Status, build_packet
from eie.host.packing.packer import pack

#: Deep and shallow queues, few lanes and many, one gather node and a tree of them, vectors one by
#: one and abreast.
DESIGNS = {
    "1 PE": Design(
        pes=1,
        entries_per_pe=16384,
        pointers_per_pe=2048,
        rows_per_pe=256,
        biases_per_pe=1024,
        layers=16,
        hidden_activations=256,
        held_activations=1024,
        accumulator_bits=48,
        queue_depth=2,
        bounds=1,
    ),
    "4 PEs": Design(
        pes=4,
        entries_per_pe=8192,
        pointers_per_pe=2048,
        rows_per_pe=256,
        biases_per_pe=512,
        layers=16,
        hidden_activations=1024,
        held_activations=8192,
        accumulator_bits=48,
        length_bits=8,
        bounds=1,
        counters=0,
        abreast=2,
    ),
    "32 PEs": Design(
        pes=32,
        entries_per_pe=4096,
        pointers_per_pe=2048,
        rows_per_pe=64,
        biases_per_pe=256,
        layers=16,
        hidden_activations=512,
        held_activations=1024,
        accumulator_bits=48,
        queue_depth=3,
        result_depth=8,
        bounds=1,
        abreast=4,
    ),
}


@pytest.fixture(scope="session", params=DESIGNS)
def twin(request, twin_of):
    return twin_of(DESIGNS[request.param])


def run_of(packed, inputs, *, first: int = 0, layers: int | None = None, tags=None, **fields: int):
    """A run packet with any record: inputs are those of layer `first`, in the order sent."""
    width = -(-inputs.shape[1] // 4) * 4
    lanes = np.zeros((len(inputs), width), np.int16)
    lanes[:, : inputs.shape[1]] = inputs
    beats = as_sent(packed.design, lanes.view("<u8"))
    if tags is not None:
        beats = np.concatenate([np.array(tags, "<u8")[:, None], beats], axis=1)
    record = {
        "network_id": packed.network_id,
        "batch": len(inputs),
        "first": first,
        "tagged": int(tags is not None),
        "layers": len(packed.layers) if layers is None else layers,
        "outputs": len(inputs),
    }
    return build_packet(Kind.RUN, 5, np.concatenate([RUN.build(**record | fields), beats.ravel()]))


@pytest.mark.parametrize("name", NAMED)
def test_named_networks(twin, name) -> None:
    network = named_network(name)
    for vectors in (1, 7):
        inputs = random_inputs(network, vectors, seed=2)
        assert np.array_equal(twin.run(network, inputs), evaluate(network, inputs).outputs)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(network=graph_networks(), vectors=st.integers(0, 9), seed=st.integers(0, 99))
def test_any_network_that_holds_and_adds(twin, network, vectors, seed) -> None:
    inputs = random_inputs(network, vectors, seed)
    assert np.array_equal(twin.run(network, inputs), evaluate(network, inputs).outputs)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(network=graph_networks(chains=(2, 4)), data=st.data())
def test_any_range_of_layers(twin, network, data) -> None:
    """Ranges that layers allow are run, and others refused; the states of lanes are no matter."""
    packed = pack(network, twin.design)
    assert twin.status(packed.load_packet()) is Status.OK
    count = len(packed.layers)
    first = data.draw(st.integers(0, count - 1), "first")
    layers = data.draw(st.integers(0, count + 1 - first), "layers")
    width = packed.layers[first].layer.columns
    inputs = np.random.default_rng(first).integers(-2000, 2000, (5, width)).astype(np.int16)
    status = twin.status(run_of(packed, inputs, first=first, layers=layers))
    assert status in (Status.OK, Status.BAD_LAYERS)
    assert status is Status.OK or (first, layers) != (0, count)
    assert twin.status(build_packet(Kind.COUNTERS, 3)) is Status.OK


@settings(max_examples=30, deadline=None, derandomize=True)
@given(network=graph_networks(chains=(2, 4)), data=st.data())
def test_any_tags(twin, network, data) -> None:
    """Vectors in any lanes, some of which go on with a state that is not there, or are no tags."""
    packed = pack(network, twin.design)
    assert twin.status(packed.load_packet()) is Status.OK
    inputs = random_inputs(network, data.draw(st.integers(0, 8), "vectors"), 3)
    lanes = packed.held.lanes
    tag = st.one_of(
        st.builds(lambda lane: lane | 0x10100, st.integers(0, max(lanes - 1, 0))),
        st.builds(lambda lane: lane | 0x10000, st.integers(0, max(lanes - 1, 0))),
        st.integers(0, 0x20220),
    )
    good = data.draw(st.booleans(), "good")
    few = st.builds(lambda lane: lane | 0x10100, st.integers(0, max(lanes - 1, 0)))
    tags = data.draw(
        st.lists(few if good else tag, min_size=len(inputs), max_size=len(inputs)), "tags"
    )
    status = twin.status(run_of(packed, packed.in_order_sent(inputs), tags=tags))
    if lanes == 0 or packed.design.abreast > 1:
        assert status is Status.BAD_LAYERS
    elif good:
        assert status is Status.OK
    else:
        assert status in (Status.OK, Status.BAD_TAG, Status.NO_STATE)
    assert twin.status(build_packet(Kind.COUNTERS, 3)) is Status.OK
    # Lanes that were started go on, unless the run was void.
    again = [lane | 0x10000 for lane in {each & 0xFF for each in tags} if lane < lanes]
    if again:
        more = packed.in_order_sent(random_inputs(network, len(again), 4))
        status_again = twin.status(run_of(packed, more, tags=again))
        alike = Status.OK if packed.design.abreast == 1 else Status.BAD_LAYERS
        assert (status_again is alike) == (status is alike)
