"""The host's side of the protocol, whatever is on the other side."""

from __future__ import annotations

import pytest

from eie.hls.boundary.errors import DeviceError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import Kind, build_packet, parse_packet
from eie.host.packing.packer import pack
from eie.host.protocol.client import Client, Session
from eie.host.protocol.responses import AnswerError

DESIGN = Design(pes=2)


def test_sequence_numbers_wrap_around():
    emulator, sent = Emulator(DESIGN), []

    def transfer(packet: bytes, size: int) -> bytes:
        sent.append(parse_packet(packet).sequence)
        return emulator.process(packet)

    client = Client(transfer)
    for _ in range(0xFFFE):
        client.next_sequence()
    for _ in range(3):
        assert client.identify() == DESIGN
    assert sent == [0xFFFF, 0, 1]


def test_the_size_of_an_answer_is_known_before_it_comes(random_network):
    emulator, sizes = Emulator(DESIGN), []

    def transfer(packet: bytes, size: int) -> bytes:
        answer = emulator.process(packet)
        sizes.append((size, len(answer)))
        return answer

    packed = pack(random_network(20, 10, golden=3), DESIGN)
    client = Client(transfer)
    client.identify()
    client.load(packed)
    client.run(packed, packed.network.golden_inputs)
    client.counters(DESIGN.pes)
    assert len(sizes) == 4
    assert all(expected == came for expected, came in sizes)


def test_an_answer_to_another_request_is_refused():
    emulator = Emulator(DESIGN)
    old = emulator.process(build_packet(Kind.IDENTIFY, 7))
    with pytest.raises(AnswerError, match="out of step"):
        Client(lambda packet, size: old).identify()


def test_another_network_than_the_one_loaded_is_noticed(random_network):
    emulator = Emulator(DESIGN)
    packed, other = (pack(random_network(9, 4, seed=seed), DESIGN) for seed in (0, 1))

    def transfer(packet: bytes, size: int) -> bytes:
        # What answers has another network than the one that it was sent.
        return emulator.process(other.load_packet(parse_packet(packet).sequence))

    with pytest.raises(DeviceError, match="load it again"):
        Client(transfer).load(packed)


@pytest.mark.parametrize("sizes", [(900, 8), (40, 40), (1, 900), (4, 700, 3)])
def test_a_packet_holds_so_many_vectors_that_none_of_their_layers_takes_much(random_network, sizes):
    design = Design(pes=2, rows_per_pe=512, biases_per_pe=1024, accumulator_bits=48)
    packed = pack(random_network(*sizes, density=0.01), design)
    vectors = Session(Emulator(design), packed).vectors_per_packet
    assert 2 << 20 <= 2 * vectors * max(4, *sizes) <= 4 << 20
