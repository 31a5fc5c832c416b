"""The proof that no accumulator overflows, against extreme inputs tried one by one."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import DoesNotFitError
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, MAX_SHIFT
from eie.host.network import Layer, Network
from eie.host.packing.packer import accumulator_bits_needed, pack
from eie.host.search.fit import fit

SETTINGS = settings(max_examples=120, deadline=None, derandomize=True, database=None)


def signed_bits(value: int) -> int:
    """Width of the narrowest signed integer that holds `value`."""
    return 1 + (value if value >= 0 else -value - 1).bit_length()


def reached(layer: Layer) -> list[list[int]]:
    """For each row everything that its accumulator becomes, over all extreme inputs.

    The accumulator starts at 0 and takes products in any order, so every subset of them is met;
    then come the bias and the half of the rounding shift, and ReLU after it. Rows that fill up the
    last word stay 0 until the half.
    """
    weights = layer.dense_weights().astype(object)
    half = (1 << layer.shift) >> 1
    values: list[list[int]] = [[half] for _ in range(layer.rows)]
    for inputs in itertools.product((0, CODE_MIN, CODE_MAX), repeat=layer.columns):
        for row in range(layer.rows):
            total = sum(w * a for w, a in zip(weights[row], inputs, strict=True))
            bias = int(layer.bias[row])
            values[row] += [total, total + bias, total + bias + half]
    return values


@st.composite
def layers(draw: st.DrawFn, columns: int = 4) -> Layer:
    rows, columns = draw(st.integers(1, 3)), draw(st.integers(1, columns))
    random = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    codes = random.integers(0, 16, (rows, columns)).astype(np.uint8)
    size = draw(st.sampled_from([1, 100, 32767]))
    codebook = random.integers(-size - 1, size + 1, 16).astype(np.int16)
    codebook[0] = 0
    bias_bits = draw(st.sampled_from([1, 20, 35, 48]))
    limit = 1 << (bias_bits - 1)
    bias = np.array([draw(st.integers(-limit, limit - 1)) for _ in range(rows)])
    shift = draw(st.sampled_from([0, 1, 8, 30, MAX_SHIFT]))
    return Layer.from_dense_codes(
        "layer",
        codes,
        codebook=codebook,
        bias=bias,
        activation=draw(st.sampled_from(["none", "relu"])),
        input_frac=min(shift, 31),
        weight_frac=max(shift - 31, 0),
        output_frac=0,
    )


@SETTINGS
@given(layers())
def test_the_bits_are_exactly_those_that_extreme_inputs_reach(layer):
    expected = [max(map(signed_bits, values)) for values in reached(layer)]
    assert accumulator_bits_needed(layer).tolist() == expected


@SETTINGS
@given(layers(columns=2), layers(columns=2), st.integers(0, 3))
def test_the_bits_of_a_chain_are_those_of_one_layer_with_all_columns(end, more, seed):
    """Which is what a chain is; the proof takes its layers one by one."""
    random = np.random.default_rng(seed)
    codes = random.integers(0, 16, (end.rows, more.columns)).astype(np.uint8)
    first = Layer.from_dense_codes("first", codes, codebook=more.codebook)
    # Both have a codebook; the wide layer has weights of its own, which is for sums the same.
    sums = [accumulator_bits_needed(first, end), accumulator_bits_needed(end)]
    assert (sums[0] >= sums[1]).all()
    expected = []
    weights = np.concatenate([first.dense_weights(), end.dense_weights()], axis=1).astype(object)
    half = (1 << end.shift) >> 1
    for row in range(end.rows):
        extremes = [
            sum(w * (top if w > 0 else bottom) for w in weights[row])
            for top, bottom in ((CODE_MAX, CODE_MIN), (CODE_MIN, CODE_MAX))
        ]
        bias = int(end.bias[row])
        values = [
            0,
            half,
            *extremes,
            *(each + bias + add for each in (*extremes, 0) for add in (0, half)),
        ]
        expected.append(max(map(signed_bits, values)))
    assert sums[0].tolist() == expected


def test_inputs_within_the_extremes_never_take_more():
    random = np.random.default_rng(0)
    codes = random.integers(0, 16, (7, 60)).astype(np.uint8)
    codebook = random.integers(-32768, 32768, 16).astype(np.int16)
    codebook[0] = 0
    layer = Layer.from_dense_codes("layer", codes, codebook=codebook)
    bits = accumulator_bits_needed(layer)
    weights = layer.dense_weights().astype(np.int64)
    for _ in range(50):
        inputs = random.integers(CODE_MIN, CODE_MAX + 1, 60)
        partial = np.cumsum(weights * inputs, axis=1)
        for row in range(7):
            assert max(signed_bits(int(value)) for value in partial[row]) <= bits[row]


def test_a_layer_of_the_largest_sums_is_counted_exactly():
    codebook = np.zeros(16, np.int16)
    codebook[1] = CODE_MIN
    ones = np.ones((1, 65536), np.uint8)
    top = (1 << 47) - 1
    layer = Layer.from_dense_codes(
        "layer", ones, codebook=codebook, bias=np.array([top]),
        input_frac=31, weight_frac=16, output_frac=0,
    )  # fmt: skip
    largest = 65536 * CODE_MIN * CODE_MIN + top + (1 << 46)
    assert accumulator_bits_needed(layer).tolist() == [signed_bits(largest)] == [49]


def test_a_row_without_weights_takes_what_its_bias_takes():
    layer = Layer.from_dense_codes(
        "layer", np.zeros((4, 3), np.uint8), codebook=np.zeros(16, np.int16),
        bias=np.array([0, 127, -128, -129]), input_frac=8, weight_frac=0, output_frac=8,
    )  # fmt: skip
    assert accumulator_bits_needed(layer).tolist() == [1, 8, 8, 9]


@pytest.mark.parametrize("activation", ["none", "relu"])
def test_the_half_of_rounding_must_fit_by_itself(activation, roomy):
    """ReLU makes 0 of a sum that is negative whatever comes, and padding rows are 0 anyway."""
    layer = Layer.from_dense_codes(
        "layer", np.zeros((1, 1), np.uint8), codebook=np.zeros(16, np.int16),
        bias=np.array([-(1 << 31)]), activation=activation,
        input_frac=12, weight_frac=28, output_frac=8,
    )  # fmt: skip
    assert layer.shift == 32
    assert accumulator_bits_needed(layer).tolist() == [33]
    network = Network((layer,))
    with pytest.raises(DoesNotFitError, match="can reach sums of 33 bits"):
        pack(network, roomy(1, accumulator_bits=32))
    assert pack(network, roomy(1, accumulator_bits=33)).network == network
    assert fit(network).design.accumulator_bits >= 33


@pytest.mark.parametrize("extra", [0, 1])
def test_packing_refuses_one_bit_too_few_and_names_the_row(extra, roomy, random_network):
    network = random_network(20, 7)
    layer = network.layers[0]
    bias = layer.bias.copy()
    bias[5] = (1 << 38) - 1
    layer = dataclasses.replace(layer, bias=bias)
    network = Network((layer,), network.golden_inputs, network.golden_outputs)
    bits = int(accumulator_bits_needed(layer)[5])
    assert bits == accumulator_bits_needed(layer).max()
    design = roomy(4, accumulator_bits=bits - 1 + extra)
    if extra:
        assert pack(network, design).design == design
        return
    with pytest.raises(DoesNotFitError) as caught:
        pack(network, design)
    assert f"row 5 of layer 'layer0' can reach sums of {bits} bits" in str(caught.value)
    assert f"the accumulator has {bits - 1}; raise accumulator_bits" in str(caught.value)
