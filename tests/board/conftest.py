"""A stand-in for an engine that speaks the protocol, and boards to put it on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pytest

pytest.importorskip("pynq", reason="the board's tests run the real pynq package")

from eie.hls.boundary.errors import PacketError
from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    COUNTERS,
    DESIGN,
    HEADER,
    LAYER,
    MAGIC,
    NETWORK,
    RUN,
    SATURATED,
    SECTION,
    STATUS,
    VERSION,
    Kind,
    Status,
    answer_kind,
    build_packet,
    parse_packet,
)
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.network import Layer, Network
from eie.host.packing.packer import pack


class FakeEngine:
    """Answers as the accelerator does, with a hash of the inputs in place of a network's outputs.

    `answer_hook`, when set, changes the next answer: it takes its kind, sequence and payload.
    """

    def __init__(self, design: Design) -> None:
        self.design = design
        self.network: dict[str, int] | None = None
        self.outputs = 0
        self.requests: list[Kind] = []
        self.batches: list[int] = []
        self.errors = 0
        self.closed = False
        self.answer_hook: Callable[[int, int, np.ndarray], bytes] | None = None

    @property
    def registers(self) -> Mapping[str, int]:
        return {
            "design_id": self.design.id,
            "format_version": VERSION,
            "network_id": self._network_id,
            "packets": len(self.requests),
            "errors": self.errors,
            "cycles": 1000 + len(self.requests),
        }

    @property
    def _network_id(self) -> int:
        return self.network["network_id"] if self.network else 0

    def close(self) -> None:
        self.closed = True

    def process(self, packet: bytes) -> bytes:
        try:
            request = parse_packet(packet)
        except PacketError:
            self.errors += 1
            beats = np.frombuffer(packet, "<u8")
            header = HEADER.parse(np.append(beats, [0, 0]).astype("<u8"))
            status = Status.BAD_MAGIC if header["magic"] != MAGIC else Status.BAD_LENGTH
            return self._answer(header["kind"], header["sequence"], [], status)
        kind = Kind(request.kind)
        self.requests.append(kind)
        status, beats = getattr(self, f"_{kind.name.lower()}")(request.payload)
        self.errors += status != Status.OK
        return self._answer(kind, request.sequence, beats, status)

    def _answer(self, kind: int, sequence: int, beats: list, status: Status) -> bytes:
        end = STATUS.build(status=status, network_id=self._network_id)
        payload = np.concatenate([*beats, end])
        hook, self.answer_hook = self.answer_hook, None
        if hook is not None:
            return hook(answer_kind(kind), sequence, payload)
        return build_packet(answer_kind(kind), sequence, payload)

    def _identify(self, payload: np.ndarray) -> tuple[Status, list]:
        return Status.OK, [DESIGN.build(**self.design.record())]

    def _load(self, payload: np.ndarray) -> tuple[Status, list]:
        self.network = NETWORK.parse(payload)
        behind = NETWORK.beats + SECTION.beats + LAYER.beats * (self.network["layers"] - 1)
        self.outputs = LAYER.parse(payload[behind:])["rows"]
        return Status.OK, []

    def _run(self, payload: np.ndarray) -> tuple[Status, list]:
        run = RUN.parse(payload)
        if self.network is None:
            return Status.NO_NETWORK, []
        if run["network_id"] != self._network_id:
            return Status.WRONG_NETWORK, []
        self.batches.append(run["batch"])
        vectors = payload[RUN.beats :].view("<i2").reshape(run["batch"], -1)
        lanes = 4 * -(-self.outputs // 4)
        saturated = np.zeros(self.network["layers"] * SATURATED.beats, "<u8")
        return Status.OK, [fake_outputs(vectors, lanes).view("<u8").ravel(), saturated]

    def _counters(self, payload: np.ndarray) -> tuple[Status, list]:
        table = np.arange(8 * self.design.pes, dtype="<u2")  # 8 rows of one value a PE
        return Status.OK, [COUNTERS.build(cycles=1 << 40), table.view("<u8")]


def fake_outputs(vectors: np.ndarray, lanes: int) -> np.ndarray:
    """int16, shape (batch, lanes): in each lane another function of all of the inputs."""
    weights = np.arange(1, vectors.shape[1] + 1)
    sums = vectors.astype(np.int64) @ weights
    return (sums[:, None] * 31 + np.arange(lanes) * 7).astype("<i2")


class FakeClock:
    """A clock that a second passes on whenever it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


class Bench:
    """An emulated board with fake engines, and what tests look at."""

    def __init__(self, design: Design, board: str, **options: int) -> None:
        #: What the next engine is made from.
        self.design = design
        #: Every engine made: one for each time that the bitstream was loaded.
        self.engines: list[FakeEngine] = []
        self.board = EmulatedBoard(board, self._make_engine, **options)

    def _make_engine(self) -> FakeEngine:
        self.engines.append(FakeEngine(self.design))
        return self.engines[-1]

    @property
    def engine(self) -> FakeEngine:
        """The engine in the fabric."""
        return self.engines[-1]

    @property
    def faults(self):
        return self.board.faults

    def open(self, bitfile: object = None, **options) -> Accelerator:
        return Accelerator(bitfile or self.board.bitfile, clock=FakeClock(), **options)


@pytest.fixture
def design() -> Design:
    return Design(pes=4, board="zcu104")


@pytest.fixture
def make_bench(design: Design) -> Iterator[Callable[..., Bench]]:
    """Make a bench whose board is active until the test ends."""
    benches = []

    def make(board: str = "zcu104", **options: int) -> Bench:
        bench = Bench(design, board, **options)
        bench.board.__enter__()
        benches.append(bench)
        return bench

    yield make
    for bench in reversed(benches):
        bench.board.__exit__(None, None, None)


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture
def accelerator(bench: Bench) -> Iterator[Accelerator]:
    with bench.open() as accelerator:
        yield accelerator


@pytest.fixture
def make_network(design: Design) -> Callable[..., Network]:
    """Make a one-layer network whose golden outputs are the fake engine's."""

    def make(rows: int = 10, columns: int = 6, seed: int = 0, vectors: int = 5) -> Network:
        rng = np.random.default_rng(seed)
        layer = Layer.from_dense_codes(
            "layer",
            rng.integers(0, 16, (rows, columns)).astype(np.uint8),
            codebook=np.arange(16, dtype=np.int16),
            input_frac=8,
            output_frac=6,
        )
        inputs = rng.integers(-1000, 1000, (vectors, columns)).astype(np.int16)
        packed = pack(Network((layer,)), design)
        padded = np.zeros((vectors, 4 * packed.input_beats), np.int16)
        padded[:, packed.layers[0].slot_of_column] = inputs
        beats = fake_outputs(padded, 4 * packed.output_beats).view("<u8").ravel()
        none_saturated = np.zeros(SATURATED.beats, "<u8")
        return Network(
            (layer,), inputs, packed.read_outputs(np.concatenate([beats, none_saturated]))
        )

    return make


@pytest.fixture
def network(make_network: Callable[..., Network]) -> Network:
    return make_network()
