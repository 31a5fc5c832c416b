from __future__ import annotations

import itertools
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import PacketError
from eie.hls.spec.packets import (
    BEAT_BYTES,
    COUNTER_ROWS,
    HEADER,
    MAGIC,
    RECORDS,
    SECTION,
    STATUS,
    TRAILER,
    VERSION,
    Kind,
    Section,
    Status,
    answer_kind,
    build_packet,
    iterate_sections,
    parse_packet,
)
from eie.hls.spec.record import Record

SETTINGS = settings(max_examples=100, deadline=None, derandomize=True, database=None)
PAYLOADS = st.lists(st.integers(0, (1 << 64) - 1), max_size=12)
BY_NAME = {record.name: record for record in RECORDS}


@st.composite
def filled(draw: st.DrawFn) -> tuple[Record, dict[str, int]]:
    record = draw(st.sampled_from(RECORDS))
    return record, {f.name: draw(st.integers(0, (1 << f.bits) - 1)) for f in record.fields}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_fields_do_not_overlap_and_lie_within_a_beat(record):
    taken: set[int] = set()
    for field in record.fields:
        bits = set(range(field.offset, field.offset + field.bits))
        assert not bits & taken
        taken |= bits
        assert field.offset // 64 == (field.offset + field.bits - 1) // 64 == field.beat
        assert field.low == field.offset - 64 * field.beat
        assert field.bits in (8, 16, 32, 64)
    assert record.beats == max(taken) // 64 + 1
    assert all(field.text for field in record.fields) and record.text


def test_names_are_unique():
    assert len(BY_NAME) == len(RECORDS)
    for record in RECORDS:
        names = [field.name for field in record.fields]
        assert len(set(names)) == len(names)


def test_numbers_of_kinds_sections_and_statuses_are_the_formats():
    assert [int(kind) for kind in Kind] == [1, 2, 3, 4, 5]
    assert [int(section) for section in Section] == [1, 2, 3, 4, 5]
    assert [int(status) for status in Status] == list(range(15))
    assert len(COUNTER_ROWS) == 8
    assert (MAGIC, VERSION, BEAT_BYTES) == (0x50454945, 3, 8)
    assert [answer_kind(kind) for kind in Kind] == [0x81, 0x82, 0x83, 0x84, 0x85]


@SETTINGS
@given(filled())
def test_a_record_gives_back_what_was_put_in(record_and_values):
    record, values = record_and_values
    beats = record.build(**values)
    assert beats.dtype == np.dtype("<u8")
    assert len(beats) == record.beats
    assert record.parse(beats) == values


@SETTINGS
@given(filled(), st.integers(0, 1 << 30))
def test_every_field_has_bits_of_its_own(record_and_values, pick):
    record, values = record_and_values
    field = record.fields[pick % len(record.fields)]
    other = values[field.name] ^ 1
    changed = record.build(**{**values, field.name: other})
    difference = int.from_bytes(changed.tobytes(), "little") ^ int.from_bytes(
        record.build(**values).tobytes(), "little"
    )
    assert difference == 1 << field.offset


def test_a_field_that_is_not_there_and_values_that_do_not_fit_are_reported_at_once():
    with pytest.raises(PacketError) as caught:
        SECTION.build(section=256, pe=-1, length=0, colour=3)
    for problem in ("3 problems", "section must fit 8 bits, not 256", "pe must fit", "'colour'"):
        assert problem in str(caught.value)


def test_a_record_cut_short_is_refused():
    for record in RECORDS:
        with pytest.raises(PacketError, match=f"record {record.name} must have .* truncated"):
            record.parse(np.zeros(record.beats - 1, "<u8"))


@SETTINGS
@given(st.sampled_from(Kind), st.integers(0, 0xFFFF), PAYLOADS)
def test_a_packet_gives_back_what_was_put_in(kind, sequence, payload):
    beats = np.array(payload, "<u8")
    data = build_packet(kind, sequence, beats)
    packet = parse_packet(data)
    assert (packet.kind, packet.sequence) == (kind, sequence)
    assert packet.payload.tolist() == payload
    # The same, by hand.
    start = struct.pack("<4sBBHI", b"EIEP", 3, kind, sequence, len(payload))
    body = start + struct.pack("<I", zlib.crc32(start)) + struct.pack(f"<{len(payload)}Q", *payload)
    assert data == body + struct.pack("<II", zlib.crc32(body), 0)


@pytest.mark.parametrize("kind_of_buffer", [bytes, bytearray, memoryview])
def test_a_packet_is_taken_out_of_any_buffer(kind_of_buffer):
    assert parse_packet(kind_of_buffer(build_packet(Kind.RUN, 7))).sequence == 7


def test_a_sequence_number_wraps():
    assert parse_packet(build_packet(Kind.RUN, 0x1FFFF)).sequence == 0xFFFF


@SETTINGS
@given(PAYLOADS)
def test_every_truncation_is_refused(payload):
    data = build_packet(Kind.LOAD, 3, np.array(payload, "<u8"))
    for length in range(len(data)):
        with pytest.raises(PacketError):
            parse_packet(data[:length])


def test_every_extension_is_refused():
    data = build_packet(Kind.LOAD, 3, np.arange(5, dtype="<u8"))
    for more in range(1, 25):
        with pytest.raises(PacketError):
            parse_packet(data + bytes(more))


def test_every_single_bit_flip_is_refused():
    data = build_packet(Kind.LOAD, 3, np.arange(5, dtype="<u8"))
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(PacketError):
            parse_packet(bytes(damaged))


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (0, b"EIEQ", "magic must be 0x50454945, not 0x51454945"),
        (4, b"\x01", "version must be 3, not 1"),
        (12, bytes(4), "CRC must be .*, not 0x00000000"),
        (16, b"\xff", "altered on the way"),
        (-8, bytes(4), "altered on the way"),
        (-1, b"\x01", "altered on the way"),
    ],
)
def test_what_is_wrong_with_a_packet_is_said(offset, value, message):
    data = bytearray(build_packet(Kind.RUN, 1, np.arange(3, dtype="<u8")))
    start = offset % len(data)
    data[start : start + len(value)] = value
    with pytest.raises(PacketError, match=message):
        parse_packet(bytes(data))


def test_a_wrong_length_is_refused_even_with_good_crcs():
    start = struct.pack("<IBBHI", MAGIC, VERSION, Kind.RUN, 1, 3)
    body = start + struct.pack("<I", zlib.crc32(start)) + bytes(16)
    with pytest.raises(PacketError, match="must have 3 beats of payload, not 2"):
        parse_packet(body + struct.pack("<II", zlib.crc32(body), 0))


@SETTINGS
@given(
    st.lists(st.tuples(st.sampled_from(Section), st.integers(0, 0xFFFF), PAYLOADS), max_size=5),
    st.integers(0, 1 << 30),
)
def test_sections_are_found_and_a_cut_through_one_is_refused(sections, cut):
    parts = []
    for section, pe, body in sections:
        parts += [SECTION.build(section=section, pe=pe, length=len(body)), np.array(body, "<u8")]
    beats = np.concatenate([np.zeros(0, "<u8"), *parts])
    found = [(f["section"], f["pe"], body.tolist()) for f, body in iterate_sections(beats)]
    assert found == sections
    ends = {0, *itertools.accumulate(1 + len(body) for _, _, body in sections)}
    cut %= len(beats) + 1
    if cut not in ends:
        with pytest.raises(PacketError, match=r"section at beat .* must have"):
            list(iterate_sections(beats[:cut]))


def test_a_packet_is_never_shorter_than_header_and_trailer():
    assert len(build_packet(Kind.IDENTIFY, 0)) == (HEADER.beats + TRAILER.beats) * BEAT_BYTES == 24
    assert STATUS.beats == 1
