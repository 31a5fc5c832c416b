"""Damaged packets: kernel and emulator answer the same, nothing stops, and good ones work again."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.model.emulator import Emulator
from eie.hls.spec.packets import (
    BEAT_BYTES,
    HEADER,
    NETWORK,
    RUN,
    SECTION,
    TRAILER,
    Kind,
    Status,
    build_packet,
    iterate_sections,
)
from eie.host.packing.packer import pack

PROPERTY = settings(max_examples=250, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def twin(twin_of, small):
    return twin_of(small)


@pytest.fixture(scope="module")
def packed(random_network, small):
    # 37 inputs: the last beat has one activation and three places that hold nothing.
    return pack(random_network(37, 50, 11, magnitude=900), small)


@pytest.fixture(scope="module")
def packets(packed) -> dict[str, bytes]:
    inputs = np.random.default_rng(3).integers(-3000, 3000, (2, 37)).astype(np.int16)
    return {
        "identify": build_packet(Kind.IDENTIFY, 1),
        "load": packed.load_packet(2),
        "run": packed.run_packet(inputs, 3),
        "counters": build_packet(Kind.COUNTERS, 4),
    }


@pytest.fixture
def healthy(twin, packets):
    """Load before the test; after it, check that a good load, run and counters work."""
    assert twin.status(packets["load"]) is Status.OK
    yield
    check_health(twin, packets)


def check_health(twin, packets) -> None:
    for name in ("load", "run", "counters"):
        assert twin.status(packets[name]) is Status.OK


def sign(packet: bytes) -> bytes:
    """Make both CRCs right, so that only the contents are wrong."""
    signed = bytearray(packet)
    struct.pack_into("<I", signed, 12, zlib.crc32(signed[:12]))
    struct.pack_into("<I", signed, len(signed) - 8, zlib.crc32(signed[:-8]))
    return bytes(signed)


def with_length(packet: bytes, length: int) -> bytes:
    """Let the header announce `length` beats of payload, and sign that."""
    changed = bytearray(packet)
    struct.pack_into("<I", changed, 8, length)
    return sign(bytes(changed))


@pytest.mark.parametrize("name", ["identify", "run", "counters"])
def test_cut_at_every_beat(twin, healthy, packets, name) -> None:
    packet = packets[name]
    for beats in range(1, len(packet) // BEAT_BYTES):
        assert twin.status(packet[: BEAT_BYTES * beats]) is Status.BAD_LENGTH
        assert twin.status(packets["run"]) is Status.OK


def test_load_cut_at_every_beat_of_its_first_sections(twin, healthy, packets) -> None:
    packet = packets["load"]
    total = len(packet) // BEAT_BYTES
    for beats in [*range(1, 30), *range(30, total, 17), total - 1]:
        assert twin.status(packet[: BEAT_BYTES * beats]) is Status.BAD_LENGTH
        # A header alone is no load; one with a payload has overwritten memories.
        expected = Status.OK if beats < HEADER.beats else Status.NO_NETWORK
        assert twin.status(packets["run"]) is expected
        check_health(twin, packets)


@pytest.mark.parametrize("name", ["identify", "load", "run", "counters"])
@pytest.mark.parametrize("beats", [1, 2, 7])
def test_beats_behind_the_trailer(twin, healthy, packets, name, beats) -> None:
    assert twin.status(packets[name] + bytes(BEAT_BYTES * beats)) is Status.BAD_LENGTH


@pytest.mark.parametrize(("kind", "beats"), [(Kind.LOAD, 0), (Kind.LOAD, 1), (Kind.RUN, 0)])
def test_sound_but_too_short_for_its_record(twin, healthy, kind, beats) -> None:
    packet = build_packet(kind, 5, np.zeros(beats, np.uint64))
    assert twin.status(packet) is Status.BAD_LENGTH


@PROPERTY
@given(data=st.data())
def test_flipped_bits(twin, packets, data) -> None:
    packet = bytearray(packets[data.draw(st.sampled_from(sorted(packets)), "packet")])
    bits = st.integers(0, 8 * len(packet) - 1)
    for bit in data.draw(st.lists(bits, min_size=1, max_size=3, unique=True), "bits"):
        packet[bit // 8] ^= 1 << bit % 8
    assert twin.status(bytes(packet)) is not Status.OK
    check_health(twin, packets)


@PROPERTY
@given(data=st.data())
def test_flipped_bits_before_a_run(twin, packets, data) -> None:
    """A damaged load leaves no network; anything else damaged leaves the one there is."""
    assert twin.status(packets["load"]) is Status.OK
    name = data.draw(st.sampled_from(sorted(packets)), "packet")
    packet = bytearray(packets[name])
    bit = data.draw(st.integers(0, 8 * len(packet) - 1), "bit")
    packet[bit // 8] ^= 1 << bit % 8
    assert twin.status(bytes(packet)) is not Status.OK
    obeyed = bit >= 64 * HEADER.beats
    gone = name == "load" and obeyed
    assert twin.status(packets["run"]) is (Status.NO_NETWORK if gone else Status.OK)


@settings(PROPERTY, max_examples=60)
@given(data=st.data())
def test_wrong_length_in_a_signed_header(twin, packets, data) -> None:
    packet = packets[data.draw(st.sampled_from(sorted(packets)), "packet")]
    true = len(packet) // BEAT_BYTES - HEADER.beats - TRAILER.beats
    wrong = st.integers(0, true + 9).filter(lambda length: length != true)
    length = data.draw(st.one_of(wrong, st.just(2**32 - 1)), "length")
    assert twin.status(with_length(packet, length)) is not Status.OK
    check_health(twin, packets)


@settings(PROPERTY, max_examples=60)
@given(data=st.data())
def test_payload_cut_and_signed(twin, packets, data) -> None:
    """Header, length and CRCs right; only the contents end early."""
    name = data.draw(st.sampled_from(["load", "run"]), "packet")
    packet = packets[name]
    full = len(packet) // BEAT_BYTES - HEADER.beats - TRAILER.beats
    length = data.draw(st.integers(0, full - 1), "length")
    cut = packet[: BEAT_BYTES * (HEADER.beats + length)] + bytes(BEAT_BYTES * TRAILER.beats)
    status = twin.status(with_length(cut, length))
    assert status is not Status.OK
    if length >= NETWORK.beats:
        assert status is (Status.BAD_SECTION if name == "load" else Status.BAD_BATCH)
    check_health(twin, packets)


def test_section_longer_than_the_packet(twin, healthy, packets) -> None:
    """Even when the number of sections is right."""
    packet = packets["load"]
    full = len(packet) // BEAT_BYTES - HEADER.beats - TRAILER.beats
    last_beat = -BEAT_BYTES * (TRAILER.beats + 1)
    cut = packet[:last_beat] + packet[-BEAT_BYTES * TRAILER.beats :]
    assert twin.status(with_length(cut, full - 1)) is Status.BAD_SECTION


@pytest.mark.parametrize(
    ("field", "value"),
    [("section", 0), ("section", 6), ("pe", 4), ("pe", 0xFFFE), ("length", 1 << 20)],
)
def test_section_that_does_not_fit(twin, healthy, packets, field, value) -> None:
    """In the first section for a PE, behind layers and codebooks."""
    packet = bytearray(packets["load"])
    beats = np.frombuffer(packet, "<u8")
    place = HEADER.beats + NETWORK.beats
    while SECTION.parse(beats[place:])["pe"] == 0xFFFF:
        place += SECTION.beats + SECTION.parse(beats[place:])["length"]
    fields = SECTION.parse(beats[place:]) | {field: value}
    packet[BEAT_BYTES * place : BEAT_BYTES * (place + 1)] = SECTION.build(**fields).tobytes()
    assert twin.status(sign(bytes(packet))) is Status.BAD_SECTION
    assert twin.status(packets["run"]) is Status.NO_NETWORK


def load_of(packed, sections, **network: int) -> bytes:
    """A load of the given sections, everything about it right but the sections themselves."""
    # Nothing is held, so all other fields are zero.
    fields = dict.fromkeys((field.name for field in NETWORK.fields), 0)
    fields |= {"network_id": packed.network_id, "layers": len(packed.layers)}
    start = NETWORK.build(**fields | network)
    beats = [start]
    for fields, body in sections:
        beats += [SECTION.build(**fields | {"length": len(body)}), body]
    return build_packet(Kind.LOAD, 5, np.concatenate(beats))


@settings(PROPERTY, max_examples=60)
@given(data=st.data())
def test_sections_missing_twice_or_out_of_order(twin, packets, packed, data) -> None:
    sections = list(iterate_sections(packed.sections))
    assert twin.status(load_of(packed, sections)) is Status.OK
    first = data.draw(st.integers(0, len(sections) - 1), "first")
    second = data.draw(st.integers(0, len(sections) - 1).filter(lambda i: i != first), "second")
    change = data.draw(st.sampled_from(["swap", "drop", "repeat", "replace"]), "change")
    if change == "swap":
        sections[first], sections[second] = sections[second], sections[first]
    elif change == "drop":
        del sections[first]
    elif change == "repeat":
        sections.insert(second, sections[first])
    else:
        sections[first] = sections[second]
    assert twin.status(load_of(packed, sections)) is Status.BAD_SECTION
    check_health(twin, packets)


@pytest.mark.parametrize("layers", [0, 1, 3, 5, 2**16, 2**32 - 1])
def test_layers_that_are_not_the_sections(twin, healthy, packed, layers) -> None:
    sections = list(iterate_sections(packed.sections))
    assert len(packed.layers) == 2
    assert twin.status(load_of(packed, sections, layers=layers)) is Status.BAD_SECTION


@pytest.mark.parametrize("batch", [0, 1, 3, 2**31])
def test_batch_that_does_not_match_the_length(twin, healthy, packets, packed, batch) -> None:
    packet = bytearray(packets["run"])
    place = slice(BEAT_BYTES * HEADER.beats, BEAT_BYTES * (HEADER.beats + RUN.beats))
    fields = RUN.parse(np.frombuffer(packet[place], "<u8"))
    packet[place] = RUN.build(**fields | {"batch": batch, "outputs": batch}).tobytes()
    assert twin.status(sign(bytes(packet))) is Status.BAD_BATCH


def test_what_fills_up_a_vector_is_ignored(twin, healthy, packets) -> None:
    """A host sends zeros behind the last activation; other values must not be multiplied."""
    packet = bytearray(packets["run"])
    vector = (37 + 3) // 4 * BEAT_BYTES
    start = BEAT_BYTES * (HEADER.beats + RUN.beats)
    for end in (start + vector, start + 2 * vector):
        packet[end - 6 : end] = b"\x11\x22\x33\x44\x55\x66"
    status, outputs = twin.ask(sign(bytes(packet)))
    assert status is Status.OK
    assert np.array_equal(outputs, twin.ask(packets["run"])[1])


def test_bytes_that_are_no_packet(twin, healthy) -> None:
    random = np.random.default_rng(11)
    for beats in range(1, 40):
        assert twin.status(random.bytes(BEAT_BYTES * beats)) in (
            Status.BAD_MAGIC,
            Status.BAD_LENGTH,
        )


@pytest.mark.slow
def test_sanitizers_find_nothing_in_damaged_packets(
    project_of, open_kernel, small, packets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No address outside of a memory, whatever a packet says."""
    monkeypatch.setenv("ASAN_OPTIONS", "detect_stack_use_after_return=1")
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    # The vendor's integers extend signs by shifting negative numbers left.
    flags += ["-fno-sanitize=shift-base"]
    random = np.random.default_rng(17)
    emulator = Emulator(small)
    with open_kernel(project_of(small), flags=flags) as kernel:
        for _ in range(1000):
            packet = bytearray(packets[str(random.choice(sorted(packets)))])
            if random.random() < 0.2:
                packet = packet[: BEAT_BYTES * int(random.integers(1, len(packet) // BEAT_BYTES))]
            for bit in random.integers(0, 8 * len(packet), random.integers(0, 4)).tolist():
                packet[bit // 8] ^= 1 << bit % 8
            assert kernel.process(bytes(packet)) == emulator.process(bytes(packet))
