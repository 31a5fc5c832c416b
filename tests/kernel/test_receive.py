"""The receiver alone: what good and damaged packets become, whatever the streams do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.model.emulator import Emulator
from eie.hls.spec.packets import (
    DESIGN,
    NETWORK,
    SECTION,
    STATUS,
    Kind,
    Status,
    build_packet,
    iterate_sections,
    parse_packet,
)
from eie.host.packing.packer import pack

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def project(project_of, small):
    return project_of(small)


@pytest.fixture(scope="module")
def packed(random_network, small):
    return pack(random_network(9, 20, 6, magnitude=900), small)


@pytest.fixture(scope="module")
def receive(project, drive):
    """Give receive(packet, stalls): the output streams. A fresh receiver has no network."""

    def run(packet: bytes, stalls=None):
        beats = np.frombuffer(packet, "<u8").tolist()
        elements = [[beat, int(place == len(beats) - 1)] for place, beat in enumerate(beats)]
        return drive(project, "receive.cpp", {"packets": elements}, stalls=stalls)

    return run


def stalls_of(data, stall_patterns):
    return {name: data.draw(stall_patterns) for name in ("packets", "tokens", "inputs", "answers")}


def load_tokens(packed, kinds):
    beats = parse_packet(packed.load_packet()).payload
    tokens = [[kinds["LoadBegin"], int(beats[NETWORK.beats - 1])]]
    for fields, body in iterate_sections(packed.sections):
        tokens.append([kinds["Section"], int(SECTION.build(**fields)[0])])
        tokens += [[kinds["Data"], int(beat)] for beat in body]
    return [*tokens, [kinds["PacketEnd"], 0]]


@PROPERTY
@given(data=st.data(), sequence=st.integers(0, 0xFFFF))
def test_good_load(receive, packed, kinds, stall_patterns, data, sequence) -> None:
    got = receive(packed.load_packet(sequence), stalls_of(data, stall_patterns))
    assert got["tokens"] == load_tokens(packed, kinds)
    assert got["answers"] == [
        [Kind.LOAD, sequence, 0, 0, 0],
        [Kind.LOAD, sequence, Status.OK, packed.network_id, 0],
    ]


def test_load_takes_a_cycle_for_each_beat(receive, packed) -> None:
    packet = packed.load_packet()
    # Besides: the CRC in front, the token that begins the load while no beat is read, and the end.
    assert receive(packet)["cycles"] == [[len(packet) // 8 + 3]]


@pytest.mark.parametrize(
    ("kind", "beats", "tokens"),
    [(Kind.IDENTIFY, DESIGN.beats, []), (Kind.COUNTERS, 4 * 8 // 4, ["Report"])],
)
def test_requests_without_payload(receive, kinds, kind, beats, tokens) -> None:
    got = receive(build_packet(kind, 5))
    assert got["tokens"] == [[kinds[name], 0] for name in [*tokens, "PacketEnd"]]
    assert got["answers"] == [[kind, 5, 1, beats, 0], [kind, 5, Status.OK, 0, 0]]


def test_run_after_load(project, drive, packed, kinds) -> None:
    """Two calls of the top function: the receiver keeps what is resident."""
    inputs = np.arange(18, dtype=np.int16).reshape(2, 9)
    packets = [packed.load_packet(1), packed.run_packet(inputs, 2)]
    elements = [
        [beat, int(place == len(beats) - 1)]
        for beats in (np.frombuffer(packet, "<u8").tolist() for packet in packets)
        for place, beat in enumerate(beats)
    ]
    got = drive(project, "receive.cpp", {"packets": elements}, runs=2)
    tokens = got["tokens"][len(load_tokens(packed, kinds)) :]
    padded = np.zeros((2, 12), "<i2")
    padded[:, packed.layers[0].slot_of_column] = inputs
    # Two vectors, from layer 0 on, and one layer more.
    assert tokens == [[kinds["RunBegin"], 2 | 1 << 40], [kinds["PacketEnd"], 0]]
    # A vector of three beats is a word, and the last of it.
    assert got["inputs"] == [[*beats.tolist(), 0, 1] for beats in padded.view("<u8")]
    assert got["answers"][2:] == [
        [Kind.RUN, 2, 2, packed.output_beats, len(packed.layers)],
        [Kind.RUN, 2, Status.OK, packed.network_id, 0],
    ]


def test_refused_run(receive, packed, kinds) -> None:
    got = receive(packed.run_packet(np.ones((3, 9), np.int16), 9))
    assert got["tokens"] == [[kinds["PacketEnd"], 0]]
    assert got["answers"] == [[Kind.RUN, 9, 0, 0, 0], [Kind.RUN, 9, Status.NO_NETWORK, 0, 0]]


@settings(PROPERTY, max_examples=120)
@given(data=st.data())
def test_damage_leaves_what_follows_the_receiver_whole(
    receive, packed, small, kinds, stall_patterns, data
) -> None:
    """Whatever arrives: two answers, a timer's start, every section of the length it says."""
    source = data.draw(st.sampled_from(["load", "run", "identify"]))
    packet = {
        "load": packed.load_packet(3),
        "run": packed.run_packet(np.ones((2, 9), np.int16), 3),
        "identify": build_packet(Kind.IDENTIFY, 3),
    }[source]
    damage = data.draw(st.sampled_from(["cut", "flip", "extend"]))
    if damage == "cut":
        packet = packet[: 8 * data.draw(st.integers(1, len(packet) // 8 - 1))]
    elif damage == "extend":
        packet += bytes(8 * data.draw(st.integers(1, 4)))
    else:
        bit = data.draw(st.integers(0, 8 * len(packet) - 1))
        packet = bytearray(packet)
        packet[bit // 8] ^= 1 << bit % 8
    got = receive(bytes(packet), stalls_of(data, stall_patterns))
    expected = parse_packet(Emulator(small).process(bytes(packet))).payload[-1:]
    (_, _, status, network, _), first = got["answers"][1], got["answers"][0]
    assert {"status": status, "network_id": network} == STATUS.parse(expected)
    assert status != Status.OK
    assert first[:2] == got["answers"][1][:2]
    assert len(got["answers"]) == 2
    assert got["tokens"][-1] == [kinds["PacketEnd"], 0]
    left = 0
    for kind, value in got["tokens"]:
        if left:
            assert kind == kinds["Data"]
            left -= 1
        elif kind == kinds["Section"]:
            left = value >> 32
    assert left == 0
    if damage == "cut" and source == "load" and len(packet) > 8 * (3 + NETWORK.beats):
        assert got["tokens"][0][0] == kinds["LoadBegin"]
