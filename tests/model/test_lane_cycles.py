"""The model of lanes: with one the kernel's own, with more what a simulation by hand counts."""

from __future__ import annotations

import numpy as np
import pytest
from lane_oracle import Shape, simulate

from eie.hls.model.cycles import count_cycles
from eie.hls.model.emulator import Emulator
from eie.hls.model.lane_cycles import count_lane_cycles
from eie.hls.spec.design import Design
from eie.host.packing.packer import pack
from eie.host.protocol.client import Session

SIZES = {
    "two layers": (33, 50, 20),
    "four layers": (16, 64, 32, 32, 5),
    "many rows": (20, 200, 90, 7),
}


class Ran:
    """A batch through a random network on the emulator."""

    def __init__(self, network, pes: int, vectors: int, active: float = 0.6, **options) -> None:
        roomy = {"rows_per_pe": 256, "biases_per_pe": 512, "accumulator_bits": 48}
        self.design = Design(pes=pes, **{**roomy, **options})
        packed = pack(network, self.design)
        random = np.random.default_rng(1)
        inputs = random.integers(1, 500, (vectors, network.inputs))
        inputs = (inputs * (random.random(inputs.shape) < active)).astype(np.int16)
        emulator = Emulator(self.design)
        Session(emulator, packed).run(inputs)
        self.resident = emulator.resident
        *self.activations, _ = emulator.last_activations

    def by_model(self, lanes: int):
        return count_lane_cycles(self.design, self.resident, self.activations, lanes)

    def by_hand(self, lanes: int):
        layers = tuple(
            (each.columns, each.rows, each.local_rows, each.encoded.lengths())
            for each in self.resident.layers
        )
        design = self.design
        shape = Shape(
            design.pes, layers, lanes, design.queue_depth, design.result_depth,
            design.write_latency, design.hidden_words,
        )  # fmt: skip
        return simulate(shape, self.activations)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("pes", [1, 16, 64])
def test_one_lane_is_the_kernel(sizes, pes, random_network):
    for density, active in ((0.2, 0.6), (0.05, 0.1)):
        ran = Ran(random_network(*sizes, density=density), pes, 4, active)
        model, lanes = count_cycles(ran.design, ran.resident, ran.activations), ran.by_model(1)
        assert lanes.same_as(model)
        assert lanes.layer_cycles == model.layer_cycles


@pytest.mark.parametrize("lanes", [1, 2, 4])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_lanes_are_what_a_simulation_counts(sizes, lanes, random_network):
    """Groups that are not full, queues of two and of eight, room for one group or for several."""
    for pes, vectors, density, active, options in (
        (1, 3, 0.1, 0.6, {}),
        (2, 5, 0.1, 0.3, {"queue_depth": 2}),
        (4, 7, 0.3, 0.6, {"hidden_activations": 208, "rows_per_pe": 64}),
        (8, 4, 0.6, 1.0, {"result_depth": 32, "queue_depth": 64, "rows_per_pe": 64}),
        (16, 9, 0.05, 0.1, {"hidden_activations": 416}),
        (16, 1, 0.3, 0.6, {"rows_per_pe": 64}),
    ):
        ran = Ran(random_network(*sizes, density=density), pes, vectors, active, **options)
        model, told = ran.by_model(lanes), ran.by_hand(lanes)
        assert (model.cycles, model.busy.tolist()) == (told.cycles, told.busy)
        assert model.starved.tolist() == told.starved


def test_a_lane_more_takes_no_more_cycles_than_vectors_one_by_one(random_network):
    """All inputs active: every lane meets every column, so two lanes halve what is broadcast."""
    ran = Ran(random_network(96, 64, density=0.5), 16, 8, 1.0)
    one, two, four = (ran.by_model(lanes) for lanes in (1, 2, 4))
    assert one.busy.sum() == 2 * two.busy.sum() == 4 * four.busy.sum()
    assert four.cycles < two.cycles < one.cycles


@pytest.mark.parametrize("pes", [32, 128])
def test_lanes_of_large_arrays_end_and_meet_their_work(pes, random_network):
    """Words of several at once: the simulation has no merge, so what must be is held against."""
    ran = Ran(random_network(70, 300, 40, density=0.3), pes, 6)
    for lanes in (2, 4):
        met = sum(
            layer.encoded.lengths()
            @ sum((values[n : n + lanes] != 0).any(axis=0) for n in range(0, 6, lanes))
            for layer, values in zip(ran.resident.layers, ran.activations, strict=True)
        )
        found = ran.by_model(lanes)
        assert np.array_equal(found.busy, met)
        assert found.cycles >= met.max()
