"""An emulator spoken to in packets, and what a network must give, by plain integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import STATUS, Kind, Status, build_packet, parse_packet
from eie.host.network import Network


@dataclass(frozen=True, eq=False)
class Answered:
    """An answer taken apart."""

    kind: int
    sequence: int
    status: Status
    network_id: int
    #: Payload before the status.
    body: np.ndarray


class Talker:
    """Sends packets to an emulator and takes the answers apart."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.emulator = Emulator(design)

    def send(self, packet: bytes) -> Answered:
        answer = parse_packet(self.emulator.process(packet))
        status = STATUS.parse(answer.payload[-1:])
        return Answered(
            answer.kind,
            answer.sequence,
            Status(status["status"]),
            status["network_id"],
            answer.payload[:-1],
        )

    def ask(self, kind: Kind) -> Answered:
        return self.send(build_packet(kind, 77))


@pytest.fixture(scope="session")
def talk() -> Callable[[Design], Talker]:
    return Talker


@pytest.fixture(scope="session")
def roomy() -> Callable[..., Design]:
    """Make a design that holds every network of these tests."""

    def make(pes: int, **others: Any) -> Design:
        return Design(pes=pes, **{"rows_per_pe": 512, "accumulator_bits": 48, **others})

    return make


@pytest.fixture(scope="session")
def reference() -> Callable[[Network, np.ndarray], np.ndarray]:
    """Outputs of a network by dense products of 64-bit integers."""

    def run(network: Network, inputs: np.ndarray) -> np.ndarray:
        activations = inputs.astype(np.int64)
        for layer in network.layers:
            sums = activations @ layer.dense_weights().astype(np.int64).T + layer.bias
            if layer.activation == "relu":
                sums[sums < 0] = 0
            if layer.shift:
                sums = (sums + 2 ** (layer.shift - 1)) // 2**layer.shift
            activations = sums.clip(-32768, 32767)
        return activations

    return run
