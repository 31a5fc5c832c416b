import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import ModelError
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, FRAC_MAX, FRAC_MIN
from eie.host.compress import (
    DenseLayer,
    Ranges,
    assumed_ranges,
    choose_formats,
    largest_frac,
    observed_ranges,
    share,
)


def _layer(weights, bias=None, relu=False, name="fc"):
    weights = np.array(weights, np.float64)
    bias = np.zeros(len(weights)) if bias is None else np.array(bias, np.float64)
    return DenseLayer(name, weights, bias, relu=relu, normalized=False)


def _formats(layer, inputs, outputs):
    return choose_formats([layer], [share(layer.weights)], Ranges(inputs, (outputs,), ""))[0]


@pytest.mark.parametrize(
    ("low", "high", "frac"),
    [
        (0.0, 1.0, 14),
        (-1.0, 0.5, 15),  # -1 is the code -32768
        (0.0, 32767 / 32768, 15),
        (0.0, 32767.4 / 32768, 15),
        (0.0, 32767.5 / 32768, 14),  # would round to 32768
        (-32768.5 / 32768, 0.0, 15),  # a tie, which goes to the even code
        (-32769 / 32768, 0.0, 14),
        (0.0, 40000.0, -1),
        (0.0, 0.0, 14),
        (0.0, 1e-30, FRAC_MAX),
        (0.0, CODE_MAX * 2.0**16, FRAC_MIN),
    ],
)
def test_largest_frac(low, high, frac):
    assert largest_frac(low, high, name="values") == frac


@settings(max_examples=100, deadline=None)
@given(low=st.floats(-1e8, 0), high=st.floats(0, 1e8))
def test_largest_frac_holds_and_the_next_does_not(low, high):
    def holds(frac):
        scaled = np.rint(np.ldexp([low, high], frac))
        return scaled.min() >= CODE_MIN and scaled.max() <= CODE_MAX

    frac = largest_frac(low, high, name="values")
    if (low, high) != (0, 0):
        assert holds(frac)
        assert frac == FRAC_MAX or not holds(frac + 1)


def test_a_range_that_nothing_holds():
    with pytest.raises(ModelError, match=r"inputs must lie within .* not 0 to 1e"):
        largest_frac(0.0, 1e10, name="inputs")


def test_observed_ranges_have_headroom():
    layers = [_layer([[1.0, 1.0], [-1.0, 0.0]], [0.0, 0.5], relu=True), _layer([[2.0, -4.0]])]
    weights = [share(layer.weights) for layer in layers]
    ranges = observed_ranges(layers, weights, np.array([[1.0, 2.0], [-3.0, 0.5]]))
    # Hidden: (3, 0), (0, 3.5); outputs: 6, -14.
    assert ranges.inputs == (-6.0, 4.0)
    assert ranges.outputs == ((0.0, 7.0), (-28.0, 12.0))
    assert ranges.origin.startswith("calibration: ranges of 2 vectors, widened by a factor of 2")
    formats = choose_formats(layers, weights, ranges)
    assert [(f.input_frac, f.output_frac) for f in formats] == [(12, 12), (12, 10)]


def test_assumed_ranges_of_few_weights_are_those_of_intervals():
    layers = [_layer([[1.0, -0.5], [-1.0, 0.0]], [0.0, -1.0], relu=True), _layer([[2.0, -4.0]])]
    ranges = assumed_ranges(layers, [share(layer.weights) for layer in layers])
    high = 4 - 2.0**-13
    assert ranges.inputs == (-4.0, high)
    assert ranges.outputs == ((0.0, high + 2.0), (-4 * 3.0, 2 * (high + 2.0)))
    assert ranges.origin.startswith("weights and unit-scale inputs")


def test_assumed_ranges_of_many_weights_do_not_grow_as_intervals_do():
    weights = np.random.default_rng(0).normal(size=(4, 20_000))
    layer = _layer(weights)
    shared = share(weights)
    ((low, high),) = assumed_ranges([layer], [shared]).outputs
    largest = 32 * math.sqrt(np.square(shared.dense()).sum(1).max())
    np.testing.assert_allclose([low, high], [-largest, largest], rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rows=st.integers(1, 6),
    columns=st.integers(1, 6),
    relu=st.booleans(),
)
def test_no_input_leaves_the_assumed_range_of_few_weights(seed, rows, columns, relu):
    random = np.random.default_rng(seed)
    weights = random.integers(-7, 8, (rows, columns)) / 4
    layer = _layer(weights, random.normal(size=rows), relu=relu)
    ranges = assumed_ranges([layer], [share(weights)])
    ((low, high),) = ranges.outputs
    outputs = layer.forward(random.choice([*ranges.inputs, 0.0, 1.0], size=(50, columns)))
    assert outputs.min() >= low - 1e-9
    assert outputs.max() <= high + 1e-9


def test_a_large_bias_lowers_the_weight_fraction():
    small = _formats(_layer([[1.0, -1.0]], [1.0]), (-4, 3.9), (-8, 7.9))
    large = _formats(_layer([[1.0, -1.0]], [2.0**20]), (-4, 3.9), (-(2.0**21), 2.0**21 - 100))
    assert small.weight_frac == 14
    assert large.weight_frac == 46 - 21 - 13
    assert large.output_frac == -6


def test_tiny_inputs_do_not_push_the_bias_out_of_its_bits():
    formats = _formats(_layer([[0.5, -0.25]], [0.7]), (0, 1e-7), (0, 1.5))
    assert formats.input_frac == FRAC_MAX
    assert abs(0.7) * 2.0 ** (formats.input_frac + formats.weight_frac) < 2.0**47
    assert 0 <= formats.input_frac + formats.weight_frac - formats.output_frac <= 47


def test_the_shift_stays_within_47():
    formats = _formats(_layer([[1e-6]]), (0, 1e-6), (0, 2.0**30))
    assert formats.output_frac == -16
    assert formats.input_frac + formats.weight_frac - formats.output_frac == 47


def test_outputs_have_no_more_fraction_bits_than_the_accumulator():
    formats = _formats(_layer([[30_000.0]]), (0, 20_000.0), (0, 1e-3))
    assert (formats.input_frac, formats.weight_frac) == (0, 0)
    assert formats.output_frac == 0


def test_numbers_too_large_for_the_accumulator():
    with pytest.raises(ModelError, match="layer 'fc': weights, bias and inputs must be small"):
        _formats(_layer([[2.0**30]]), (0, 2.0**30), (0, 1.0))
    with pytest.raises(ModelError, match="layer 'fc': weights, bias and inputs must be small"):
        _formats(_layer([[1.0]], [1e40]), (0, 1.0), (0, 1.0))


def test_a_layer_without_weights_has_formats():
    formats = _formats(_layer([[0.0, 0.0]]), (0, 1.0), (0, 0.0))
    assert (formats.input_frac, formats.weight_frac, formats.output_frac) == (14, 14, 14)
