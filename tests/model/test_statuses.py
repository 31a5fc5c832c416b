"""Every status is provoked by a packet, and leaves the state that it must."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from eie.hls.boundary.errors import PacketError
from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    DESIGN,
    MAGIC,
    STATE,
    VERSION,
    Kind,
    Status,
    answer_kind,
    build_packet,
    parse_packet,
)
from eie.host.packing.packer import pack


@pytest.fixture
def packed(random_network, roomy):
    return pack(random_network(9, 7, 5), roomy(2))


@pytest.fixture
def inputs() -> np.ndarray:
    return np.random.default_rng(0).integers(-900, 900, (3, 9)).astype(np.int16)


@pytest.fixture
def talker(talk, packed):
    """An emulator with the network resident."""
    ready = talk(packed.design)
    assert ready.send(packed.load_packet()).status is Status.OK
    return ready


def header(kind: int, length: int, *, magic=MAGIC, version=VERSION, sequence=1) -> bytes:
    start = struct.pack("<IBBHI", magic, version, kind, sequence, length)
    return start + struct.pack("<I", zlib.crc32(start))


def sealed(body: bytes) -> bytes:
    return body + struct.pack("<II", zlib.crc32(body), 0)


def altered(packet: bytes, byte: int) -> bytes:
    return packet[:byte] + bytes([packet[byte] ^ 1]) + packet[byte + 1 :]


BAD_HEADERS = {
    "one beat": (Status.BAD_LENGTH, header(Kind.RUN, 0)[:8]),
    "one byte": (Status.BAD_LENGTH, b"E"),
    "magic": (Status.BAD_MAGIC, sealed(header(Kind.LOAD, 0, magic=MAGIC ^ 1))),
    "zeros": (Status.BAD_MAGIC, bytes(64)),
    "version": (Status.BAD_VERSION, sealed(header(Kind.LOAD, 0, version=VERSION + 1))),
    "header CRC": (Status.BAD_HEADER_CRC, sealed(altered(header(Kind.LOAD, 0), 12))),
    "damaged kind": (Status.BAD_HEADER_CRC, sealed(altered(header(Kind.LOAD, 0), 5))),
    "damaged length": (Status.BAD_HEADER_CRC, sealed(altered(header(Kind.LOAD, 0), 8))),
    "damaged sequence": (Status.BAD_HEADER_CRC, sealed(altered(header(Kind.LOAD, 0), 6))),
    "kind 0": (Status.BAD_KIND, sealed(header(0, 0))),
    "kind 6": (Status.BAD_KIND, sealed(header(6, 0))),
    "an answer": (Status.BAD_KIND, sealed(header(answer_kind(Kind.RUN), 0))),
}


@pytest.mark.parametrize("name", BAD_HEADERS)
def test_a_bad_header_changes_nothing(name, talker, packed, inputs):
    expected, packet = BAD_HEADERS[name]
    good = talker.send(packed.run_packet(inputs))
    counters = talker.ask(Kind.COUNTERS).body
    before = dict(talker.emulator.registers)
    answer = talker.send(packet)
    assert answer.status is expected
    assert len(answer.body) == 0
    assert answer.network_id == packed.network_id
    after = dict(talker.emulator.registers)
    assert after == {
        **before,
        "packets": before["packets"] + 1,
        "errors": before["errors"] + 1,
    }
    assert np.array_equal(talker.ask(Kind.COUNTERS).body, counters)
    again = talker.send(packed.run_packet(inputs))
    assert again.status is Status.OK
    assert np.array_equal(again.body, good.body)


def test_an_answer_repeats_kind_and_sequence(talker, packed, inputs):
    for kind, packet in (
        (Kind.IDENTIFY, build_packet(Kind.IDENTIFY, 0xABCD)),
        (Kind.LOAD, packed.load_packet(0xABCD)),
        (Kind.RUN, packed.run_packet(inputs, 0xABCD)),
        (Kind.COUNTERS, build_packet(Kind.COUNTERS, 0xABCD)),
        (Kind.RUN, altered(packed.run_packet(inputs, 0xABCD), 30)),
    ):
        answer = talker.send(packet)
        assert (answer.kind, answer.sequence) == (answer_kind(kind), 0xABCD)


def test_identify_reports_the_design(talker):
    answer = talker.ask(Kind.IDENTIFY)
    assert answer.status is Status.OK
    assert Design.from_record(DESIGN.parse(answer.body)) == talker.design


@pytest.mark.parametrize("kind", [Kind.IDENTIFY, Kind.COUNTERS])
def test_a_payload_that_nobody_asked_for_is_ignored(kind, talker):
    answer = talker.send(build_packet(kind, 1, np.arange(9, dtype="<u8")))
    assert answer.status is Status.OK
    assert np.array_equal(answer.body, talker.ask(kind).body)


def state_of_none(packed) -> bytes:
    """A state for a layer that has none: refused, once it has the right length."""
    record = STATE.build(network_id=packed.network_id, layer=0, lane=0)
    return build_packet(Kind.STATE, 1, np.concatenate([record, np.zeros(24, "<u8")]))


@pytest.mark.parametrize("kind", list(Kind))
def test_every_early_tlast_is_a_bad_length(kind, talker, packed, inputs):
    packet = {
        Kind.IDENTIFY: build_packet(kind, 1),
        Kind.COUNTERS: build_packet(kind, 1),
        Kind.LOAD: packed.load_packet(),
        Kind.RUN: packed.run_packet(inputs),
        Kind.STATE: state_of_none(packed),
    }[kind]
    for beats in range(1, len(packet) // 8):
        if kind is Kind.RUN:
            assert talker.send(packed.load_packet()).status is Status.OK
        assert talker.send(packet[: 8 * beats]).status is Status.BAD_LENGTH
        # A load that got past its header leaves nothing valid.
        kept = packed.network_id if kind is not Kind.LOAD or beats == 1 else 0
        assert talker.emulator.registers["network_id"] == kept
        if kind is Kind.LOAD:
            assert talker.send(packet).status is Status.OK


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("more", [1, 7, 8, 9, 16, 80])
def test_every_late_tlast_is_a_bad_length(kind, more, talker, packed, inputs):
    packet = {
        Kind.IDENTIFY: build_packet(kind, 1),
        Kind.COUNTERS: build_packet(kind, 1),
        Kind.LOAD: packed.load_packet(),
        Kind.RUN: packed.run_packet(inputs),
        Kind.STATE: state_of_none(packed),
    }[kind]
    assert talker.send(packet + bytes(more)).status is Status.BAD_LENGTH
    kept = 0 if kind is Kind.LOAD else packed.network_id
    assert talker.emulator.registers["network_id"] == kept


@pytest.mark.parametrize(("kind", "beats"), [(Kind.LOAD, 0), (Kind.LOAD, 1), (Kind.RUN, 0)])
def test_a_sound_packet_too_short_for_its_record_is_a_bad_length(kind, beats, talker, packed):
    answer = talker.send(build_packet(kind, 1, np.zeros(beats, np.uint64)))
    assert (answer.status, len(answer.body)) == (Status.BAD_LENGTH, 0)


def test_a_packet_cut_within_a_beat_is_filled_up(talker, packed, inputs):
    packet = packed.run_packet(inputs)
    # The upper half of the trailer is zero anyway.
    assert talker.send(packet[:-4]).status is Status.OK
    assert talker.send(packet[:-9]).status is Status.BAD_LENGTH


def test_a_damaged_run_is_void_and_the_network_stays(talker, packed, inputs):
    packet = packed.run_packet(inputs)
    for byte in range(24, len(packet) - 4):
        answer = talker.send(altered(packet, byte))
        assert answer.status is Status.BAD_CRC
        assert answer.network_id == packed.network_id
    assert talker.send(packet).status is Status.OK


def test_a_damaged_load_leaves_no_valid_network(talker, packed, inputs):
    load, run = packed.load_packet(), packed.run_packet(inputs)
    good = talker.send(run)
    for byte in range(16, len(load) - 4, 3):
        answer = talker.send(altered(load, byte))
        assert answer.status in (Status.BAD_CRC, Status.BAD_SECTION, Status.BAD_LENGTH)
        assert answer.network_id == 0
        refused = talker.send(run)
        assert (refused.status, refused.network_id) == (Status.NO_NETWORK, 0)
        assert len(refused.body) == 0
    assert talker.send(load).status is Status.OK
    assert np.array_equal(talker.send(run).body, good.body)


def test_a_run_without_a_network_is_refused(talk, packed, inputs):
    fresh = talk(packed.design)
    answer = fresh.send(packed.run_packet(inputs))
    assert (answer.status, answer.network_id) == (Status.NO_NETWORK, 0)
    assert len(answer.body) == 0


def test_a_run_for_another_network_is_refused(talker, packed, inputs, random_network):
    other = pack(random_network(9, 7, 5, seed=1), packed.design)
    answer = talker.send(other.run_packet(inputs))
    assert (answer.status, answer.network_id) == (Status.WRONG_NETWORK, packed.network_id)
    assert len(answer.body) == 0
    assert talker.send(packed.run_packet(inputs)).status is Status.OK


@pytest.mark.parametrize("batch", [0, 2, 4, 0xFFFFFFFF])
def test_a_run_with_the_wrong_batch_is_refused(batch, talker, packed, inputs):
    payload = parse_packet(packed.run_packet(inputs)).payload.copy()
    payload[0] = packed.network_id | batch << 32
    answer = talker.send(build_packet(Kind.RUN, 1, payload))
    assert (answer.status, answer.network_id) == (Status.BAD_BATCH, packed.network_id)
    assert len(answer.body) == 0


def test_a_refused_run_that_is_damaged_too_says_so(talker, packed, random_network, inputs):
    other = pack(random_network(9, 7, 5, seed=1), packed.design).run_packet(inputs)
    assert talker.send(altered(other, len(other) - 12)).status is Status.BAD_CRC
    assert talker.send(other[:-8]).status is Status.BAD_LENGTH


@pytest.mark.parametrize("payload", [0, 1, 2, 5])
def test_a_run_too_short_for_its_record_is_a_bad_length(payload, talker, packed):
    # The receiver reads the record whatever the header says, and then up to TLAST.
    answer = talker.send(sealed(header(Kind.RUN, 0) + bytes(8 * payload)))
    assert (answer.status, answer.network_id) == (Status.BAD_LENGTH, packed.network_id)


def test_a_refused_run_leaves_the_counters(talker, packed, inputs):
    talker.send(packed.run_packet(inputs))
    before = talker.ask(Kind.COUNTERS).body
    payload = parse_packet(packed.run_packet(inputs)).payload.copy()
    payload[0] = 1
    assert talker.send(build_packet(Kind.RUN, 1, payload)).status is Status.WRONG_NETWORK
    assert np.array_equal(talker.ask(Kind.COUNTERS).body, before)


def sections_of(packed) -> tuple[np.ndarray, list[np.ndarray]]:
    """The NETWORK record, and each section with its record."""
    payload = parse_packet(packed.load_packet()).payload
    parts, position = [], 2
    while position < len(payload):
        stop = position + 1 + (int(payload[position]) >> 32)
        parts.append(payload[position:stop].copy())
        position = stop
    return payload[:2].copy(), parts


def load_of(start: np.ndarray, parts: list[np.ndarray]) -> bytes:
    return build_packet(Kind.LOAD, 1, np.concatenate([start, *parts]))


def record(section: int, pe: int, length: int) -> np.ndarray:
    return np.array([section | pe << 16 | length << 32], "<u8")


def grown(part: np.ndarray, length: int) -> np.ndarray:
    """The section, filled up to another length."""
    start = np.array([int(part[0]) & 0xFFFFFFFF | length << 32], "<u8")
    return np.concatenate([start, part[1:], np.zeros(length - len(part) + 1, "<u8")])


BAD_SECTIONS = {
    "unknown section": lambda d, s, p: (s, [record(6, 0, 0), *p[1:]]),
    "section 0": lambda d, s, p: (s, [record(0, 0, 0), *p[1:]]),
    "a PE that there is not": lambda d, s, p: (s, [*p[:-1], record(5, d.pes, 0)]),
    "layers for one PE": lambda d, s, p: (s, [record(1, 0, 0), *p[1:]]),
    "biases for all PEs": lambda d, s, p: (s, [*p[:-1], record(4, 0xFFFF, 0)]),
    "one section too few": lambda d, s, p: (s, p[:-1]),
    "one section too many": lambda d, s, p: (s, [*p, record(5, 0, 0)]),
    "no section": lambda d, s, p: (s, []),
    "a section cut short": lambda d, s, p: (s, [*p[:-1], p[-1][:-1]]),
    "no layer": lambda d, s, p: (s & 0xFFFFFFFF, p),
    "too many layers": lambda d, s, p: (s | np.array([(d.layers + 1) << 32, 0], "<u8"), p),
    "layers too long": lambda d, s, p: (s, [grown(p[0], d.layers * 3 + 1), *p[1:]]),
    "codebooks too long": lambda d, s, p: (s, [p[0], grown(p[1], d.layers * 4 + 1), *p[2:]]),
    "pointers too long": lambda d, s, p: (
        s,
        [*p[:2], grown(p[2], d.pointers_per_pe // 2 + 1), *p[3:]],
    ),
    "biases too long": lambda d, s, p: (s, [*p[:3], grown(p[3], d.biases_per_pe + 1), *p[4:]]),
    "entries too long": lambda d, s, p: (
        s,
        [*p[:4], grown(p[4], d.entry_words_per_pe + 1), *p[5:]],
    ),
    "no network record": lambda d, s, p: (s[:1], []),
    "nothing": lambda d, s, p: (s[:0], []),
}


@pytest.mark.parametrize("name", BAD_SECTIONS)
def test_a_load_of_bad_sections_leaves_no_valid_network(name, talker, packed, inputs):
    packet = load_of(*BAD_SECTIONS[name](packed.design, *sections_of(packed)))
    answer = talker.send(packet)
    # A load without its record is read two beats on, past its end.
    expected = Status.BAD_LENGTH if len(packet) < 24 + 16 else Status.BAD_SECTION
    assert (answer.status, answer.network_id) == (expected, 0)
    assert talker.send(packed.run_packet(inputs)).status is Status.NO_NETWORK
    assert talker.send(packed.load_packet()).status is Status.OK
    assert talker.send(packed.run_packet(inputs)).status is Status.OK


def test_sections_as_long_as_their_memories_are_good(talk, packed, inputs):
    last = packed.layers[-1]
    entries = last.entry_base + np.diff(last.encoded.pe_starts)
    full = packed.design.replace(
        pointers_per_pe=last.pointer_base + packed.design.pointers_of(last.layer.columns),
        biases_per_pe=last.bias_base + last.local_rows,
        entries_per_pe=-(-int(entries.max()) // 8) * 8,
        rows_per_pe=max(part.local_rows for part in packed.layers),
        layers=len(packed.layers),
    )
    answers = []
    for design in (packed.design, full):
        talker = talk(design)
        assert talker.send(packed.on(design).load_packet()).status is Status.OK
        answers.append(talker.send(packed.on(design).run_packet(inputs)).body)
    assert np.array_equal(*answers)


def test_a_section_that_fills_its_memory_with_more_than_it_needs_is_refused(talker, packed):
    start, parts = sections_of(packed)
    design = packed.design
    for at, length in (
        (2, design.pointers_per_pe // 2),
        (3, design.biases_per_pe),
        (4, design.entry_words_per_pe),
    ):
        for more, status in ((0, Status.BAD_CONTENTS), (1, Status.BAD_SECTION)):
            of_each_pe = [
                grown(p, length + more) if i in (at, at + 3) else p for i, p in enumerate(parts)
            ]
            assert talker.send(load_of(start, of_each_pe)).status is status


def test_every_status_but_ok_counts_as_an_error(talker, packed, inputs):
    before = dict(talker.emulator.registers)
    talker.send(packed.run_packet(inputs))
    talker.send(bytes(24))
    talker.send(b"x")
    talker.ask(Kind.IDENTIFY)
    after = dict(talker.emulator.registers)
    assert after["packets"] - before["packets"] == 4
    assert after["errors"] - before["errors"] == 2


def test_registers_are_zero_before_the_first_packet(talk, packed):
    fresh = talk(packed.design)
    assert set(fresh.emulator.registers.values()) == {0}
    fresh.ask(Kind.IDENTIFY)
    registers = fresh.emulator.registers
    assert registers["design_id"] == packed.design.id
    assert registers["format_version"] == VERSION
    fresh.emulator.close()
    fresh.emulator.close()


def test_counters_before_the_first_run_are_zero(talk, packed):
    answer = talk(packed.design).ask(Kind.COUNTERS)
    assert answer.status is Status.OK
    assert len(answer.body) == 1 + 2 * packed.design.pes
    assert not answer.body.any()


def test_an_empty_packet_cannot_be_sent(talker):
    with pytest.raises(PacketError, match="at least one byte, not 0"):
        talker.emulator.process(b"")
