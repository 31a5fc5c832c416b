"""How fast the host's side is: packets written and answers read, and what a call costs."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pynq

from benchmarks.host_calls import BOARD, Measured, measure_call, measure_transfer
from benchmarks.layers import PES, PaperLayer
from benchmarks.measuring import each_side_by_side
from benchmarks.null_engine import NullEngine
from benchmarks.patterns import network, uniform
from eie.hls.spec.fixed_point import dequantize, quantize
from eie.hls.spec.packets import BEAT_BYTES, TRAILER
from eie.host.board_emulator import EmulatedBoard
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack
from eie.host.protocol.responses import answer_bytes
from eie.host.protocol.run_packets import read_run_answer, run_packet_bytes, write_run_packet
from eie.host.search.fit import fit

__all__ = ["BATCHES", "SMALL", "HostRow", "run"]

#: Inputs and outputs of the smallest network.
SMALL = 64
#: Batches of the middle one, beside single vectors.
BATCHES = (64, 1024)
#: Weights of a row: few, since nothing is computed with them.
_WEIGHTS = 4
#: Bytes of a packet or an answer that its CRC covers.
_COVERED = slice(0, -TRAILER.beats * BEAT_BYTES)


@dataclass(frozen=True)
class HostRow:
    """One thing that was measured."""

    #: ``"write"`` for requests, ``"read"`` for answers, ``"call"``, ``"transfer"``.
    group: str
    #: What, among those that were measured side by side.
    what: str
    #: Length of an input vector, and of an output vector as well.
    width: int
    batch: int
    #: Bytes of the packet, or of its answer.
    size: int
    median_us: float
    best_us: float
    #: Registers read and written, where that was counted.
    reads: int = 0
    writes: int = 0


def run(layers: Sequence[PaperLayer]) -> Iterator[tuple[str, Sequence[HostRow]]]:
    """Measure vectors of three lengths, the longer two taken from `layers`."""
    by_name = {layer.name: layer for layer in layers}
    middle, long = by_name["Alex-7"].inputs, by_name["VGG-6"].inputs
    for width, batches in ((SMALL, (1,)), (middle, (1, *BATCHES)), (long, (1,))):
        packed = packed_network(width)
        for batch in batches:
            rows = [*_measure_write(packed, batch), *_measure_read(packed, batch)]
            yield f"{batch} x {width}", rows
    packed = packed_network(SMALL)
    codes = vectors(packed, 1)
    size = run_packet_bytes(packed, 1)
    for group, measure in (("call", measure_call), ("transfer", measure_transfer)):
        measured = measure(packed, codes)
        yield group, [_row(group, what, SMALL, 1, size, of) for what, of in measured.items()]


def packed_network(width: int) -> PackedNetwork:
    """Pack a network of one layer with as many outputs as inputs."""
    layer = PaperLayer(f"{width} x {width}", width, width, _WEIGHTS / width, 1.0, *[0.0] * 7)
    net = network(layer, uniform)
    return pack(net, fit(net, pes=PES).design)


def vectors(packed: PackedNetwork, batch: int) -> np.ndarray:
    """Make input vectors, int16 of shape (batch, inputs)."""
    random = np.random.default_rng(0)
    return random.integers(-2000, 2000, (batch, packed.network.inputs)).astype(np.int16)


def _measure_write(packed: PackedNetwork, batch: int) -> list[HostRow]:
    """Write requests into a buffer of pynq's, and copy as many bytes into it."""
    codes = vectors(packed, batch)
    frac = packed.network.input_frac
    reals = dequantize(codes, frac)
    size = run_packet_bytes(packed, batch)
    with EmulatedBoard(BOARD, lambda: NullEngine(packed.design)):
        allocated = pynq.allocate((size,), np.uint8)
    buffer = np.asarray(allocated)
    source = np.frombuffer(packed.run_packet(codes), np.uint8).copy()
    return _rows(
        "write",
        packed,
        batch,
        size,
        {
            "int16": lambda: write_run_packet(packed, codes, buffer),
            "float32": lambda: write_run_packet(packed, quantize(reals, frac), buffer),
            "crc": lambda: zlib.crc32(buffer[_COVERED].data),
            "memcpy": partial(np.copyto, buffer, source),
        },
    )


def _measure_read(packed: PackedNetwork, batch: int) -> list[HostRow]:
    """Read answers in a buffer of pynq's, and copy as many bytes out of it."""
    engine = NullEngine(packed.design)
    engine.process(packed.load_packet())
    answer = np.frombuffer(engine.process(packed.run_packet(vectors(packed, batch))), np.uint8)
    size = len(answer)
    assert size == answer_bytes(packed.answer_beats(batch))
    with EmulatedBoard(BOARD, lambda: engine):
        allocated = pynq.allocate((size,), np.uint8)
    buffer = np.asarray(allocated)
    buffer[:] = answer
    outputs = np.zeros((batch, packed.network.outputs), np.int16)
    target = np.zeros(size, np.uint8)

    def read() -> None:
        read_run_answer(packed, buffer.data, outputs)

    def read_reals() -> None:
        read_run_answer(packed, buffer.data, outputs)
        dequantize(outputs, packed.network.output_frac)

    return _rows(
        "read",
        packed,
        batch,
        size,
        {
            "int16": read,
            "float32": read_reals,
            "crc": lambda: zlib.crc32(buffer[_COVERED].data),
            "memcpy": partial(np.copyto, target, buffer),
        },
    )


def _rows(
    group: str,
    packed: PackedNetwork,
    batch: int,
    size: int,
    contenders: dict[str, Callable[[], object]],
) -> list[HostRow]:
    width = packed.network.inputs
    timings = each_side_by_side(contenders, seconds=2.0)
    return [
        _row(group, what, width, batch, size, Measured(timing)) for what, timing in timings.items()
    ]


def _row(group: str, what: str, width: int, batch: int, size: int, measured: Measured) -> HostRow:
    timing = measured.timing
    return HostRow(
        group,
        what,
        width,
        batch,
        size,
        timing.median_us,
        timing.best_us,
        measured.reads,
        measured.writes,
    )
