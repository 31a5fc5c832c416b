"""Where held words lie, and what a design must have for networks that hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from network_graphs import NAMED, Builder, graph_networks, named_network

from eie.hls.boundary.errors import DesignError, DoesNotFitError, InputError
from eie.hls.spec.packets import LAYER, NETWORK, RUN, parse_packet
from eie.host.network import INPUT, Network
from eie.host.packing.held_memory import HeldMemory, lay_out
from eie.host.packing.packer import pack
from eie.host.packing.run_tags import RunTags
from eie.host.search.fit import fit

SETTINGS = settings(max_examples=150, deadline=None, derandomize=True, database=None)
RECURRENT = ("none", "relu", "lstm", "gru")


def words_of(network: Network, giver: int) -> int:
    width = network.inputs if giver == INPUT else network.layers[giver].results
    return -(-width // 16)


def replay(network: Network, held: HeldMemory) -> None:
    """Take two vectors through a lane, word by word, as the control unit does."""
    memory: dict[int, tuple[int, int, int]] = {}

    def read(giver: int, vector: int) -> None:
        for word in range(words_of(network, giver)):
            assert memory[held.bases[giver] + word] == (giver, word, vector)

    for vector in range(2):
        arrives: int | None = INPUT
        for index, layer in enumerate(network.layers):
            if arrives is not None and arrives in held.bases:
                for word in range(words_of(network, arrives)):
                    assert held.bases[arrives] + word < held.stride
                    memory[held.bases[arrives] + word] = (arrives, word, vector)
            arrives = None if layer.accumulate else index
            if layer.source == index and vector == 0:
                continue  # a start: the state is zero, whatever lies there
            if layer.source is not None:
                read(layer.source, vector - 1 if layer.source == index else vector)
        if arrives in held.bases:  # the state of the last layer
            for word in range(words_of(network, arrives)):
                memory[held.bases[arrives] + word] = (arrives, word, vector)


@SETTINGS
@given(graph_networks(activations=RECURRENT, widths=(1, 70), chains=(1, 5)))
def test_words_are_there_when_they_are_taken(network):
    held = lay_out(network, 1 << 20)
    assert set(held.bases) == set(network.held)
    assert held.lanes == (16 if network.held else 0)
    replay(network, held)


def test_what_is_no_longer_taken_makes_room():
    builder = Builder(64, 0)
    for _ in range(4):
        before = len(builder.layers) - 1
        builder.chain(64, None, activation="relu")
        builder.chain(64, None, before, identity=True)
    network = builder.network()
    held = lay_out(network, 1 << 20)
    assert len(held.bases) == 4
    assert held.stride == 4  # one is not taken any more when the next arrives
    replay(network, held)


@pytest.mark.parametrize(("words", "lanes"), [(4, 1), (7, 1), (8, 2), (31, 7), (1000, 16)])
def test_lanes_are_as_many_as_have_room(words, lanes):
    held = lay_out(named_network("residual", inputs=60), words)
    assert (held.stride, held.lanes) == (4, lanes)
    assert lay_out(named_network("bounds"), words) == HeldMemory(0, 0, {})


def test_records_say_what_is_held_and_where_runs_may_begin(roomy):
    packed = pack(named_network("long residual"), roomy(4, held_activations=1024))
    payload = parse_packet(packed.load_packet()).payload
    network = NETWORK.parse(payload)
    assert (network["lanes"], network["hold"], network["stride"]) == (16, 0, 2)
    layers = [LAYER.parse(payload[NETWORK.beats + 1 + LAYER.beats * index :]) for index in range(5)]
    assert [each["accumulate"] for each in layers] == [0, 0, 1, 0, 0]
    assert [each["source"] for each in layers] == [0, 0, 0, 1, 0]
    assert [each["hold"] for each in layers] == [1, 0, 0, 0, 0]
    assert [each["begins"] for each in layers] == [1, 0, 0, 0, 1]
    assert [each["ends"] for each in layers] == [1, 1, 0, 1, 1]
    # Rows of 30 take 32 in four PEs; the layer that accumulates has no biases.
    assert [each["bias_base"] for each in layers] == [0, 8, 20, 20, 28]
    assert np.array_equal(packed.layers[2].slot_of_row, packed.layers[3].slot_of_row)


def test_a_run_may_begin_behind_what_it_does_not_take(roomy):
    def begins(name: str) -> list[int]:
        packed = pack(named_network(name), roomy(4, held_activations=1024))
        payload = parse_packet(packed.load_packet()).payload[NETWORK.beats + 1 :]
        return [
            LAYER.parse(payload[LAYER.beats * index :])["begins"]
            for index in range(len(packed.layers))
        ]

    assert begins("bounds") == [1, 1, 1, 1]
    assert begins("residual") == [1, 0, 0, 1]
    assert begins("concatenation") == [1, 0, 0, 0, 0]
    # The second layer takes what arrives twice: it is held as the results of the first.
    assert begins("planes") == [1, 0, 0, 0]


@pytest.mark.parametrize("name", [each for each in NAMED if each != "bounds"])
def test_a_memory_too_small_is_named(name, roomy):
    network = named_network(name)
    for abreast in (1, 4):
        need = 16 * lay_out(network, 0).stride * abreast
        packed = pack(network, roomy(4, held_activations=need, abreast=abreast))
        assert packed.held.lanes == 1
        message = rf"needs {need}, holds {need - 16} .*raise held_act"
        with pytest.raises(DoesNotFitError, match=message):
            pack(network, roomy(4, held_activations=need - 16, abreast=abreast))


@pytest.mark.parametrize("activation", ["leaky_relu", "sigmoid", "tanh", "lstm"])
def test_a_function_wants_cell_units(activation, roomy):
    builder = Builder(8, 0)
    builder.chain(12, None, activation=activation, slope=99 * (activation == "leaky_relu"))
    network = builder.network()
    pack(network, roomy(4, cell_units=1, held_activations=1024))
    message = f"layer 'layer[01]' has the function '{activation}' .* no cell unit; set cell_units"
    with pytest.raises(DoesNotFitError, match=message) as caught:
        pack(network, roomy(4, held_activations=1024))
    assert [each.resource for each in caught.value.shortages] == ["cell_units"]
    with pytest.raises(DoesNotFitError, match=f"{message}.* and abreast to 1, not 2"):
        pack(network, roomy(4, held_activations=1024, abreast=2))
    with pytest.raises(DesignError, match=f"abreast must be 1 .* the function '{activation}'"):
        fit(network, "zcu104", abreast=2)


def test_a_group_has_no_tags(roomy):
    packed = pack(named_network("residual", inputs=6), roomy(1, held_activations=64, abreast=2))
    tags = RunTags(np.array([0]), np.array([True]), np.array([True]))
    with pytest.raises(InputError, match="with tags must be of a design with abreast 1, not 2"):
        packed.run_packet(np.zeros((1, 6), np.int16), 0, tags)


def test_tags_stand_before_their_vectors(roomy):
    network = named_network("residual", inputs=6)
    packed = pack(network, roomy(1, held_activations=64))
    assert packed.held.lanes == 4
    codes = np.arange(1, 19, dtype=np.int16).reshape(3, 6)
    tags = RunTags(
        np.array([1, 0, 1]), np.array([True, True, False]), np.array([False, True, True])
    )
    packet = packed.run_packet(codes, 3, tags)
    assert len(packet) == packed.run_packet_bytes(3, tagged=True)
    payload = parse_packet(packet).payload
    run = RUN.parse(payload)
    assert (run["batch"], run["tagged"], run["outputs"], run["layers"]) == (3, 1, 2, 4)
    vectors = payload[RUN.beats :].reshape(3, 3)
    assert vectors[:, 0].tolist() == [1 | 1 << 8, 1 << 8 | 1 << 16, 1 | 1 << 16]
    plain = parse_packet(packed.run_packet(codes, 3)).payload[RUN.beats :].reshape(3, 2)
    assert np.array_equal(vectors[:, 1:], plain)


def test_tags_that_are_none_are_refused(roomy):
    packed = pack(named_network("residual"), roomy(1, held_activations=64))
    codes, yes = np.zeros((2, 30), np.int16), np.ones(2, bool)
    for lanes, wrong in (
        (np.array([0, 2]), "lanes must be 0 to 1, not 2 at vector 1"),
        (np.array([-1, 0]), "lanes must be 0 to 1, not -1 at vector 0"),
    ):
        with pytest.raises(InputError, match=wrong):
            packed.run_packet(codes, 0, RunTags(lanes, yes, yes))
    with pytest.raises(InputError, match="must be 3, one for each vector, not 2"):
        packed.run_packet(np.zeros((3, 30), np.int16), 0, RunTags(np.array([0, 1]), yes, yes))
    with pytest.raises(InputError, match="as many lanes, starts and outputs, not 1, 2 and 2"):
        RunTags(np.array([0]), yes, yes)
    with pytest.raises(InputError, match="starts must be a one-dimensional array of bool"):
        RunTags(np.array([0, 1]), np.ones(2), yes)
