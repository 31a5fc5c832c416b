"""What layers give in plain numpy: the same as torch's integers, of vectors and of sequences."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from network_graphs import graph_networks, random_inputs

from eie.host.compress import TorchReference
from eie.host.compress.sequence_reference import SequenceReference
from eie.host.run.layer_results import layer_results, sequence_results

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
@given(
    graph_networks(activations=("relu", "lstm", "gru"), chains=(1, 3)),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
)
def test_steps_of_sequences(network, lengths):
    steps = random_inputs(network, sum(lengths))
    sequences = np.split(steps, np.cumsum(lengths)[:-1])
    results, saturated = sequence_results(network, sequences)
    wanted = SequenceReference(network)(sequences)
    assert saturated == list(wanted.saturated)
    for mine, theirs in zip(results, wanted.layers, strict=True):
        assert mine.dtype == np.int16
        assert np.array_equal(mine, np.concatenate(theirs)[:, : mine.shape[1]])
