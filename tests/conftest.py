"""What the tests of every room need: small random networks, emulators, golden files to rewrite."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eie.hls.boundary.errors import ToolError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import STATUS, Kind, Status, build_packet, parse_packet
from eie.hls.tools.gxx import ap_types_folder
from eie.host.network import Layer, Network
from eie.host.network.example_networks import lstm_network
from eie.host.network.sequence_codes import (
    GOLDEN_SEQUENCE,
    SEQUENCE_OUTPUTS,
    golden_sequence_crc,
)
from eie.host.run.layer_results import layer_results, sequence_results

# The folder of tests is no package: the fuzzer and networks that many rooms test with lie in it.
sys.path[:0] = [str(Path(__file__).parent / "network"), str(Path(__file__).parent)]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite tests/golden from what the templates give now",
    )


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder that all processes of this test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if hasattr(request.config, "workerinput") else base


@pytest.fixture(scope="session", autouse=True)
def own_cache(run_folder: Path) -> Iterator[None]:
    """Compiled kernels are kept with the tests' other files; commands show no progress."""
    cache = run_folder / "cache"
    cache.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        # What shows up on standard error depends on the machine's speed otherwise.
        patch.setenv("EIE_PROGRESS", "off")
        from strict_ap_types import strict_ap_types

        # What is compiled must not rely on what is undefined in synthesis. Images have no headers.
        with contextlib.suppress(ToolError):
            headers = strict_ap_types(ap_types_folder(), run_folder / "ap_types")
            patch.setenv("EIE_AP_TYPES", str(headers))
        yield


@pytest.fixture(scope="session", autouse=True)
def heard_signals() -> None:
    """What tests start hears its signals, in a run under nohup or in a shell's background, too.

    There they are ignored, which programs that are started inherit; what is handled they do not.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)  # still not the end of this run


def dense_outputs(network: Network, inputs: np.ndarray) -> np.ndarray:
    """Outputs of a network by dense products of 64-bit integers."""
    activations = inputs.astype(np.int64)
    for layer in network.layers:
        sums = activations @ layer.dense_weights().astype(np.int64).T + layer.bias
        if layer.activation == "relu":
            sums[sums < 0] = 0
        if layer.shift:
            sums = (sums + 2 ** (layer.shift - 1)) // 2**layer.shift
        activations = sums.clip(-32768, 32767)
    return activations


@pytest.fixture(scope="session")
def random_network() -> Callable[..., Network]:
    """Make a network of random weights: ``random_network(inputs, hidden, ..., outputs)``."""

    def make(
        *sizes: int,
        seed: int = 0,
        density: float = 0.3,
        magnitude: int = 3000,
        shift: int = 8,
        activation: str | None = None,
        golden: int = 0,
        right: bool = False,
    ) -> Network:
        """Every layer reads and writes 8 fraction bits; ReLU in all but the last by default.

        Golden outputs are random, or with `right` those of dense products of integers.
        """
        random = np.random.default_rng(seed)
        layers = []
        for number, (columns, rows) in enumerate(itertools.pairwise(sizes)):
            codebook = random.integers(-magnitude, magnitude + 1, 16).astype(np.int16)
            codebook[0] = 0
            codes = random.integers(1, 16, (rows, columns))
            last = number == len(sizes) - 2
            layers.append(
                Layer.from_dense_codes(
                    f"layer{number}",
                    (codes * (random.random(codes.shape) < density)).astype(np.uint8),
                    codebook=codebook,
                    bias=random.integers(-(magnitude**2), magnitude**2 + 1, rows),
                    activation=activation or ("none" if last else "relu"),
                    input_frac=8,
                    weight_frac=shift,
                    output_frac=8,
                )
            )
        network = Network(
            tuple(layers),
            random.integers(-3000, 3000, (golden, sizes[0])).astype(np.int16),
            random.integers(-3000, 3000, (golden, sizes[-1])).astype(np.int16),
            {"origin": f"random, seed {seed}"},
        )
        if not right:
            return network
        outputs = dense_outputs(network, network.golden_inputs).astype(np.int16)
        return dataclasses.replace(network, golden_outputs=outputs)

    return make


@pytest.fixture(scope="session")
def recurrent_network() -> Network:
    """An LSTM of 5 inputs, 4 units and 3 outputs with right golden vectors; gives the last step."""
    network = lstm_network((5, 4, 3), 0, 300)
    golden = np.random.default_rng(0).integers(-9000, 9000, (4, 5)).astype(np.int16)
    (*_, as_steps), _ = sequence_results(network, [golden])
    (*_, alone), _ = layer_results(network, golden)
    metadata = {SEQUENCE_OUTPUTS: "last", GOLDEN_SEQUENCE: golden_sequence_crc(as_steps)}
    return Network(network.layers, golden, alone, metadata)


@pytest.fixture(scope="session")
def recurrent_design() -> Design:
    """What holds it."""
    return Design(pes=2, held_activations=64, cell_units=1, board="pynq-z2")


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

    return dense_outputs
