"""Networks that hold and add, in passes: cut only where nothing is held across."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_graphs import Builder, evaluate, graph_networks, named_network, random_inputs

from eie.hls.boundary.errors import DoesNotFitError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.tiling import plan_passes
from eie.host.protocol.client import Session
from eie.host.search.fit import fit

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def design(entries: int, **others) -> Design:
    return Design(
        pes=4, entries_per_pe=entries, rows_per_pe=64, biases_per_pe=64, accumulator_bits=48,
        **{"held_activations": 1024, "layers": 32, "bounds": 1, **others},
    )  # fmt: skip


def run(network: Network, made: Design, inputs: np.ndarray) -> tuple[list[list[str]], np.ndarray]:
    """Layers of each pass, and outputs."""
    plan = plan_passes(network, made)
    emulator = Emulator(made)
    outputs = plan.run(inputs, lambda packed, codes: Session(emulator, packed).run(codes))
    return [[part.layer.name for part in each.packed.layers] for each in plan.passes], outputs


@SETTINGS
@given(graph_networks(chains=(1, 5)), st.sampled_from([128, 256, 512, 4096]))
def test_outputs_are_those_of_the_whole_network(network, entries):
    inputs = random_inputs(network, 4)
    try:
        _, outputs = run(network, design(entries), inputs)
    except DoesNotFitError as error:
        assert "must be resident together" in str(error) or "raise" in str(error)
        return
    assert np.array_equal(outputs, evaluate(network, inputs).outputs)


def test_cuts_are_where_nothing_is_held_across():
    builder = Builder(24, 0)
    builder.chain(24, None, activation="relu")
    builder.chain(24, None, 0, identity=True)  # takes what the layer before gave, twice
    builder.chain(20, None, activation="relu")
    builder.chain(24, None, 2, activation="relu")
    network = builder.network()
    inputs = random_inputs(network, 6)
    passes, outputs = run(network, design(192), inputs)
    # What layer 2 gives is taken twice behind it: as the input of the second pass.
    assert passes == [["layer0", "layer1", "layer2"], ["layer3", "layer4", "layer5"]]
    assert np.array_equal(outputs, evaluate(network, inputs).outputs)
    assert run(network, design(4096), inputs)[0] == [[f"layer{n}" for n in range(6)]]


def test_layers_that_share_their_sums_are_dealt_out_together():
    """Weights of 8 bits, two planes on one input, of a layer that fits no pass whole."""
    builder = Builder(40, 0)
    builder.chain(64, None, -1, density=0.8, activation="relu")
    network = builder.network()
    inputs = random_inputs(network, 4)
    passes, outputs = run(network, design(384), inputs)
    assert len(passes) > 1
    assert all(each == ["layer0", "layer1"] for each in passes)
    assert np.array_equal(outputs, evaluate(network, inputs).outputs)


def test_what_cannot_be_cut_says_so():
    network = named_network("branches")
    with pytest.raises(DoesNotFitError, match=r"'layer1' to 'layer4' hold .* resident together: "):
        plan_passes(network, design(64))
    builder = Builder(20, 0)
    builder.chain(30, None, activation="lstm", density=1.0)
    with pytest.raises(DoesNotFitError, match="entries of PE"):
        plan_passes(builder.network(), design(512, cell_units=1))


@pytest.mark.parametrize("name", ["residual", "planes", "branches", "bounds"])
def test_fit_gives_what_is_held_its_room(name):
    network = named_network(name)
    for board in ("none", "pynq-z2"):
        made = fit(network, board).design
        assert (made.held_activations > 0) == (name != "bounds")
        assert made.cell_units == 0
        inputs = random_inputs(network, 6)
        _, outputs = run(network, made, inputs)
        assert np.array_equal(outputs, evaluate(network, inputs).outputs)


def test_fit_gives_functions_their_cell_units():
    builder = Builder(20, 0)
    builder.chain(40, None, activation="tanh")
    builder.chain(12, None, activation="lstm")
    made = fit(builder.network(), "pynq-z2").design
    assert made.cell_units > 0
    assert made.held_activations > 0
    with pytest.raises(DoesNotFitError, match="cell_units"):
        fit(builder.network(), "pynq-z2", cell_units=0)
