"""The sound packets from which mutated ones are made.

Vectors of a recurrent network are the steps of a sequence in lane 0; it has a state to be put there
besides.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DoesNotFitError
from eie.hls.spec.design import Design
from eie.hls.spec.packets import Kind, build_packet
from eie.host.network import Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack
from eie.host.packing.run_tags import RunTags
from eie.host.packing.state_packet import state_packet
from fuzz.network_seeds import seed_networks
from fuzz.valid_layers import States, complete
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

    #: What the state among the packets puts into a recurrent layer: h, and what the cell keeps.
    state: States

    @property
    def recurrent(self) -> bool:
        """Whether vectors are steps of a sequence."""
        return bool(self.state)

    def outputs(
        self, inputs: npt.NDArray[np.int16], states: States | None = None
    ) -> npt.NDArray[np.int64]:
        """What the network must give; `states` is taken further."""
        return compute(self.network, inputs, states)

    def going_on(self, lane: int) -> bytes:
        """Run the inputs of a recurrent network as further steps of a lane's sequence."""
        steps = one_sequence(len(self.inputs), lane, start=False)
        return self.packed.run_packet(self.inputs, 3, steps)

    def inputs_in(self, run: bytes) -> npt.NDArray[np.int16] | None:
        """Inputs in a run packet of any batch; None if it is not one of the sound run's kind.

        Behind header and RUN, before the trailer. A run through a part of the layers gives
        something else, and so do steps of other sequences.
        """
        # First layer, tags and number of layers.
        if run[24:28] != self.packets[Kind.RUN][24:28]:
            return None
        whole = run + bytes(-len(run) % 8)
        beats = self.packed.input_beats + self.recurrent
        vectors = np.frombuffer(whole, "<u8")[4:-1].reshape(-1, beats)
        if self.recurrent and (vectors[:, 0] != one_sequence(len(vectors)).beats()).any():
            return None
        lanes = np.ascontiguousarray(vectors[:, self.recurrent :]).view("<i2")
        inputs: npt.NDArray[np.int16] = lanes[:, self.packed.layers[0].slot_of_column]
        return inputs


@functools.cache
def seeds_of(design: Design) -> tuple[Seed, ...]:
    """Give the seed networks that fit a design, packed for it: the most recurrent ones first."""
    seeds = []
    networks = sorted(enumerate(seed_networks()), key=lambda each: -_recurrent_layers(each[1]))
    for number, network in networks:
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
            Kind.COUNTERS: build_packet(Kind.COUNTERS, 4),
        }
        state = _random_state(network, numbers)
        for layer, (h, kept) in state.items():
            packets[Kind.STATE] = state_packet(packed, layer, 0, h[0], kept[0], 5)
        steps = one_sequence(BATCH) if network.recurrent else None
        packets[Kind.RUN] = packed.run_packet(inputs, 3, steps)
        seeds.append(Seed(packed, packets, ReadNetwork(scalars, arrays, {}), inputs, state))
    return tuple(seeds)


def one_sequence(steps: int, lane: int = 0, *, start: bool = True) -> RunTags:
    """Tags of the steps of one sequence, each of which gives an output."""
    starts = np.arange(steps) == (0 if start else -1)
    return RunTags(np.full(steps, lane), starts, np.ones(steps, np.bool_))


def _recurrent_layers(network: Network) -> int:
    return sum(layer.recurrent for layer in network.layers)


def _random_state(network: Network, numbers: np.random.Generator) -> States:
    """A state of the last recurrent layer; none if there is no such layer."""
    places = [place for place, layer in enumerate(network.layers) if layer.recurrent]
    return {
        place: (
            numbers.integers(-(1 << 15), 1 << 15, (1, network.layers[place].results), np.int16),
            # Within -1 and 1 for a GRU, so that it stays there.
            numbers.integers(-(1 << 22), 1 << 22, (1, network.layers[place].results), np.int32),
        )
        for place in places[-1:]
    }
