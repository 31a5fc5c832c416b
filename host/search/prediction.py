"""Cycles of a network on a design, by the exact cycle model: the one way to predict them.

They are the least that a synthesised kernel takes. What its pipelines add to the latency of a
vector is the allowance (:mod:`eie.hls.model.allowance`), which latencies are judged with; a batch,
in which vectors overlap, is judged by the least.

They depend on how the network is encoded (PEs and zero runs), on the depths of queues, on where
accumulators live, on how many vectors go abreast and how many find room, not on other capacities,
board or kind of memory: so an encoding is decoded once, and each set of those counted once. A
design that is too small for the network is counted as if it held it.
"""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from eie.hls.model.allowance import allowance_of
from eie.hls.model.cycle_counts import count_cycles
from eie.hls.model.memory_image import ResidentLayer
from eie.hls.model.resident_network import Held, ResidentNetwork, Tags
from eie.hls.spec.design import RANGES, Design
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD, LAYER
from eie.host.network import INPUT, Network
from eie.host.packing.held_memory import lay_out
from eie.host.packing.packed_layer import PackedLayer
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.tiling import Plan

__all__ = [
    "BATCH_GROUPS",
    "Prediction",
    "batch_vectors",
    "example_group",
    "example_input",
    "vector_cycles_in_passes",
]

#: Groups of vectors of the batch that throughput is counted of: the same one again and again.
BATCH_GROUPS = 4
#: Share of non-zero activations assumed for a network without golden vectors.
_ASSUMED_DENSITY = 0.5
_VALUES_PER_BEAT = 4
#: Vectors that go abreast at most.
_MOST_ABREAST = RANGES["abreast"][1]
#: Steps of a sequence of which the last is counted.
_STEPS = 3

Codes = npt.NDArray[np.int16]


def batch_vectors(design: Design) -> int:
    """Vectors of the batch that throughput is counted of."""
    return BATCH_GROUPS * design.abreast


class Prediction:
    """Cycles of one vector through a packed network.

    Parameters
    ----------
    packed
        The network, encoded for the PEs and zero runs of the designs to predict.
    inputs
        int16, shape (1, inputs): the vector; :func:`example_input` if it is None. Of a recurrent
        network it is the third step of a sequence in which every step is alike.
    """

    def __init__(self, packed: PackedNetwork, inputs: Codes | None = None) -> None:
        self._packed = packed
        self._resident = _resident(packed)
        vector = example_input(packed.network) if inputs is None else inputs
        self._vector = vector
        words = np.zeros((max(packed.held.lanes, 1) * packed.held.stride, ACTIVATIONS_PER_WORD))
        held = Held(words.astype(np.int16), words.astype(np.int32))
        sent, order = packed.in_order_sent(vector), self._resident.whole()
        if packed.network.recurrent:
            # A later step than the first, whose state would be zero and cost nothing.
            sent = np.repeat(sent, _STEPS, axis=0)
            steps = np.arange(_STEPS)
            order = replace(order, tags=Tags(0 * steps, steps == 0, steps >= 0))
        run = self._resident.run(sent, order, held)
        self._activations, self._last = [each[-1:] for each in run.taken], run.outputs[-1:]
        self._counted: dict[tuple[int, ...], int] = {}

    @property
    def outputs(self) -> Codes:
        """int16, shape (1, outputs): what the vector gives."""
        found: Codes = self._last[:, self._packed.layers[-1].place_of_result]
        return found

    def cycles(self, design: Design) -> int:
        """Cycles of the vector alone, at least."""
        return self._cycles(design, 1)

    def allowance(self, design: Design) -> int:
        """Cycles that pipeline stages add to those of the vector alone: assumed, not measured."""
        return allowance_of(design).of(len(self._packed.layers))

    def batch_cycles(self, design: Design) -> int:
        """Cycles of a batch of :func:`batch_vectors` vectors, at least.

        All of them the vector; or where vectors go abreast groups of it and of others that the
        network knows (:func:`example_group`), as its like would meet nothing that it does not.
        """
        return self._cycles(design, batch_vectors(design))

    @functools.cached_property
    def _of_group(self) -> list[Codes]:
        """What each layer takes of vectors that go abreast, of the first that of the vector."""
        vectors = example_group(self._packed.network, self._vector)
        # Each has a lane of its own, if there are any.
        lanes = len(vectors) if self._packed.held.lanes else 0
        words = np.zeros((lanes * self._packed.held.stride, ACTIVATIONS_PER_WORD))
        held = Held(words.astype(np.int16), words.astype(np.int32))
        resident = replace(self._resident, lanes=lanes)
        return resident.run(self._packed.in_order_sent(vectors), None, held).taken

    def _activations_of(self, abreast: int) -> list[Codes]:
        """What each layer takes of a group."""
        if abreast == 1:
            return self._activations
        return [values[:abreast] for values in self._of_group]

    def least_cycles(self) -> int:
        """Cycles that the vector takes at least, whatever the depths of queues.

        A layer begins when the one before it is done, but for those that share their sums. It takes
        a cycle for each entry that the fullest PE meets, and for each activation that is broadcast.
        """
        total = 0
        for chain in self._packed.network.chains:
            met = sum(self._met(index) for index in chain)
            broadcast = sum(self._active(index) for index in chain)
            received = self._packed.network.inputs if chain[0] == 0 else 0
            total += max(int(np.max(met)), broadcast, -(-received // _VALUES_PER_BEAT))
        return total

    def _met(self, index: int, abreast: int = 1) -> npt.NDArray[np.int64]:
        """int64, shape (pes,): entries that each PE meets in a layer of a group."""
        active = np.flatnonzero(self._activations_of(abreast)[index].any(axis=0))
        met: npt.NDArray[np.int64] = (
            self._resident.layers[index].encoded.lengths()[:, active].sum(axis=1)
        )
        return met

    def _active(self, index: int, abreast: int = 1) -> int:
        """Activations of a layer of a group that are broadcast."""
        return int(np.count_nonzero(self._activations_of(abreast)[index].any(axis=0)))

    def least_batch_cycles(self, abreast: int = 1) -> int:
        """Cycles that the batch takes at least."""
        # Every PE takes the groups one after another, a cycle an entry, and so does the broadcast
        # its activations.
        layers = range(len(self._activations))
        met = sum(self._met(index, abreast) for index in layers)
        broadcast = sum(self._active(index, abreast) for index in layers)
        return max(self.least_cycles(), BATCH_GROUPS * max(int(np.max(met)), broadcast))

    def path_cycles(self) -> dict[str, int]:
        """Cycles that each path takes at least, over all layers, of one vector alone.

        ``PEs``: the entries that the fullest PE meets; ``broadcast``: one activation a cycle;
        ``input`` and ``output``: four values a cycle.
        """
        layers = range(len(self._activations))
        fullest = sum(int(self._met(index).max(initial=0)) for index in layers)
        broadcast = sum(self._active(index) for index in layers)
        network = self._packed.network
        return {
            "PEs": fullest,
            "broadcast": broadcast,
            "input": -(-network.inputs // _VALUES_PER_BEAT),
            "output": -(-network.outputs // _VALUES_PER_BEAT),
        }

    def _cycles(self, design: Design, vectors: int) -> int:
        depths = (design.queue_depth, design.result_depth, design.write_latency)
        # A vector alone finds room whatever there is.
        lanes = lay_out(self._packed.network, design.held_words, design.abreast).lanes
        room = (design.hidden_words, lanes) if vectors > 1 else (0, 0)
        key = (vectors, design.abreast, *depths, design.cell_units, *room)
        if key not in self._counted:
            group = self._activations_of(design.abreast if vectors > 1 else 1)
            times = vectors // len(group[0])
            repeated = [np.tile(values, (times, 1)) for values in group]
            resident = replace(self._resident, lanes=lanes)
            self._counted[key] = count_cycles(design, resident, repeated).cycles
        return self._counted[key]


def vector_cycles_in_passes(plan: Plan, inputs: Codes) -> tuple[int, int]:
    """Cycles of one vector, int16 of shape (1, inputs), through all passes, weights loaded.

    At least; and what pipeline stages add to them.
    """
    cycles = allowance = 0

    def run_pass(packed: PackedNetwork, values: Codes) -> Codes:
        nonlocal cycles, allowance
        prediction = Prediction(packed, values)
        cycles += prediction.cycles(plan.design)
        allowance += prediction.allowance(plan.design)
        return prediction.outputs

    plan.run(inputs, run_pass)
    return cycles, allowance


def example_input(network: Network) -> Codes:
    """The vector that cycles are predicted with, int16 of shape (1, inputs)."""
    if len(network.golden_inputs):
        return network.golden_inputs[:1]
    random = np.random.default_rng(0)
    codes = random.integers(1, 1 << 10, (1, network.inputs))
    return (codes * (random.random(codes.shape) < _ASSUMED_DENSITY)).astype(np.int16)


def example_group(network: Network, vector: Codes) -> Codes:
    """Give `vector`, of shape (1, inputs), and as many others as may go abreast with it.

    The network's golden vectors; where there are too few the first one with its values in other
    places, so that what one has not another has, which is the worst case.
    """
    random = np.random.default_rng(0)
    others = network.golden_inputs[1:_MOST_ABREAST]
    missing = _MOST_ABREAST - 1 - len(others)
    made = [random.permuted(vector, axis=1) for _ in range(missing)]
    return np.concatenate([vector, others, *made])


def _resident(packed: PackedNetwork) -> ResidentNetwork:
    """Put a network into PEs without a load packet, which has no room for what does not fit."""
    layers = tuple(
        ResidentLayer.build(
            LAYER.parse(record), part.encoded, part.layer.codebook, _biases_by_slot(part)
        )
        for record, part in zip(packed.layer_records(), packed.layers, strict=True)
    )
    held = packed.held
    # Nothing asks for the identity: no packet is made of it.
    return ResidentNetwork(0, held.lanes, held.stride, held.bases.get(INPUT), layers)


def _biases_by_slot(part: PackedLayer) -> npt.NDArray[np.int64]:
    if part.layer.accumulate:
        return np.zeros(part.local_rows * part.encoded.pes, np.int64)
    return part.biases().T.ravel()
