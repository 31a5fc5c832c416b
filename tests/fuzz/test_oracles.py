"""Whatever eie did wrong, the oracles would say so."""

from __future__ import annotations

import multiprocessing
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from eie.hls.boundary.errors import DesignError, ModelError, NetworkFileError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import Kind
from eie.host.compress import read_model
from eie.host.network import Network
from eie.host.protocol.responses import Answer
from fuzz.design_target import DesignTarget
from fuzz.limits import limit_address_space
from fuzz.mutated_networks import mutated_network
from fuzz.mutated_packets import section_order
from fuzz.network_seeds import seed_networks
from fuzz.network_target import NetworkTarget
from fuzz.onnx_target import OnnxTarget
from fuzz.packet_target import PacketTarget
from fuzz.twin import DESIGNS
from fuzz.valid_packet import reseal
from fuzz.worker import judge

# xdist has threads; what is forked here uses none of their locks.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")

LIMIT = 10.0


def outcomes(target, cases: int | Sequence[int], step: int = 1) -> Counter[str]:
    """Faults by kind, and the first words of everything else: of so many cases, or of those named.

    In a process of its own, with the limits of the fuzzer.
    """

    def run(connection) -> None:
        limit_address_space()
        counts: Counter[str] = Counter()
        for number in range(0, cases * step, step) if isinstance(cases, int) else cases:
            end, failure = judge(target, "kind", number, LIMIT)
            counts[failure.fault if failure else end.split(":")[0]] += 1
            if failure:
                target.reset()
        connection.send(counts)

    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    process = context.Process(target=run, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    counts = mine.recv()
    process.join()
    return counts


@pytest.fixture
def networks(tmp_path, twins):
    def make(load=Network.load, **kernel):
        return NetworkTarget(5, tmp_path, twins(**kernel), load)

    return make


@pytest.fixture
def designs(tmp_path):
    return lambda load: DesignTarget(5, tmp_path, load)


# Networks -------------------------------------------------------------------------------------


def test_every_ending_of_a_network_comes_up(networks):
    counts = outcomes(networks(), 300)
    assert counts["refused"] > 100
    assert counts["accepted, run and right"] > 40
    assert not counts["crash"] and not counts["wrong refusal"] and not counts["disagreement"]


def test_a_reader_that_takes_altered_files_is_caught(networks):
    def load(path):
        try:
            return Network.load(path)
        except NetworkFileError as error:
            if "SHA-256" in str(error):
                return seed_networks()[0]
            raise

    counts = outcomes(networks(load), 200)
    assert counts["wrong acceptance"] >= 3
    assert counts["refused"] > 60


def test_a_reader_that_takes_anything_is_caught(networks):
    counts = outcomes(networks(lambda _: seed_networks()[0]), 100)
    assert counts["wrong acceptance"] >= 70


def test_a_reader_that_refuses_everything_is_caught(networks):
    def load(path):
        raise NetworkFileError("no")

    assert outcomes(networks(load), 100)["wrong refusal"] >= 5


def test_a_reader_that_raises_anything_else_is_caught(networks):
    def load(path):
        raise KeyError("x")

    assert outcomes(networks(load), 5) == {"crash": 5}


def test_a_reader_that_changes_one_weight_is_caught(networks):
    def load(path):
        network = Network.load(path)
        layer = network.layers[-1]
        codebook = layer.codebook.copy()
        codebook[15] ^= 1
        return replace(network, layers=(*network.layers[:-1], replace(layer, codebook=codebook)))

    counts = outcomes(networks(load), 60)
    assert counts["wrong acceptance"] >= 5
    assert not counts["accepted, run and right"]


class WrongOutput(Emulator):
    """Answers runs with one bit of the first output inverted, as if it were sound."""

    def process(self, packet: bytes) -> bytes:
        answer = bytearray(super().process(packet))
        if answer[5] == Kind.RUN | 0x80 and len(answer) > 32:
            answer[16] ^= 1
        return reseal(bytes(answer))


def test_engines_that_differ_are_caught(networks):
    counts = outcomes(networks(kernel=WrongOutput), 60)
    assert counts["disagreement"] >= 5
    assert not counts["accepted, run and right"]


def test_a_wrong_emulator_is_caught_even_if_the_kernel_is_as_wrong(networks, monkeypatch):
    monkeypatch.setattr("fuzz.twin.Emulator", WrongOutput)
    counts = outcomes(networks(kernel=WrongOutput), 60)
    assert counts["disagreement"] >= 5


def test_a_case_comes_from_its_number_alone(networks, designs, twins):
    for target in (networks(), designs(Design.load), PacketTarget(5, twins())):
        first = [target.make(number) for number in range(60)]
        assert [target.make(number) for number in reversed(range(60))] == first[::-1]
        assert len({case.data for case in first}) > 40


# Designs --------------------------------------------------------------------------------------


def test_a_design_that_is_taken_for_another_is_caught(designs):
    counts = outcomes(designs(lambda path: Design.load(path).replace(queue_depth=7)), 60)
    assert counts["wrong acceptance"] >= 10


def test_ranges_that_are_not_checked_are_caught(designs, monkeypatch):
    monkeypatch.setattr(
        "eie.hls.spec.design.RANGES", {name: (0, 1 << 40) for name in ("queue_depth", "pes")}
    )
    assert outcomes(designs(Design.load), 200)["wrong acceptance"] >= 5


def test_a_reader_of_designs_that_refuses_everything_is_caught(designs):
    def load(path):
        raise DesignError("no")

    assert outcomes(designs(load), 60)["wrong refusal"] >= 10


# ONNX models ----------------------------------------------------------------------------------


@pytest.fixture
def models(tmp_path):
    return lambda read=read_model: OnnxTarget(5, tmp_path, read)


def test_every_ending_of_an_onnx_model_comes_up(models):
    counts = outcomes(models(), 300)
    assert counts["refused"] > 100
    assert counts["accepted and right"] > 20
    assert not counts["crash"] and not counts["wrong acceptance"] and not counts["wrong refusal"]


def test_a_reader_of_models_that_forgets_a_layers_bias_is_caught(models):
    def read(path):
        model = read_model(path)
        last = model.layers[-1]
        return replace(model, layers=(*model.layers[:-1], replace(last, bias=0 * last.bias)))

    assert outcomes(models(read), 200)["wrong acceptance"] >= 10


def test_a_reader_of_models_that_refuses_everything_is_caught(models):
    def read(path):
        raise ModelError("no")

    assert outcomes(models(read), 60)["wrong refusal"] >= 5


# Packets --------------------------------------------------------------------------------------


@pytest.fixture
def packets(twins, monkeypatch):
    """Two engines; loads are refused, or as packed: others need engines that check them."""
    monkeypatch.setattr("fuzz.mutated_packets.CONTRADICTIONS", (section_order,))
    monkeypatch.setattr("fuzz.mutated_packets.LOADS", ())
    return lambda **kernel: PacketTarget(5, twins(**kernel))


def test_sound_and_damaged_packets_come_up(packets):
    counts = outcomes(packets(), 200)
    assert counts["refused"] > 60
    assert counts["accepted and equal"] > 20
    assert counts["answer accepted and right"] + counts["answer refused"] > 10


class Trusting(Emulator):
    """Obeys whatever has the right length: every CRC is the right one."""

    def process(self, packet: bytes) -> bytes:
        return super().process(reseal(packet, header=False))


def test_a_kernel_that_checks_no_crc_is_caught(packets):
    assert outcomes(packets(kernel=Trusting), 100)["disagreement"] >= 5


def test_two_engines_that_check_no_crc_are_caught(packets, monkeypatch):
    monkeypatch.setattr("fuzz.twin.Emulator", Trusting)
    assert outcomes(packets(kernel=Trusting), 100)["wrong acceptance"] >= 5


class Forgetful(Emulator):
    """Forgets its network after a damaged run."""

    def process(self, packet: bytes) -> bytes:
        answer = super().process(packet)
        if answer[-16] and packet[5:6] == b"\x03":
            self._resident = None
        return answer


def test_a_packet_that_changes_what_it_must_not_is_caught(packets, monkeypatch):
    monkeypatch.setattr("fuzz.twin.Emulator", Forgetful)
    assert outcomes(packets(kernel=Forgetful), 100)["wrong refusal"] >= 3


class Deaf(Emulator):
    """Says OK to a state, and keeps its own."""

    def process(self, packet: bytes) -> bytes:
        held = self._held.words.copy(), self._held.states.copy()
        answer = super().process(packet)
        if packet[5:6] == b"\x05":
            self._held.words[:], self._held.states[:] = held
        return answer


def test_states_that_are_not_taken_are_caught(packets, monkeypatch):
    """Of one engine by the other, of both by the reference."""
    round_ = 10 * len(DESIGNS)  # cases of the last design, but for answers to the host
    firsts = range(round_ - 10, 25 * round_, round_)
    target, cases = packets(), [first + case for first in firsts for case in range(1, 10)]
    sound = [number for number in cases if target.make(number).story == "state: sound"][:5]
    assert sound
    assert outcomes(packets(kernel=Deaf), sound) == {"disagreement": len(sound)}
    assert outcomes(target, sound) == {"accepted and equal": len(sound)}
    monkeypatch.setattr("fuzz.twin.Emulator", Deaf)
    assert outcomes(packets(kernel=Deaf), sound) == {"disagreement": len(sound)}


def test_a_host_that_believes_every_answer_is_caught(packets, monkeypatch):
    def read(data, kind, sequence, beats):
        return Answer(np.frombuffer(data[: len(data) // 8 * 8], "<u8")[2:-2], 1)

    monkeypatch.setattr("fuzz.packet_target.read_answer", read)
    monkeypatch.setattr("fuzz.packet_target.read_design", lambda _: None)
    monkeypatch.setattr("fuzz.packet_target.read_counters", lambda *_: None)
    assert outcomes(packets(), 40, step=10)["wrong acceptance"] >= 10


def test_sound_networks_and_others_are_among_the_cases():
    story = Counter(
        mutated_network(random.Random(number)).story.split(": ")[-1].split(" ")[0]
        for number in range(300)
    )
    assert story["sound"] and story["another"]
