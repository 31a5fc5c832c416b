"""A soak of the driver: random runs, reloads and faults on the emulated board.

``python tests/board/soak.py --rounds 100000`` writes the driver's part of
docs/explanation/reliability.md.
Every output is compared with ``==``; every fault must surface as the error that belongs to it, and
the call after it must be right.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pynq

from eie.hls.boundary.errors import DeviceError, DeviceTimeoutError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.host.board.dma import DmaError, DmaStatus
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.network import Layer, Network
from eie.host.packing.tiling import plan_passes
from eie.host.protocol.responses import AnswerError
from eie.host.run.batch import emulate

# The folder of tests is no package: what its programs share is found beside them.
sys.path.insert(0, str(Path(__file__).parents[1]))

from reliability_page import PAGE, write_part

DESIGNS = (
    Design(pes=4, entries_per_pe=512, pointers_per_pe=512, rows_per_pe=16, board="zcu104"),
    Design(pes=1, index_bits=6, entries_per_pe=2048, pointers_per_pe=512, board="zcu104"),
    Design(pes=16, length_bits=6, result_depth=16, queue_depth=32, board="zcu104"),
)
#: Inputs, hidden layers and outputs; the last one runs in passes on the first design.
SHAPES = ((9, 7), (33, 20, 5), (60, 100, 12))
ERROR_BITS = (DmaStatus.INTERNAL_ERROR, DmaStatus.SLAVE_ERROR, DmaStatus.DECODE_ERROR)
#: What each fault must surface as. A request cut short is refused by the accelerator; an answer
#: with a bit inverted, or of another network, is refused by the host.
FAULTS = {
    "DMA error, request": DmaError,
    "DMA error, answer": DmaError,
    "kernel stands still": DeviceTimeoutError,
    "kernel takes no request": DeviceTimeoutError,
    "answer too late": DeviceTimeoutError,
    "answer without TLAST": DeviceTimeoutError,
    "fabric reset in mid-answer": DmaError,
    "other bitstream loaded": DeviceError,
    "request cut short": AnswerError,
    "request with a bit inverted": DeviceError,
    "answer with a bit inverted": DeviceError,
    "answer cut short": DeviceError,
    "answer of the packet before": AnswerError,
    "bitstream not loaded after a fault": DeviceError,
    "network lost": AnswerError,
}
VECTORS = 24
#: Reads of registers until the deadline: two a look, a look a tick of the clock, ten ticks.
READS = 20


class Pool:
    """A network with inputs and the outputs that they must give."""

    def __init__(self, design: Design, sizes: tuple[int, ...], seed: int) -> None:
        random = np.random.default_rng(seed)
        layers = []
        for number, (columns, rows) in enumerate(itertools.pairwise(sizes)):
            codes = random.integers(1, 16, (rows, columns)) * (random.random((rows, columns)) < 0.3)
            codebook = random.integers(-900, 900, 16).astype(np.int16)
            codebook[0] = 0
            layers.append(
                Layer.from_dense_codes(f"l{number}", codes.astype(np.uint8), codebook=codebook)
            )
        self.inputs = random.integers(-2000, 2000, (VECTORS, sizes[0])).astype(np.int16)
        bare = Network(tuple(layers))
        self.outputs = emulate(bare, design, self.inputs, report=False).outputs
        self.network = Network(tuple(layers), self.inputs, self.outputs)
        self.passes = len(plan_passes(bare, design).passes)

    def batch(self, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Some of the vectors, in random order."""
        chosen = random.integers(0, VECTORS, random.integers(0, 9))
        return self.inputs[chosen], self.outputs[chosen]


class Soak:
    """One board, its accelerator, and what happens to it."""

    def __init__(self, design: Design, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.pools = [Pool(design, sizes, seed + n) for n, sizes in enumerate(SHAPES)]
        self.engines: list[Emulator] = []
        self.board = EmulatedBoard("zcu104", lambda: self._engine(design))
        self.counts: Counter[str] = Counter()
        ticks = itertools.count()
        self._clock = lambda: float(next(ticks))

    def _engine(self, design: Design) -> Emulator:
        self.engines.append(Emulator(design))
        del self.engines[:-1]
        return self.engines[-1]

    def run(self, rounds: int) -> Counter[str]:
        with (
            self.board,
            Accelerator(
                self.board.bitfile, buffer_bytes=512, clock=self._clock
            ) as self.accelerator,
        ):
            self.load(self.pools[0])
            actions = {
                self.one: 0.5,
                self.load: 0.1,
                self.together: 0.1,
                self.verify: 0.05,
                self.counters: 0.05,
                self.slow: 0.05,
                self.fault: 0.15,
            }
            chosen = self.random.choice(list(actions), rounds, p=list(actions.values()))
            for action in chosen:
                action()
        return self.counts

    def load(self, pool: Pool | None = None) -> None:
        self.pool = pool or self.pools[self.random.integers(len(self.pools))]
        self.accelerator.load(self.pool.network)
        self.counts["loads"] += 1
        self.counts["loads of networks in passes"] += self.pool.passes > 1

    def check(self, outputs: np.ndarray, expected: np.ndarray) -> None:
        assert outputs.dtype == expected.dtype and np.array_equal(outputs, expected)
        self.counts["vectors compared"] += len(outputs)

    def one(self) -> None:
        inputs, expected = self.pool.batch(self.random)
        self.check(self.accelerator.run(inputs), expected)
        self.counts["runs"] += 1

    def together(self) -> None:
        batches = [self.pool.batch(self.random) for _ in range(3)]

        async def gather() -> list[np.ndarray]:
            calls = [self.accelerator.run_async(inputs) for inputs, _ in batches]
            return await asyncio.gather(*calls)

        for outputs, (_, expected) in zip(asyncio.run(gather()), batches, strict=True):
            self.check(outputs, expected)
        self.counts["asynchronous runs"] += len(batches)

    def verify(self) -> None:
        assert self.accelerator.verify() == VECTORS
        self.counts["verifications"] += 1

    def counters(self) -> None:
        # Of the last packet: what it counts depends on it; that it comes through is what counts.
        assert self.accelerator.counters().cycles >= 0
        self.counts["readings of counters"] += 1

    def slow(self) -> None:
        """A device that is slow, but not too slow, is no error."""
        inputs, expected = self.pool.inputs[:3], self.pool.outputs[:3]
        reads = int(self.random.integers(1, READS - 1))
        if self.random.random() < 0.5:
            self.board.faults.slow = reads
        else:
            self.board.faults.stall = reads
        self.check(self.accelerator.run(inputs), expected)
        self.counts["slow runs"] += 1

    def fault(self) -> None:
        name = str(self.random.choice(list(FAULTS)))
        inputs, expected = self.pool.inputs[:3], self.pool.outputs[:3]
        self.inject(name)
        try:
            outputs = self.accelerator.run(inputs)
        except DeviceError as error:
            assert isinstance(error, FAULTS[name]), f"{name} surfaced as {error!r}"
            self.counts[f"fault: {name}"] += 1
        else:
            # A network in passes is loaded anew for each run: that it was lost does not matter.
            assert name == "network lost" and self.pool.passes > 1, f"{name} did not surface"
            self.check(outputs, expected)
        self.check(self.accelerator.run(inputs), expected)

    def inject(self, name: str) -> None:
        faults, random = self.board.faults, self.random
        if name == "DMA error, request":
            faults.mm2s_error = ERROR_BITS[random.integers(3)]
        elif name == "DMA error, answer":
            faults.s2mm_error = ERROR_BITS[random.integers(3)]
        elif name == "kernel stands still":
            faults.hang = True
        elif name == "kernel takes no request":
            faults.stall = 10 * READS
        elif name == "answer too late":
            faults.slow = 10 * READS
        elif name == "fabric reset in mid-answer":
            faults.reset = int(random.integers(0, 8))
        elif name == "other bitstream loaded":
            pynq.Overlay(str(self.board.bitfile))
        elif name == "request with a bit inverted":
            # The shortest request of these networks, three vectors of nine inputs or a load of
            # the smallest network, is longer.
            faults.flip_request_bit = int(random.integers(0, 8 * 64))
        elif name == "answer cut short":
            faults.truncate_answer = int(random.integers(0, 4))
        elif name == "answer of the packet before":
            faults.stale_answer = True
        elif name == "bitstream not loaded after a fault":
            faults.hang = faults.download_error = True
            with contextlib.suppress(DeviceTimeoutError):
                self.accelerator.run(self.pool.inputs[:3])
        elif name == "answer without TLAST":
            faults.drop_tlast = True
        elif name == "request cut short":
            faults.truncate_request = int(random.integers(1, 4))
        elif name == "answer with a bit inverted":
            # The shortest answer, to a load, has four beats.
            faults.flip_answer_bit = int(random.integers(0, 4 * 64))
        else:
            self.engines[-1]._resident = None


def soak(rounds: int, seed: int) -> Counter[str]:
    """Run `rounds` rounds, spread over the designs; raises if anything is lost or wrong."""
    total: Counter[str] = Counter()
    for number, design in enumerate(DESIGNS):
        share = rounds // len(DESIGNS) + (number < rounds % len(DESIGNS))
        total += Soak(design, seed + number).run(share)
    total["rounds"] = rounds
    return total


def page(counts: Counter[str], seed: int, seconds: float) -> str:
    """Text of the driver's part of docs/explanation/reliability.md."""
    head = counts["rounds"]
    rows = [f"| {name} | {count:,} |" for name, count in sorted(counts.items()) if name != "rounds"]
    return f"""## The driver

`make soak` ran {head:,} random rounds on the emulated board (real `pynq`, the driver, the numpy
engine), spread over {len(DESIGNS)} designs and {len(SHAPES)} networks each, one of which runs in
passes on the smallest design: batches of 0 to 8 vectors in packets of at most 512 bytes, three
asynchronous batches at once, other networks, golden vectors, counters, and faults. Seed {seed},
{seconds:.0f} s. The figures below are the program's (`tests/board/soak.py`).

Every output was compared with `==`. A device that is slow, or stalls, within the deadline was no
error ("slow runs"). Every fault surfaced as the error that belongs to it, and the call after it
gave the right outputs: **none was lost, none mixed up**; the program stops at the first that is.

| what | how often |
| --- | ---: |
{chr(10).join(rows)}

A DMA that fails, a fabric that is reset, a kernel that stands still and an answer that does not end
lead to the bitstream being loaded again before the next call; a refused request does not.

Time in these rounds is counted in reads of registers, not in seconds. Not covered: interrupts (the
driver polls; the emulated board has them, see `tests/board/test_interrupts.py`), and anything on a
real board.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    start = time.monotonic()
    counts = soak(options.rounds, options.seed)
    write_part("driver", page(counts, options.seed, time.monotonic() - start))
    print(f"{options.rounds} rounds in {time.monotonic() - start:.0f} s: wrote {PAGE.name}")


if __name__ == "__main__":
    main()
