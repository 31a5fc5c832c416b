"""Small networks in a batch, beside their bound: ``python -m benchmarks.small_networks``.

Random patterns of the densities of four networks that people put on a small board, seeded, on 8,
16 and 32 PEs; the cycle model, which equals the C++ simulation. The bound of a batch is the most
of: the entries that it meets over the number of PEs, the activations that are broadcast, beats of
input and beats of output, each summed over all layers. ``before`` is what the kernel took that had
one vector under way at a time (commit dbe1e67, its own model): the same networks, queues of 8
activations and 32 columns.

``--vectors-in-flight`` also gives the room between layers for 1, 2, 3 and 4 vectors.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.model.cycles import count_cycles
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD
from eie.host.network import Layer, Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack
from eie.host.protocol.client import Session
from eie.host.search.fit import fit

#: Columns that wait in front of each PE: two shift registers a bit.
QUEUE_DEPTH = 64
VECTORS = 32
PES = (8, 16, 32)
IN_FLIGHT = (1, 2, 3, 4)


@dataclass(frozen=True)
class SmallNetwork:
    """Sizes and densities of a network."""

    name: str
    sizes: tuple[int, ...]
    #: Of the weights of each layer, and of the input vectors.
    densities: tuple[float, ...]
    active: float
    #: Cycles of the batch over its bound, and of a vector alone, before: by number of PEs.
    before: dict[int, tuple[float, int]]


NETWORKS = (
    SmallNetwork(
        "digits",
        (64, 256, 128, 10),
        (0.1, 0.1, 0.25),
        0.55,
        {8: (1.417, 493), 16: (1.389, 322), 32: (1.263, 294)},
    ),
    SmallNetwork(
        "LeNet-300-100",
        (784, 300, 100, 10),
        (0.1, 0.1, 0.25),
        0.2,
        {8: (1.182, 1041), 16: (1.452, 613), 32: (1.291, 495)},
    ),
    SmallNetwork(
        "jets",
        (16, 64, 32, 32, 5),
        (0.3,) * 4,
        1.0,
        {8: (1.760, 197), 16: (1.633, 150), 32: (1.625, 151)},
    ),
    SmallNetwork(
        "autoencoder",
        (640, *(128,) * 4, 8, *(128,) * 4, 640),
        (0.2,) * 10,
        1.0,
        {8: (1.115, 4565), 16: (1.174, 2491), 32: (1.348, 1678)},
    ),
)


def network(small: SmallNetwork) -> Network:
    """Make it: uniform patterns, ReLU in all layers but the last."""
    random = np.random.default_rng(0)
    codebook = np.concatenate([[0], np.linspace(-700, 700, 15)]).astype(np.int16)
    codebook[8] = 13  # where the line goes through zero
    layers = []
    for number, density in enumerate(small.densities):
        columns, rows = small.sizes[number : number + 2]
        kept = round(columns * rows * density)
        codes = np.zeros(columns * rows, np.uint8)
        codes[random.permutation(codes.size)[:kept]] = random.integers(1, 16, kept)
        last = number == len(small.densities) - 1
        layers.append(
            Layer.from_dense_codes(
                f"layer{number}",
                codes.reshape(rows, columns),
                codebook=codebook,
                activation="none" if last else "relu",
                input_frac=8,
                weight_frac=10,
                output_frac=8,
            )
        )
    return Network(tuple(layers))


def inputs(small: SmallNetwork) -> npt.NDArray[np.int16]:
    """Make the batch, int16 of shape (VECTORS, inputs)."""
    random = np.random.default_rng(1)
    codes = random.integers(-500, 500, (VECTORS, small.sizes[0]))
    return (codes * (random.random(codes.shape) < small.active)).astype(np.int16)


@dataclass(frozen=True)
class Batch:
    """A batch on a design: what it takes at least, and what it takes."""

    small: SmallNetwork
    packed: PackedNetwork
    bounds: dict[str, float]
    activations: list[npt.NDArray[np.int16]]
    emulator: Emulator

    def cycles(self, design: Design | None = None, vectors: int = VECTORS) -> int:
        """Cycles of the first `vectors` on `design`, or on the one it was packed for."""
        resident = self.emulator.resident
        assert resident is not None
        taken = [values[:vectors] for values in self.activations]
        return count_cycles(design or self.packed.design, resident, taken).cycles

    def with_room_for(self, vectors: int) -> Design:
        """The design with room between layers for as many vectors."""
        longest = max(-(-size // ACTIVATIONS_PER_WORD) for size in self.small.sizes[1:-1])
        return self.packed.design.replace(
            hidden_activations=longest * ACTIVATIONS_PER_WORD * vectors
        )

    @property
    def bound(self) -> float:
        """Cycles that the batch takes at least."""
        return max(self.bounds.values())


def batch(small: SmallNetwork, pes: int) -> Batch:
    """Run the batch on the emulator of the design that fits the network."""
    net = network(small)
    packed = pack(net, fit(net, pes=pes, queue_depth=QUEUE_DEPTH).design)
    emulator = Emulator(packed.design)
    Session(emulator, packed).run(inputs(small))
    *activations, _ = emulator.last_activations
    met = sum(
        int((part.encoded.lengths() @ np.count_nonzero(values, axis=0)).sum())
        for part, values in zip(packed.layers, activations, strict=True)
    )
    bounds = {
        "work": met / pes,
        "broadcast": float(sum(np.count_nonzero(values) for values in activations)),
        "input": float(VECTORS * packed.input_beats),
        "output": float(VECTORS * packed.output_beats),
    }
    return Batch(small, packed, bounds, activations, emulator)


def rows(*, in_flight: bool) -> Iterator[str]:
    """Lines of the table."""
    heads = ["network", "PEs", "bound of a vector", "bound by", "before", "now"]
    heads += ["alone before", "alone now"]
    heads += [f"{count} in flight" for count in IN_FLIGHT] if in_flight else []
    yield "| " + " | ".join(heads) + " |"
    yield "|" + " --- |" * len(heads)
    for small in NETWORKS:
        for pes in PES:
            found = batch(small, pes)
            before, alone_before = small.before[pes]
            cells = [small.name, f"{pes}", f"{found.bound / VECTORS:.0f}"]
            cells += [max(found.bounds, key=lambda path: found.bounds[path])]
            cells += [f"{before:.2f}", f"{found.cycles() / found.bound:.2f}"]
            cells += [f"{alone_before}", f"{found.cycles(vectors=1)}"]
            if in_flight:
                designs = map(found.with_room_for, IN_FLIGHT)
                cells += [f"{found.cycles(each) / found.bound:.2f}" for each in designs]
            yield "| " + " | ".join(cells) + " |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.small_networks", description=__doc__
    )
    parser.add_argument("--vectors-in-flight", action="store_true", help="1 to 4 vectors, too")
    options = parser.parse_args(arguments)
    for line in rows(in_flight=options.vectors_in_flight):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
