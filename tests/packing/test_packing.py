"""What goes into a load, read back by hand; and unpacking as the inverse of packing."""

from __future__ import annotations

import dataclasses
import itertools
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_graphs import graph_networks

from eie.hls.boundary.errors import InputError
from eie.hls.spec.design import Design
from eie.hls.spec.packets import Kind, parse_packet
from eie.host.network import INPUT, Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack, unpack
from eie.host.packing.row_assignment import ASSIGNMENTS as ASSIGNMENTS_BY_NAME

SETTINGS = settings(max_examples=100, deadline=None, derandomize=True, database=None)
PES = st.sampled_from([1 << power for power in range(9)])
ASSIGNMENTS = st.sampled_from(ASSIGNMENTS_BY_NAME)
ABREAST = st.sampled_from([1, 2, 4])


@st.composite
def shapes(draw: st.DrawFn) -> tuple[tuple[int, ...], float, int]:
    """Sizes of a network's vectors, its density, and a seed."""
    sizes = draw(st.lists(st.integers(1, 60), min_size=2, max_size=4))
    density = draw(st.sampled_from([0.0, 0.03, 0.3, 1.0]))
    return tuple(sizes), density, draw(st.integers(0, 1 << 20))


def words(beats: np.ndarray) -> list[int]:
    return [int(beat) for beat in beats]


def lanes(beats: np.ndarray, bits: int, *, signed: bool = False) -> list[int]:
    """Numbers of `bits` bits out of beats, lowest first."""
    values = [
        beat >> low & ((1 << bits) - 1) for beat in words(beats) for low in range(0, 64, bits)
    ]
    return [v - (1 << bits) if signed and v >> (bits - 1) else v for v in values]


def read_load(packed: PackedNetwork) -> tuple[list[int], dict[tuple[int, int], np.ndarray]]:
    """The NETWORK record's two beats, and the beats of each section by kind and PE."""
    packet = parse_packet(packed.load_packet(9))
    assert (packet.kind, packet.sequence) == (Kind.LOAD, 9)
    sections, position = {}, 2
    while position < len(packet.payload):
        start = int(packet.payload[position])
        kind, pe, length = start & 0xFF, start >> 16 & 0xFFFF, start >> 32
        assert start >> 8 & 0xFF == 0
        assert (kind, pe) not in sections
        sections[kind, pe] = packet.payload[position + 1 : position + 1 + length]
        assert len(sections[kind, pe]) == length
        position += 1 + length
    return words(packet.payload[:2]), sections


def weights_in_load(packed: PackedNetwork) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights (rows, columns) and biases (rows,) of each layer, by slot, as the PEs would see them.

    Follows the text of docs/reference/packets.md and nothing else.
    """
    design = packed.design
    _, sections = read_load(packed)
    described = words(sections[1, 0xFFFF])
    codebooks = lanes(sections[2, 0xFFFF], 16, signed=True)
    layers = []
    for number in range(len(described) // 5):
        one, two, three = described[5 * number : 5 * number + 3]
        columns, rows = one & 0xFFFFFFFF, one >> 32
        pointer_base, bias_base = two & 0xFFFFFFFF, two >> 32
        local_rows = three & 0xFFFFFFFF
        weights = np.zeros((local_rows * design.pes, columns), np.int64)
        biases = np.zeros(local_rows * design.pes, np.int64)
        for pe in range(design.pes):
            if design.length_bits:
                one = design.length_bits <= 5
                records = words(sections[3, pe][(1 if one else 2) * pointer_base :])
                bases = [beat & 0xFFFFFF for beat in records[:: 1 if one else 2]]
                lanes_of = [beat >> 24 for beat in records] if one else records[1::2]
                width = 5 if one else 8
                lengths = [
                    [beat >> width * place & (1 << width) - 1 for place in range(8)]
                    for beat in lanes_of
                ]
                extents = [
                    (base + sum(of[:place]), base + sum(of[: place + 1]))
                    for base, of in zip(bases, lengths, strict=True)
                    for place in range(8)
                ]
            else:
                pointers = lanes(sections[3, pe], 32)[2 * pointer_base :]
                extents = list(itertools.pairwise(pointers))
            entries = lanes(sections[5, pe], 64 // design.entries_per_word)
            if not three >> 56:  # it does not accumulate
                of_pe = lanes(sections[4, pe], 64, signed=True)[bias_base : bias_base + local_rows]
                biases[pe :: design.pes] = of_pe
            for column in range(columns):
                row = -1
                for entry in entries[slice(*extents[column])]:
                    row += 1 + (entry & ((1 << design.index_bits) - 1))
                    weight = codebooks[16 * number + (entry >> design.index_bits)]
                    weights[row * design.pes + pe, column] += weight
        assert not weights[rows:].any()
        assert not biases[rows:].any()
        layers.append((weights[:rows], biases[:rows]))
    return layers


@SETTINGS
@given(shapes(), PES, st.integers(3, 8), ASSIGNMENTS)
def test_unpacking_is_the_inverse_of_packing(random_network, roomy, shape, pes, bits, assignment):
    sizes, density, seed = shape
    network = random_network(*sizes, density=density, seed=seed, golden=1)
    packed = pack(network, roomy(pes, bits), assignment=assignment)
    again = unpack(packed)
    assert again == network
    for mine, theirs in zip(again.layers, network.layers, strict=True):
        assert np.array_equal(mine.dense_codes(), theirs.dense_codes())


@settings(SETTINGS, max_examples=40)
@given(
    shapes(),
    st.sampled_from([1, 2, 4, 8, 32]),
    st.integers(3, 8),
    ASSIGNMENTS,
    st.sampled_from([0, 5, 7, 8]),
)
def test_a_load_holds_the_network(random_network, roomy, shape, pes, bits, assignment, length_bits):
    sizes, density, seed = shape
    network = random_network(*sizes, density=density, seed=seed)
    # A lone PE may have all 60 rows of a column.
    length_bits += pes == 1 and length_bits == 5
    packed = pack(network, roomy(pes, bits, length_bits=length_bits), assignment=assignment)
    check_load(packed)


FUNCTIONS = ("none", "relu", "leaky_relu", "sigmoid", "tanh", "lstm", "gru")


@settings(SETTINGS, max_examples=60)
@given(graph_networks(activations=FUNCTIONS), st.sampled_from([1, 2, 4, 8, 32]), ASSIGNMENTS)
def test_a_load_holds_a_graph(roomy, network, pes, assignment):
    design = roomy(pes, held_activations=1 << 12, cell_units=2, layers=16)
    packed = pack(network, design, assignment=assignment)
    assert unpack(packed) == network
    check_load(packed)


def check_load(packed: PackedNetwork) -> None:
    """Hold a load against the network, layer by layer."""
    orders = {INPUT: packed.layers[0].slot_of_column}
    for index, (part, (weights, biases)) in enumerate(
        zip(packed.layers, weights_in_load(packed), strict=True)
    ):
        slot, layer = part.slot_of_row, part.layer
        orders[index] = part.place_of_result
        order = orders[index - 1 if layer.source is None else layer.source]
        assert np.array_equal(weights[slot][:, order], layer.dense_weights())
        assert np.array_equal(biases[slot], layer.bias)


def test_the_sections_are_those_of_the_format(random_network, roomy):
    network = random_network(37, 21, 6)
    packed = pack(network, roomy(8, 5))
    start, sections = read_load(packed)
    assert list(sections) == [
        (1, 0xFFFF),
        (2, 0xFFFF),
        *((kind, pe) for pe in range(8) for kind in (3, 4, 5)),
    ]
    assert start == [packed.network_id | 2 << 32, 0]
    layers = lanes(sections[1, 0xFFFF], 32)
    # columns, rows, pointer base in pairs, bias base, local rows, shift.
    assert layers[:6] == [37, 21, 0, 0, 4, 8]
    assert layers[10:16] == [21, 6, 19, 4, 2, 8]
    # Lowest and highest code; no source and nothing held, and a run may begin and end with either.
    assert layers[6:10] == [32767 << 16, 0, 1 << 16 | 1 << 24, 0]
    assert layers[16:] == [32767 << 16 | 32768, 0, 1 << 16 | 1 << 24, 0]
    for pe in range(8):
        assert len(sections[3, pe]) == 19 + 11
        assert len(sections[4, pe]) == 4 + 2
    # Entries of nine bits have lanes of sixteen.
    total = [len(sections[5, pe]) for pe in range(8)]
    last = packed.layers[-1]
    assert total == [-(-int(n) // 4) for n in last.entry_base + np.diff(last.encoded.pe_starts)]


def test_the_identity_is_the_crc_of_the_sections_and_never_0(random_network, roomy):
    packed = pack(random_network(9, 5), roomy(2))
    payload = parse_packet(packed.load_packet()).payload
    assert packed.network_id == zlib.crc32(payload[2:].tobytes())
    other = pack(random_network(9, 5, seed=1), roomy(2))
    assert other.network_id != packed.network_id
    assert pack(random_network(9, 5), roomy(2)).network_id == packed.network_id


@settings(SETTINGS, max_examples=30)
@given(st.integers(1, 20), st.integers(0, 5), st.integers(0, 1000))
def test_a_run_holds_the_vectors(random_network, roomy, inputs, batch, seed):
    packed = pack(random_network(inputs, 3), roomy(1))
    random = np.random.default_rng(seed)
    codes = random.integers(-32768, 32768, (batch, inputs)).astype(np.int16)
    packet = parse_packet(packed.run_packet(codes, 5))
    assert (packet.kind, packet.sequence) == (Kind.RUN, 5)
    assert int(packet.payload[0]) == packed.network_id | batch << 32
    assert int(packet.payload[1]) == 1 << 16 | batch << 32  # a layer, and so many outputs
    values = np.array(lanes(packet.payload[2:], 16, signed=True)).reshape(
        batch, -(-inputs // 4) * 4
    )
    assert np.array_equal(values[:, packed.layers[0].slot_of_column], codes)
    assert not values[:, inputs:].any()


def as_they_travel(pes, abreast, vectors):
    """Beats of vectors in the order of a packet: of a group a block of each vector in turn."""
    block = max(pes, 16) // 4
    batch, beats = vectors.shape
    return [
        vectors[vector, beat]
        for group in range(0, batch, abreast)
        for start in range(0, beats, block)
        for vector in range(group, min(group + abreast, batch))
        for beat in range(start, min(start + block, beats))
    ]


@settings(SETTINGS, max_examples=30)
@given(st.integers(1, 99), PES, ABREAST, st.integers(0, 6), ASSIGNMENTS)
def test_outputs_are_put_back_in_order(
    random_network, roomy, outputs, pes, abreast, batch, assignment
):
    packed = pack(random_network(5, outputs), roomy(pes, abreast=abreast), assignment=assignment)
    expected = np.arange(batch * outputs, dtype=np.int16).reshape(batch, outputs)
    by_slot = np.full((batch, packed.output_beats * 4), -1, np.int16)
    by_slot[:, packed.layers[-1].slot_of_row] = expected
    answer = np.array([*as_they_travel(pes, abreast, by_slot.view("<u8")), 77], "<u8")
    assert len(answer) == packed.answer_beats(batch)
    outputs_read = packed.read_outputs(answer)
    assert packed.read_saturated(answer) == (77,)
    assert outputs_read.dtype == np.int16
    assert np.array_equal(outputs_read, expected)
    # In place: a part of a larger array, and nothing around it.
    whole = np.full((batch + 2, outputs), 77, np.int16)
    packed.read_outputs(answer, whole[1:-1])
    assert np.array_equal(whole[1:-1], expected)
    assert (whole[[0, -1]] == 77).all()


@settings(SETTINGS, max_examples=30)
@given(st.integers(1, 99), PES, ABREAST, st.integers(0, 6), ASSIGNMENTS)
def test_inputs_are_written_in_the_order_sent(
    random_network, roomy, inputs, pes, abreast, batch, assignment
):
    packed = pack(random_network(inputs, 3), roomy(pes, abreast=abreast), assignment=assignment)
    codes = np.arange(1, batch * inputs + 1, dtype=np.int16).reshape(batch, inputs)
    lanes = np.full((batch, packed.input_beats * 4), -1, np.int16)
    packed.write_inputs(codes, lanes)
    by_slot = np.zeros_like(lanes)
    by_slot[:, packed.layers[0].slot_of_column] = codes
    travelling = as_they_travel(pes, abreast, by_slot.view("<u8"))
    assert lanes.view("<u8").ravel().tolist() == travelling
    lanes = by_slot
    sent = packed.in_order_sent(codes)
    assert sent.dtype == np.int16
    assert np.array_equal(sent, lanes[:, :inputs])


def test_outputs_that_are_not_whole_vectors_are_refused(random_network, roomy):
    packed = pack(random_network(5, 9), roomy(1))
    wrong = "must have whole vectors of 3 beats, and 1 behind them, not"
    for beats in (0, 2, 3, 5):
        with pytest.raises(InputError, match=f"{wrong} {beats} beats"):
            packed.read_outputs(np.zeros(beats, "<u8"))


def test_wrong_inputs_are_refused(random_network, roomy):
    packed = pack(random_network(5, 9), roomy(1))
    for wrong in (np.zeros((1, 5)), np.zeros((1, 6), np.int16), np.zeros(5, np.int16)):
        with pytest.raises(InputError):
            packed.run_packet(wrong)


def test_packing_does_not_depend_on_board_and_clock(random_network, roomy):
    design = roomy(4)
    network = random_network(30, 20)
    other = design.replace(board="zcu104", clock_mhz=300)
    assert pack(network, design).load_packet() == pack(network, other).load_packet()


def test_an_unknown_assignment_is_refused(random_network, roomy):
    with pytest.raises(InputError, match="assignment must be"):
        pack(random_network(5, 5), roomy(1), assignment="best")


def test_metadata_and_golden_vectors_come_back(random_network, roomy):
    network: Network = random_network(6, 4, golden=3)
    network = dataclasses.replace(network, metadata={"accuracy": "97 %"})
    assert unpack(pack(network, roomy(2))) == network


def test_the_largest_number_of_columns(random_network):
    network = random_network(65536, 2, density=0.001)
    design = Design(pes=2, entries_per_pe=8192, pointers_per_pe=65538)
    packed = pack(network, design)
    assert unpack(packed) == network
    (weights, _), *_ = weights_in_load(packed)
    slots, order = packed.layers[0].slot_of_row, packed.layers[0].slot_of_column
    assert np.array_equal(weights[slots][:, order], network.layers[0].dense_weights())
