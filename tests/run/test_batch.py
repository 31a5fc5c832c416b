"""Sessions and runs on an engine: everything that it may answer is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from eie.hls.boundary.errors import DeviceError, InputError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.packets import HEADER, Kind, build_packet, parse_packet
from eie.host.packing.packer import pack
from eie.host.protocol.client import Session
from eie.host.protocol.engine import Engine
from eie.host.run.batch import emulate, simulate


class LyingEngine:
    """An emulator whose answers to one kind of request are changed on their way."""

    def __init__(self, design, kind: Kind, change: Callable[[np.ndarray], np.ndarray]) -> None:
        self._emulator = Emulator(design)
        self._kind, self._change = kind, change

    def process(self, packet: bytes) -> bytes:
        answer = parse_packet(self._emulator.process(packet))
        if HEADER.parse(np.frombuffer(packet, "<u8"))["kind"] != self._kind:
            return build_packet(answer.kind, answer.sequence, answer.payload)
        return build_packet(answer.kind, answer.sequence, self._change(answer.payload.copy()))

    @property
    def registers(self) -> Mapping[str, int]:
        return self._emulator.registers

    def close(self) -> None:
        self._emulator.close()


@pytest.fixture
def network(random_network):
    return random_network(20, 30, 10)


@pytest.fixture
def inputs() -> np.ndarray:
    return np.random.default_rng(0).integers(-900, 900, (4, 20)).astype(np.int16)


def altered(place: int) -> Callable[[np.ndarray], np.ndarray]:
    def change(payload: np.ndarray) -> np.ndarray:
        payload[place] ^= np.uint64(1)
        return payload

    return change


def test_an_emulator_is_an_engine(roomy):
    assert isinstance(Emulator(roomy(1)), Engine)


def test_simulating_on_an_honest_engine_is_emulating(network, inputs, roomy):
    design = roomy(4)
    emulated = emulate(network, design, inputs)
    simulated = simulate(network, design, Emulator(design), inputs)
    assert np.array_equal(simulated.outputs, emulated.outputs)
    assert simulated.report == emulated.report
    assert simulate(network, design, Emulator(design), inputs, report=False).report is None


def test_pes_that_do_not_count_are_no_fault(network, inputs, roomy):
    """An engine reports zeros for them, and the model's figures are told."""
    design = roomy(4, counters=0)
    found = simulate(network, design, Emulator(design), inputs)
    expected = emulate(network, roomy(4), inputs).counters
    assert found.counters is not None and expected is not None
    assert found.counters.same_as(expected)
    assert all(expected.busy > 0)
    engine = LyingEngine(design, Kind.COUNTERS, altered(1))
    with pytest.raises(DeviceError, match="count different cycles"):
        simulate(network, design, engine, inputs)


def test_wrong_outputs_are_noticed_beside_the_emulator(network, inputs, roomy):
    engine = LyingEngine(roomy(4), Kind.RUN, altered(0))
    with pytest.raises(DeviceError, match="give different outputs"):
        simulate(network, roomy(4), engine, inputs)


@pytest.mark.parametrize("place", [0, 1, 3, 5])
def test_wrong_counters_are_noticed_beside_the_emulator(place, network, inputs, roomy):
    engine = LyingEngine(roomy(4), Kind.COUNTERS, altered(place))
    with pytest.raises(DeviceError, match="count different cycles"):
        simulate(network, roomy(4), engine, inputs)


def test_an_engine_of_another_design_is_refused(network, roomy):
    with pytest.raises(DeviceError, match="pack it for the engine's design"):
        Session(Emulator(roomy(4, queue_depth=16)), pack(network, roomy(4)))


def test_board_and_clock_do_not_make_another_design(network, inputs, roomy):
    session = Session(Emulator(roomy(4)), pack(network, roomy(4, board="kv260", clock_mhz=250)))
    assert session.run(inputs).shape == (4, 10)


@pytest.mark.parametrize("kind", [Kind.IDENTIFY, Kind.LOAD, Kind.RUN])
def test_a_refusal_is_an_error(kind, network, inputs, roomy):
    engine = LyingEngine(roomy(4), kind, lambda payload: payload[-1:] | np.uint64(6))
    with pytest.raises(DeviceError, match="BAD_CRC"):
        Session(engine, pack(network, roomy(4))).run(inputs)


@pytest.mark.parametrize("kind", [Kind.IDENTIFY, Kind.LOAD, Kind.RUN])
def test_an_answer_of_the_wrong_length_is_an_error(kind, network, inputs, roomy):
    engine = LyingEngine(roomy(4), kind, lambda payload: np.concatenate([payload[:1], payload]))
    with pytest.raises(DeviceError, match=r"must have .* beats, not"):
        Session(engine, pack(network, roomy(4))).run(inputs)


def test_another_network_on_the_engine_is_noticed(network, inputs, roomy, random_network):
    engine = Emulator(roomy(4))
    first = Session(engine, pack(network, roomy(4)))
    Session(engine, pack(random_network(20, 10, seed=1), roomy(4)))
    with pytest.raises(DeviceError, match="WRONG_NETWORK"):
        first.run(inputs)


def test_counters_come_through_a_session(network, inputs, roomy):
    engine = Emulator(roomy(4))
    session = Session(engine, pack(network, roomy(4)))
    session.run(inputs)
    assert session.counters().same_as(engine.last_counters)


@pytest.mark.parametrize("bad", [np.zeros((1, 20), np.int32), np.zeros((1, 19), np.int16)])
def test_wrong_inputs_are_refused_before_anything_is_sent(bad, network, roomy):
    engine = Emulator(roomy(4))
    with pytest.raises(InputError):
        simulate(network, roomy(4), engine, bad)
    assert engine.registers["packets"] == 0
