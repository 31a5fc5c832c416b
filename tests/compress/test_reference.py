from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_graphs import evaluate, graph_networks, random_inputs

from eie.hls.boundary.errors import InputError
from eie.hls.spec.fixed_point import write_back
from eie.host.compress import TorchReference
from eie.host.compress.sequence_reference import SequenceReference
from eie.host.network import Layer, Network


def _layer(random, name, rows, columns, *, density, relu, fracs, bias_bits=20) -> Layer:
    codes = random.integers(1, 16, (rows, columns)) * (random.random((rows, columns)) < density)
    codebook = np.concatenate([[0], random.integers(-32768, 32768, 15)]).astype(np.int16)
    bias = random.integers(-(1 << bias_bits), 1 << bias_bits, rows)
    return Layer.from_dense_codes(
        name,
        codes.astype(np.uint8),
        codebook=codebook,
        bias=bias,
        activation="relu" if relu else "none",
        input_frac=fracs[0],
        weight_frac=fracs[1],
        output_frac=fracs[2],
    )


def _network(*layers: Layer) -> Network:
    return Network(
        layers,
        np.zeros((0, layers[0].columns), np.int16),
        np.zeros((0, layers[-1].rows), np.int16),
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(1, 12), min_size=2, max_size=4),
    shifts=st.lists(st.integers(0, 24), min_size=3, max_size=3),
    density=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    relu=st.booleans(),
    batch=st.integers(0, 3),
)
def test_equals_integers_of_python(seed, sizes, shifts, density, relu, batch, integer_outputs):
    random = np.random.default_rng(seed)
    layers, frac = [], 8
    for number, (columns, rows) in enumerate(pairwise(sizes)):
        weight_frac = 12
        out = min(31, max(-16, frac + weight_frac - shifts[number]))
        layers.append(
            _layer(
                random,
                str(number),
                rows,
                columns,
                density=density,
                relu=relu,
                fracs=(frac, weight_frac, out),
            )
        )
        frac = out
    network = _network(*layers)
    inputs = random.integers(-32768, 32768, (batch, sizes[0])).astype(np.int16)
    outputs = TorchReference(network)(inputs)
    assert outputs.dtype == np.int16
    assert outputs.flags.c_contiguous
    assert np.array_equal(outputs, integer_outputs(network, inputs))


@settings(max_examples=100, deadline=None)
@given(
    total=st.integers(-(2**47), 2**47 - 1),
    shift=st.integers(0, 47),
    relu=st.booleans(),
)
def test_write_back_is_that_of_numpy(total, shift, relu):
    layer = Layer.from_dense_codes(
        "bias alone",
        np.zeros((1, 1), np.uint8),
        codebook=np.zeros(16, np.int16),
        bias=np.array([total]),
        activation="relu" if relu else "none",
        input_frac=min(shift, 31),
        weight_frac=max(shift - 31, 0),
        output_frac=0,
    )
    assert layer.shift == shift
    outputs = TorchReference(_network(layer))(np.zeros((1, 1), np.int16))
    assert np.array_equal(outputs[0], write_back(np.array([total]), layer.write_back))


@pytest.mark.parametrize(
    ("total", "shift", "relu", "code"),
    [
        (3, 1, False, 2),  # ties go towards plus infinity
        (-3, 1, False, -1),
        (-1, 1, False, 0),
        (5, 0, False, 5),
        (-5, 0, True, 0),
        (40_000, 0, False, 32767),
        (-40_000, 0, False, -32768),
        (65_535, 1, False, 32767),
    ],
)
def test_write_back_by_hand(total, shift, relu, code):
    layer = Layer.from_dense_codes(
        "bias alone",
        np.zeros((1, 1), np.uint8),
        codebook=np.zeros(16, np.int16),
        bias=np.array([total]),
        activation="relu" if relu else "none",
        input_frac=shift,
        weight_frac=0,
        output_frac=0,
    )
    assert TorchReference(_network(layer))(np.zeros((1, 1), np.int16)).tolist() == [[code]]


def test_sums_beyond_32_bits_are_exact(integer_outputs):
    random = np.random.default_rng(0)
    layer = _layer(random, "wide", 3, 5000, density=1.0, relu=False, fracs=(15, 15, -8))
    network = _network(layer)
    inputs = np.full((2, 5000), -32768, np.int16)
    inputs[1] = np.sign(layer.dense_weights()[0]) * 32767
    assert np.array_equal(TorchReference(network)(inputs), integer_outputs(network, inputs))


def test_layer_outputs(integer_outputs):
    random = np.random.default_rng(0)
    first = _layer(random, "a", 7, 5, density=0.6, relu=True, fracs=(8, 12, 4))
    second = _layer(random, "b", 3, 7, density=0.6, relu=False, fracs=(4, 12, -4))
    inputs = random.integers(-1000, 1000, (4, 5)).astype(np.int16)
    outputs = TorchReference(_network(first, second)).layer_outputs(inputs)
    assert np.array_equal(outputs[0], integer_outputs(_network(first), inputs))
    assert np.array_equal(outputs[1], integer_outputs(_network(first, second), inputs))


def test_a_large_layer():
    random = np.random.default_rng(0)
    layer = _layer(random, "large", 4096, 4096, density=0.1, relu=True, fracs=(8, 12, 0))
    inputs = random.integers(-32768, 32768, (16, 4096)).astype(np.int16)
    sums = inputs.astype(np.int64) @ layer.dense_weights()[:8].astype(np.int64).T + layer.bias[:8]
    outputs = TorchReference(_network(layer))(inputs)
    assert np.array_equal(outputs[:, :8], write_back(sums, layer.write_back))


@pytest.mark.parametrize(
    "inputs", [np.zeros((2, 5)), np.zeros((2, 4), np.int16), np.zeros(5, np.int16)]
)
def test_other_inputs_are_refused(inputs):
    network = _network(
        _layer(np.random.default_rng(0), "a", 2, 5, density=1, relu=False, fracs=(8, 8, 8))
    )
    with pytest.raises(InputError):
        TorchReference(network)(inputs)


@settings(max_examples=200, deadline=None)
@given(graph_networks(activations=("none", "relu", "leaky_relu", "sigmoid", "tanh"), chains=(1, 5)))
def test_graphs_equal_an_oracle_of_dense_products(network):
    inputs = random_inputs(network, 8)
    outputs, saturated = TorchReference(network).outputs_and_saturation(inputs)
    expected = evaluate(network, inputs)
    assert saturated == expected.saturated
    for mine, theirs in zip(outputs, expected.results, strict=True):
        assert mine.dtype == np.int16
        assert mine.shape == (8, 0) if theirs is None else np.array_equal(mine, theirs)
    assert np.array_equal(TorchReference(network)(network.golden_inputs), network.golden_outputs)


@settings(max_examples=40, deadline=None)
@given(graph_networks(activations=("relu", "lstm", "gru")))
def test_a_vector_of_a_recurrent_network_is_a_first_step(network):
    inputs = random_inputs(network, 4)
    steps = SequenceReference(network)([vector[None] for vector in inputs])
    assert np.array_equal(TorchReference(network)(inputs), np.concatenate(steps.outputs))
