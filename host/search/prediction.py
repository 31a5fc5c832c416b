"""Cycles of a network on a design, by the exact cycle model: the one way to predict them.

They are the least that a synthesised kernel takes. What its pipelines add to the latency of a
vector is the allowance (:mod:`eie.hls.model.allowance`), which latencies are judged with; a batch,
in which vectors overlap, is judged by the least.

They depend on how the network is encoded (PEs and zero runs), on the depths of queues, on where
accumulators live and on how many hidden vectors find room, not on other capacities, board or kind
of memory: so an encoding is decoded once, and each set of those counted once. A design that is too
small for the network is counted as if it held it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eie.hls.model.allowance import allowance_of
from eie.hls.model.cycle_counts import count_cycles
from eie.hls.model.memory_image import ResidentLayer
from eie.hls.model.resident_network import ResidentNetwork
from eie.hls.spec.design import Design
from eie.hls.spec.packets import LAYER
from eie.host.network import INPUT, Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.tiling import Plan

__all__ = ["BATCH_VECTORS", "Prediction", "example_input", "vector_cycles_in_passes"]

#: Vectors of the batch that throughput is counted of: the same one again and again.
BATCH_VECTORS = 4
#: Share of non-zero activations assumed for a network without golden vectors.
_ASSUMED_DENSITY = 0.5
_VALUES_PER_BEAT = 4

Codes = npt.NDArray[np.int16]


class Prediction:
    """Cycles of one vector through a packed network.

    Parameters
    ----------
    packed
        The network, encoded for the PEs and zero runs of the designs to predict.
    inputs
        int16, shape (1, inputs): the vector; :func:`example_input` if it is None.
    """

    def __init__(self, packed: PackedNetwork, inputs: Codes | None = None) -> None:
        self._packed = packed
        self._resident = _resident(packed)
        vector = example_input(packed.network) if inputs is None else inputs
        run = self._resident.run(packed.in_order_sent(vector))
        *self._activations, self._last = run.activations
        self._counted: dict[tuple[int, ...], int] = {}

    @property
    def outputs(self) -> Codes:
        """int16, shape (1, outputs): what the vector gives."""
        found: Codes = self._last[:, self._packed.layers[-1].slot_of_row]
        return found

    def cycles(self, design: Design) -> int:
        """Cycles of the vector alone, at least."""
        return self._cycles(design, 1)

    def allowance(self, design: Design) -> int:
        """Cycles that pipeline stages add to those of the vector alone: assumed, not measured."""
        return allowance_of(design).of(len(self._packed.layers))

    def batch_cycles(self, design: Design) -> int:
        """Cycles of a batch of :data:`BATCH_VECTORS` of the vector, at least."""
        return self._cycles(design, BATCH_VECTORS)

    def least_cycles(self) -> int:
        """Cycles that the vector takes at least, whatever the depths of queues.

        A layer begins when the one before it is done. It takes a cycle for each entry that the
        fullest PE meets, and for each activation that is broadcast.
        """
        total = 0
        for number, activations in enumerate(self._activations):
            active = np.flatnonzero(activations[0])
            lengths = self._resident.layers[number].encoded.lengths()[:, active]
            fullest = int(lengths.sum(axis=1).max(initial=0))
            received = -(-activations.shape[1] // _VALUES_PER_BEAT) if number == 0 else 0
            total += max(fullest, len(active), received)
        return total

    def least_batch_cycles(self) -> int:
        """Cycles that the batch takes at least."""
        # Every PE takes the vectors one after another, a cycle an entry, and so does the broadcast
        # its activations.
        met: npt.NDArray[np.int64] = np.zeros(self._packed.design.pes, np.int64)
        for layer, activations in zip(self._resident.layers, self._activations, strict=True):
            met += layer.encoded.lengths()[:, np.flatnonzero(activations[0])].sum(axis=1)
        broadcast = sum(int(np.count_nonzero(values[0])) for values in self._activations)
        return max(self.least_cycles(), BATCH_VECTORS * max(int(met.max()), broadcast))

    def path_cycles(self) -> dict[str, int]:
        """Cycles that each path takes at least, over all layers, of one vector alone.

        ``PEs``: the entries that the fullest PE meets; ``broadcast``: one activation a cycle;
        ``input`` and ``output``: four values a cycle.
        """
        fullest = broadcast = 0
        for layer, activations in zip(self._resident.layers, self._activations, strict=True):
            active = np.flatnonzero(activations[0])
            fullest += int(layer.encoded.lengths()[:, active].sum(axis=1).max(initial=0))
            broadcast += len(active)
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
        key = (vectors, *depths, design.hidden_words if vectors > 1 else 0)
        if key not in self._counted:
            repeated = [np.repeat(values, vectors, axis=0) for values in self._activations]
            self._counted[key] = count_cycles(design, self._resident, repeated).cycles
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


def _resident(packed: PackedNetwork) -> ResidentNetwork:
    """Put a network into PEs without a load packet, which has no room for what does not fit."""
    layers = tuple(
        ResidentLayer.build(
            LAYER.parse(record), part.encoded, part.layer.codebook, part.biases().T.ravel()
        )
        for part, record in zip(packed.layers, packed.layer_records(), strict=True)
    )
    held = packed.held
    # Nothing asks for the identity: no packet is made of it.
    return ResidentNetwork(0, held.lanes, held.stride, held.bases.get(INPUT), layers)
