"""The sound packets from which mutated ones are made."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DoesNotFitError
from eie.hls.spec.design import Design
from eie.hls.spec.packets import Kind, build_packet
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack
from fuzz.network_seeds import seed_networks
from fuzz.valid_layers import complete
from fuzz.valid_network import Arrays, ReadNetwork, compute

#: Vectors of a sound run.
BATCH = 2


@dataclass(frozen=True, eq=False)
class Seed:
    """A packed network, and what it gives."""

    packed: PackedNetwork
    #: Sound packets by kind.
    packets: dict[Kind, bytes]
    #: What it computes, for :func:`fuzz.valid_network.compute`.
    network: ReadNetwork
    #: int16, of the run among the packets.
    inputs: npt.NDArray[np.int16]

    def outputs(self, inputs: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
        """What the network must give."""
        return compute(self.network, inputs)

    def inputs_in(self, run: bytes) -> npt.NDArray[np.int16]:
        """Inputs in a run packet of any batch: behind header and RUN, before the trailer."""
        whole = run + bytes(-len(run) % 8)
        lanes = np.frombuffer(whole, "<i2")[16:-4].reshape(-1, 4 * self.packed.input_beats)
        inputs: npt.NDArray[np.int16] = lanes[:, self.packed.layers[0].slot_of_column]
        return inputs


@functools.cache
def seeds_of(design: Design) -> tuple[Seed, ...]:
    """Give the seed networks that fit a design, packed for it."""
    seeds = []
    for number, network in enumerate(seed_networks()):
        try:
            packed = pack(network, design)
        except DoesNotFitError:
            continue
        numbers = np.random.default_rng(number)
        inputs = numbers.integers(-3000, 3000, (BATCH, network.inputs)).astype(np.int16)
        arrays: Arrays = {}
        for place, layer in enumerate(network.layers):
            arrays |= {f"layer{place}_{name}": array for name, array in layer.arrays().items()}
        scalars = [complete(layer.scalars()) for layer in network.layers]
        packets = {
            Kind.IDENTIFY: build_packet(Kind.IDENTIFY, 1),
            Kind.LOAD: packed.load_packet(2),
            Kind.RUN: packed.run_packet(inputs, 3),
            Kind.COUNTERS: build_packet(Kind.COUNTERS, 4),
        }
        seeds.append(Seed(packed, packets, ReadNetwork(scalars, arrays, {}), inputs))
    return tuple(seeds)
