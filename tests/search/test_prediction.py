"""The one way to predict cycles: exact, whatever the depths, and never below its bounds."""

from __future__ import annotations

import numpy as np
import pytest
from network_graphs import NAMED, Builder, named_network

from eie.hls.spec.design import Design
from eie.host.packing.packer import encode_network
from eie.host.packing.tiling import plan_passes
from eie.host.run.batch import emulate, emulate_plan
from eie.host.search.fit import fit
from eie.host.search.prediction import (
    BATCH_GROUPS,
    Prediction,
    example_group,
    example_input,
    vector_cycles_in_passes,
)

SIZES = [(20, 30, 10), (3, 5), (121, 150, 40), (64, 16, 96)]


def predicted(network, pes=4, bits=4, **depths):
    packed = encode_network(network, Design(pes=pes, index_bits=bits), "balanced")
    return Prediction(packed), Design(pes=pes, index_bits=bits, **depths)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("density", [0.0, 0.1, 1.0])
def test_cycles_alone_and_in_a_batch_are_those_of_a_run(sizes, density, random_network):
    network = random_network(*sizes, density=density, golden=1, magnitude=900)
    design = fit(network, pes=4).design
    prediction, _ = predicted(network)
    for vectors, cycles in (
        (1, prediction.cycles(design)),
        (BATCH_GROUPS, prediction.batch_cycles(design)),
    ):
        inputs = np.repeat(example_input(network), vectors, axis=0)
        assert cycles == emulate(network, design, inputs).report.total_cycles


@pytest.mark.parametrize("name", NAMED)
def test_networks_that_hold_and_add_are_counted_as_they_run(name):
    network = named_network(name)
    design = fit(network, pes=8).design
    prediction = Prediction(encode_network(network, design, "balanced"))
    for vectors, cycles, least in (
        (1, prediction.cycles(design), prediction.least_cycles()),
        (BATCH_GROUPS, prediction.batch_cycles(design), prediction.least_batch_cycles()),
    ):
        inputs = np.repeat(example_input(network), vectors, axis=0)
        assert cycles == emulate(network, design, inputs).report.total_cycles
        assert cycles >= least


@pytest.mark.parametrize("abreast", [2, 4])
def test_a_batch_of_groups_is_counted_as_it_runs(abreast, random_network):
    """Groups of the golden vectors that there are, and of others like the first."""
    for network in (random_network(40, 30, 10, golden=3), named_network("residual", inputs=60)):
        design = fit(network, pes=4, abreast=abreast).design
        prediction = Prediction(encode_network(network, design, "balanced"))
        group = example_group(network, example_input(network))[:abreast]
        assert np.array_equal(group[: len(network.golden_inputs)], network.golden_inputs[:abreast])
        for inputs, cycles, least in (
            (group[:1], prediction.cycles(design), prediction.least_cycles()),
            (
                np.tile(group, (BATCH_GROUPS, 1)),
                prediction.batch_cycles(design),
                prediction.least_batch_cycles(abreast),
            ),
        ):
            assert cycles == emulate(network, design, inputs).report.total_cycles
            assert cycles >= least


def test_a_step_of_a_sequence_has_a_state():
    """Its state is no longer zero, as it is in a vector that stands for itself."""
    builder = Builder(20, 0)
    builder.chain(48, None, activation="lstm")
    network = builder.network()
    design = fit(network, pes=8).design
    prediction = Prediction(encode_network(network, design, "balanced"))
    first = emulate(network, design, example_input(network)).report.total_cycles
    assert prediction.cycles(design) > first
    assert prediction.cycles(design) >= prediction.least_cycles() > 0
    # Fewer lanes, fewer vectors under way.
    narrow = design.replace(held_activations=48)
    assert prediction.batch_cycles(narrow) > prediction.batch_cycles(design)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("pes", [1, 8, 64])
def test_deeper_queues_are_never_slower_and_bounds_hold(sizes, pes, random_network):
    """Fit rests on it for a vector alone: it counts deep queues, and what could be the best."""
    for density, bits in ((0.05, 3), (0.4, 4), (1.0, 8)):
        network = random_network(*sizes, density=density, golden=1, magnitude=900)
        prediction, design = predicted(network, pes, bits)
        alone, batch = [], []
        for depth in (2, 4, 8, 16, 32, 64, 256):
            deeper = design.replace(queue_depth=depth)
            alone.append(prediction.cycles(deeper))
            batch.append(prediction.batch_cycles(deeper))
        assert alone == sorted(alone, reverse=True)
        # In a batch a layer that comes back sooner may have its turn sooner, and delay others.
        assert len(sizes) > 2 or batch == sorted(batch, reverse=True)
        assert alone[-1] >= prediction.least_cycles() >= max(prediction.path_cycles().values())
        assert batch[-1] >= prediction.least_batch_cycles()


def test_outputs_are_those_of_the_network(random_network):
    network = random_network(40, 50, 17, density=0.3, golden=1, magnitude=900)
    prediction, _ = predicted(network)
    outputs = emulate(network, fit(network, pes=4).design, example_input(network)).outputs
    assert np.array_equal(prediction.outputs, outputs)


def test_cycles_in_passes_are_those_of_a_run(random_network):
    network = random_network(300, 200, 100, density=0.5, golden=1, magnitude=300)
    design = fit(network, pes=4).design.replace(entries_per_pe=4096)
    plan = plan_passes(network, design)
    assert len(plan.passes) > 2
    report = emulate_plan(plan, network.golden_inputs[:1]).report
    cycles, allowance = vector_cycles_in_passes(plan, network.golden_inputs[:1])
    assert cycles == report.total_cycles - report.load_cycles
    assert allowance == report.allowance_cycles
