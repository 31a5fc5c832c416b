"""A soak of the driver: random runs, reloads and faults on the emulated board.

``python tests/board/soak.py --rounds 100000`` writes the driver's part of
docs/explanation/reliability.md.
Every output is compared with ``==``; every fault must surface as the error that belongs to it, and
the call after it must be right.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from eie.hls.boundary.errors import DeviceError
from eie.hls.spec.design import Design
from eie.host.network import Layer, Network
from eie.host.packing.tiling import plan_passes
from eie.host.run.batch import emulate

# The folders of tests are no packages: what their programs share is found beside them.
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from reliability_page import PAGE, write_part
from soak_board import FAULTS, READS, SoakedBoard
from soak_sequences import soak_sequences

DESIGNS = (
    Design(pes=4, entries_per_pe=512, pointers_per_pe=512, rows_per_pe=16, board="zcu104"),
    Design(pes=1, index_bits=6, entries_per_pe=2048, pointers_per_pe=512, board="zcu104"),
    Design(pes=16, length_bits=6, result_depth=16, queue_depth=32, board="zcu104"),
)
#: Inputs, hidden layers and outputs; the last one runs in passes on the first design.
SHAPES = ((9, 7), (33, 20, 5), (60, 100, 12))
VECTORS = 24


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


class Soak(SoakedBoard):
    """Vectors on a board."""

    def __init__(self, design: Design, seed: int) -> None:
        super().__init__(design, seed)
        self.pools = [Pool(design, sizes, seed + n) for n, sizes in enumerate(SHAPES)]

    def run(self, rounds: int) -> Counter[str]:
        with self.board, self.opened():
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

    def short_run(self) -> None:
        self.accelerator.run(self.pool.inputs[:3])

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


def soak(rounds: int, seed: int) -> Counter[str]:
    """Run `rounds` rounds, spread over the designs; raises if anything is lost or wrong."""
    total: Counter[str] = Counter()
    for number, design in enumerate(DESIGNS):
        share = rounds // len(DESIGNS) + (number < rounds % len(DESIGNS))
        total += Soak(design, seed + number).run(share)
    total["rounds"] = rounds
    return total


def _table(counts: Counter[str]) -> str:
    rows = [f"| {name} | {count:,} |" for name, count in sorted(counts.items()) if name != "rounds"]
    return "\n".join(["| what | how often |", "| --- | ---: |", *rows])


def page_of_sequences(counts: Counter[str], seed: int, seconds: float) -> str:
    """Text of the part of docs/explanation/reliability.md on sequences."""
    return f"""## The driver, sequences

The same program (`make soak`) ran {counts["rounds"]:,} rounds with recurrent networks: an LSTM, a
GRU, and both one after the other, on two designs. Seed {seed}, {seconds:.0f} s. Sequences of
different lengths are begun, continued with `keep_state`, streamed step by step, and more of them
run than there are lanes. Each of the faults above hits a run that continues sequences, or a stream:
cut off in mid-sequence, TLAST too early (anywhere in the request, so also behind steps that were
taken), a bit of request or answer inverted, and so on. And a network
is loaded anew between two parts of a sequence, or something else uses the accelerator.

Every output was compared with `==` with the integer reference of the whole sequence. Every fault
surfaced as the error that belongs to it; **every call that would have gone on from a lost state was
refused**, and the sequences begun after it were right.

{_table(counts)}
"""


def page(counts: Counter[str], seed: int, seconds: float) -> str:
    """Text of the driver's part of docs/explanation/reliability.md."""
    head = counts["rounds"]
    return f"""## The driver

`make soak` ran {head:,} random rounds on the emulated board (real `pynq`, the driver, the numpy
engine), spread over {len(DESIGNS)} designs and {len(SHAPES)} networks each, one of which runs in
passes on the smallest design: batches of 0 to 8 vectors in packets of at most 512 bytes, three
asynchronous batches at once, other networks, golden vectors, counters, and faults. Seed {seed},
{seconds:.0f} s. The figures below are the program's (`tests/board/soak.py`).

Every output was compared with `==`. A device that is slow, or stalls, within the deadline was no
error ("slow runs"). Every fault surfaced as the error that belongs to it, and the call after it
gave the right outputs: **none was lost, none mixed up**; the program stops at the first that is.

{_table(counts)}

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
    parser.add_argument("--sequence-rounds", type=int, default=3_000)
    options = parser.parse_args()
    for name, run, text, rounds in (
        ("driver", soak, page, options.rounds),
        ("driver, sequences", soak_sequences, page_of_sequences, options.sequence_rounds),
    ):
        if not rounds:
            continue
        start = time.monotonic()
        counts = run(rounds, options.seed)
        seconds = time.monotonic() - start
        write_part(name, text(counts, options.seed, seconds))
        print(f"{name}: {rounds} rounds in {seconds:.0f} s: wrote {PAGE.name}")


if __name__ == "__main__":
    main()
