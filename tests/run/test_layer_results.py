"""What layers give in plain numpy: the same as torch's integers, of vectors and of sequences."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from network_graphs import graph_networks, random_inputs

from eie.host.compress import TorchReference
from eie.host.compress.sequence_reference import SequenceReference
from eie.host.run.layer_results import States, layer_results

FUNCTIONS = ("none", "relu", "leaky_relu", "sigmoid", "tanh", "lstm", "gru")
SETTINGS = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@SETTINGS
@given(graph_networks(activations=FUNCTIONS))
def test_vectors(network):
    inputs = random_inputs(network, 5)
    results, saturated = layer_results(network, inputs)
    wanted = TorchReference(network).outputs_and_saturation(inputs)
    assert saturated == wanted[1]
    for mine, theirs in zip(results, wanted[0], strict=True):
        assert mine.dtype == np.int16
        assert np.array_equal(mine, theirs)


@SETTINGS
@given(graph_networks(activations=("relu", "lstm", "gru"), chains=(1, 3)))
def test_steps_of_sequences(network):
    steps = random_inputs(network, 8).reshape(2, 4, -1)
    states: States = {}
    results, total = [], np.zeros(len(network.layers), int)
    for step in range(4):
        found, saturated = layer_results(network, steps[:, step], states=states)
        results.append(found[-1])
        total += saturated
    wanted = SequenceReference(network)(list(steps))
    assert np.array_equal(np.stack(results, axis=1), np.stack(wanted.outputs))
    assert total.tolist() == list(wanted.saturated)
