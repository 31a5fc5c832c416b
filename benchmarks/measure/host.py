"""How fast the host's side is: packets written and answers read, and what a call costs."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pynq

from benchmarks.measure import driver_call
from benchmarks.measure.driver_call import BOARD, PreparedEngine
from benchmarks.measure.timing import Action, Timing, side_by_side
from benchmarks.paper.layers import PES, PaperLayer
from benchmarks.paper.patterns import network, uniform
from benchmarks.results import Rows
from eie.hls.spec.fixed_point import dequantize, quantize
from eie.hls.spec.packets import BEAT_BYTES, TRAILER
from eie.host.board_emulator import EmulatedBoard
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack
from eie.host.protocol.responses import read_run_answer
from eie.host.search.fit import fit

#: Inputs and outputs of the smallest network; batches of the middle one, beside single vectors.
SMALL, BATCHES = 64, (64, 1024)
#: Bytes of a packet or an answer that its CRC covers.
_COVERED = slice(0, -TRAILER.beats * BEAT_BYTES)

Bytes = npt.NDArray[np.uint8]
Contenders = dict[str, Action]


def run(layers: Sequence[PaperLayer]) -> Rows:
    """Measure vectors of three lengths, the longer two taken from `layers`.

    What has one ``group`` and size was measured side by side; ``width`` is the length of a vector,
    ``size`` the bytes of the packet or of its answer; registers that were not counted are 0.
    """
    by_name = {layer.name: layer for layer in layers}
    middle, long = by_name["Alex-7"].inputs, by_name["VGG-6"].inputs
    for width, batches in ((SMALL, (1,)), (middle, (1, *BATCHES)), (long, (1,))):
        packed = packed_network(width)
        for batch in batches:
            codes = vectors(packed, batch)
            for group, ways in (("write", _writing), ("read", _reading)):
                size, contenders = ways(packed, codes)
                row = {"group": group, "what": "", "width": width, "batch": batch, "size": size}
                yield from _rows(row, side_by_side(contenders, short=True), {})
    packed = packed_network(SMALL)
    codes = vectors(packed, 1)
    row = {"what": "", "width": SMALL, "batch": 1, "size": packed.run_packet_bytes(1)}
    yield from _rows({"group": "call"} | row, *driver_call.measure_call(packed, codes))
    yield from _rows({"group": "transfer"} | row, *driver_call.measure_transfer(packed, codes))


def _rows(
    row: dict[str, Any], timings: dict[str, Timing], accesses: dict[str, tuple[int, int]]
) -> Rows:
    for what, timing in timings.items():
        reads, writes = accesses.get(what, (0, 0))
        yield row | {"what": what} | asdict(timing) | {"reads": reads, "writes": writes}


def packed_network(width: int) -> PackedNetwork:
    """Pack a network of one layer with as many outputs as inputs, and few weights."""
    layer = PaperLayer(f"{width} x {width}", width, width, 4 / width, 1.0, *[0.0] * 7)
    net = network(layer, uniform)
    return pack(net, fit(net, pes=PES).design)


def vectors(packed: PackedNetwork, batch: int) -> npt.NDArray[np.int16]:
    """Make input vectors, int16 of shape (batch, inputs)."""
    random = np.random.default_rng(0)
    return random.integers(-2000, 2000, (batch, packed.network.inputs)).astype(np.int16)


def _writing(packed: PackedNetwork, codes: npt.NDArray[np.int16]) -> tuple[int, Contenders]:
    """Write requests into a buffer of pynq's, and copy as many bytes into it."""
    source, frac = np.frombuffer(packed.run_packet(codes), np.uint8), packed.network.input_frac
    buffer, reals = _allocated(packed, source), dequantize(codes, frac)
    return len(source), {
        "int16": partial(packed.write_run_packet, codes, buffer),
        "float32": lambda: packed.write_run_packet(quantize(reals, frac), buffer),
        "crc": lambda: zlib.crc32(buffer[_COVERED].data),
        "memcpy": partial(np.copyto, buffer, source),
    }


def _reading(packed: PackedNetwork, codes: npt.NDArray[np.int16]) -> tuple[int, Contenders]:
    """Read answers in a buffer of pynq's, and copy as many bytes out of it."""
    engine, frac = PreparedEngine(packed.design), packed.network.output_frac
    engine.process(packed.load_packet())
    answer = np.frombuffer(engine.process(packed.run_packet(codes)), np.uint8)
    buffer, target = _allocated(packed, answer), answer.copy()
    outputs = np.zeros((len(codes), packed.network.outputs), np.int16)
    read = partial(read_run_answer, packed, buffer.data, outputs)
    return len(answer), {
        "int16": read,
        "float32": lambda: (read(), dequantize(outputs, frac)),
        "crc": lambda: zlib.crc32(buffer[_COVERED].data),
        "memcpy": partial(np.copyto, target, buffer),
    }


def _allocated(packed: PackedNetwork, contents: Bytes) -> Bytes:
    """Give memory of pynq's with these bytes in it."""
    with EmulatedBoard(BOARD, lambda: PreparedEngine(packed.design)):
        buffer: Bytes = np.asarray(pynq.allocate((len(contents),), np.uint8))
    buffer[:] = contents
    return buffer
