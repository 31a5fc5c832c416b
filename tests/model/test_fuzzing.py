"""Damaged packets in any order: always an answer, and never OK with wrong outputs."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.spec.packets import Kind, Status, build_packet
from eie.host.packing.packer import pack

SETTINGS = settings(max_examples=200, deadline=None, derandomize=True, database=None)

#: Position and size of a change, as shares of the packet.
PLACES = st.tuples(st.floats(0, 1), st.integers(1, 64))
DAMAGES = st.one_of(
    st.just(("nothing", (0.0, 1))),
    st.tuples(st.sampled_from(["flip", "cut", "extend", "repeat", "overwrite", "drop"]), PLACES),
)
#: Which packet, with which damage; most damage where it matters, in the first beats.
PACKETS = st.lists(
    st.tuples(st.sampled_from(["load", "other load", "run", "identify", "counters"]), DAMAGES),
    min_size=1,
    max_size=12,
)


def damaged(packet: bytes, what: str, share: float, size: int) -> bytes:
    place = int(share * (len(packet) - 1))
    head, tail = packet[:place], packet[place:]
    if what == "flip":
        bit = size % 8
        return head + bytes([tail[0] ^ 1 << bit]) + tail[1:]
    if what == "cut":
        return packet[: max(place, 1)]
    if what == "extend":
        return packet + tail[:size]
    if what == "repeat":
        return head + tail[:size] + tail
    if what == "overwrite":
        return head + b"\xa5" * min(size, len(tail)) + tail[size:]
    if what == "drop":
        return (head + tail[size:]) or b"\x00"
    return packet


@SETTINGS
@given(PACKETS)
def test_damage_is_always_answered_and_never_believed(
    random_network, roomy, talk, reference, packets
):
    design = roomy(2, entries_per_pe=512, pointers_per_pe=64)
    networks = [random_network(9, 7, 5, seed=seed) for seed in (0, 1)]
    packed = [pack(network, design) for network in networks]
    inputs = np.random.default_rng(0).integers(-900, 900, (2, 9)).astype(np.int16)
    expected = [reference(network, inputs) for network in networks]
    talker = talk(design)
    resident = None
    for name, (what, (share, size)) in packets:
        good = {
            "load": packed[0].load_packet(),
            "other load": packed[1].load_packet(),
            "run": packed[0].run_packet(inputs),
            "identify": build_packet(Kind.IDENTIFY, 1),
            "counters": build_packet(Kind.COUNTERS, 1),
        }[name]
        sent = damaged(good, what, share, size)
        answer = talker.send(sent)
        whole = sent + bytes(-len(sent) % 8)
        untouched = whole == good
        if untouched and "load" in name:
            assert answer.status is Status.OK
            resident = packed[name != "load"]
        elif untouched and name == "run":
            if resident is None:
                assert answer.status is Status.NO_NETWORK
            elif resident is not packed[0]:
                assert answer.status is Status.WRONG_NETWORK
            else:
                assert answer.status is Status.OK
                assert np.array_equal(packed[0].read_outputs(answer.body), expected[0])
        elif untouched:
            assert answer.status is Status.OK
        else:
            assert answer.status is not Status.OK
            # A damaged load is one from the moment that its header was good.
            header_good = whole[:16] == good[:16]
            if "load" in name and header_good:
                resident = None
        assert answer.network_id == (0 if resident is None else resident.network_id)
    # Whatever came before, a good load and a good run are obeyed.
    assert talker.send(packed[1].load_packet()).status is Status.OK
    answer = talker.send(packed[1].run_packet(inputs))
    assert answer.status is Status.OK
    assert np.array_equal(packed[1].read_outputs(answer.body), expected[1])


@SETTINGS
@given(st.binary(min_size=1, max_size=200))
def test_noise_is_refused(random_network, roomy, talk, noise):
    packed = pack(random_network(3, 3), roomy(1))
    talker = talk(packed.design)
    talker.send(packed.load_packet())
    answer = talker.send(noise)
    assert answer.status in (Status.BAD_MAGIC, Status.BAD_LENGTH)
    assert answer.network_id == packed.network_id
