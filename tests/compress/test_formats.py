import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import ModelError
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, FRAC_MAX, FRAC_MIN
from eie.host.compress import (
    DenseLayer,
    Ranges,
    TorchReference,
    assumed_formats,
    choose_formats,
    largest_frac,
    observed_ranges,
    quantize_layer,
    share,
)
from eie.host.compress.formats import typical_bits
from eie.host.network import Network


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
        (0.0, 1e-40, FRAC_MAX),
        (0.0, CODE_MAX * 2.0**-FRAC_MIN, FRAC_MIN),
    ],
)
def test_largest_frac(low, high, frac):
    assert largest_frac(low, high, name="values") == frac


@settings(max_examples=100, deadline=None)
@given(low=st.floats(-1e30, 0), high=st.floats(0, 1e30))
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
        largest_frac(0.0, 1e40, name="inputs")
    with pytest.raises(ModelError, match=r"inputs must lie within .* not -1e\+300 to 0"):
        largest_frac(-1e300, 0.0, name="inputs")


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


def test_assumed_formats_are_those_of_intervals():
    layers = [_layer([[1.0, -0.5], [-1.0, 0.0]], [0.0, -1.0], relu=True), _layer([[2.0, -4.0]])]
    formats = assumed_formats(layers, [share(layer.weights) for layer in layers])
    # Inputs to 4, hidden to 6 and 3, outputs from -12 to 12.
    assert [(f.input_frac, f.output_frac) for f in formats] == [(13, 12), (12, 11)]


LAYER = st.tuples(st.integers(1, 40), st.booleans(), st.floats(-3, 3))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    columns=st.integers(1, 40),
    shapes=st.lists(LAYER, min_size=1, max_size=4),
)
def test_no_input_overflows_assumed_formats(seed, columns, shapes):
    random = np.random.default_rng(seed)
    layers = []
    for number, (rows, relu, scale) in enumerate(shapes):
        weights = random.normal(size=(rows, columns)) * 10.0**scale
        weights *= random.random(size=weights.shape) ** 4  # many small ones, which round up or to 0
        bias = random.normal(size=rows) * 10 ** random.uniform(-3, 3)
        layers.append(_layer(weights, bias, relu=relu, name=f"fc{number}"))
        columns = rows
    shared = [share(layer.weights) for layer in layers]
    formats = assumed_formats(layers, shared)
    quantized = [quantize_layer(*each) for each in zip(layers, shared, formats, strict=True)]
    none = [np.zeros((0, width), np.int16) for width in (layers[0].columns, layers[-1].rows)]
    network = Network(tuple(quantized), *none)
    # For every row of the first layer, the codes that drive it as far up and down as they can.
    signs = np.sign(quantized[0].dense_weights()).astype(np.int64)
    up = np.where(signs > 0, CODE_MAX, CODE_MIN)
    down = np.where(signs > 0, CODE_MIN, CODE_MAX)
    ends = random.choice([CODE_MIN, CODE_MAX], size=(20, layers[0].columns))
    codes = np.concatenate([up, down, ends]).astype(np.int16)
    assert TorchReference(network).outputs_and_saturation(codes)[1] == [0] * len(layers)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), hidden=st.integers(1, 8))
def test_assumed_formats_hold_the_worst_input_of_two_layers(seed, hidden):
    """With no ReLU between, the worst input of two layers is known: that of their product."""
    random = np.random.default_rng(seed)
    first, second = random.choice([-1.0, 1.0], (hidden, 6)), random.choice([-1.0, 1.0], (3, hidden))
    layers = [_layer(first, name="0"), _layer(second, name="1")]
    shared = [share(layer.weights) for layer in layers]
    formats = assumed_formats(layers, shared)
    quantized = [quantize_layer(*each) for each in zip(layers, shared, formats, strict=True)]
    none = np.zeros((0, 6), np.int16), np.zeros((0, 3), np.int16)
    inputs = np.where(second @ first > 0, CODE_MAX, CODE_MIN).astype(np.int16)
    inputs = np.concatenate([inputs, np.invert(inputs)])
    reference = TorchReference(Network(tuple(quantized), *none))
    assert reference.outputs_and_saturation(inputs)[1] == [0, 0]


def test_typical_bits_are_those_of_the_format():
    weights = np.random.default_rng(0).choice([-1.0, 1.0], size=(4, 1024))
    layer, shared = _layer(weights), share(weights)
    (formats,) = assumed_formats([layer], [shared])
    assert formats.output_frac == 2  # sums to 4096
    assert typical_bits([layer], [shared], [formats]) == (7.0,)  # sums of 32


def test_a_large_bias_takes_bits_from_inputs_and_weights_alike():
    small = _formats(_layer([[1.0, -1.0]], [1.0]), (-4, 3.9), (-8, 7.9))
    large = _formats(_layer([[1.0, -1.0]], [2.0**24]), (-4, 3.9), (-(2.0**25), 2.0**25 - 2000))
    assert (small.input_frac, small.weight_frac) == (13, 14)
    assert (large.input_frac, large.weight_frac) == (10, 11)  # 46 bits for 25 before the point
    assert large.output_frac == -10


def test_tiny_inputs_do_not_push_the_bias_out_of_its_bits():
    formats = _formats(_layer([[0.5, -0.25]], [0.7]), (0, 1e-7), (0, 1.5))
    assert (formats.input_frac, formats.weight_frac) == (35, 11)  # 38 and 15 alone
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
        _formats(_layer([[2.0**100]]), (0, 2.0**100), (0, 1.0))
    with pytest.raises(ModelError, match="layer 'fc': weights, bias and inputs must be small"):
        _formats(_layer([[1.0]], [1e80]), (0, 1.0), (0, 1.0))


def test_a_layer_without_weights_has_formats():
    formats = _formats(_layer([[0.0, 0.0]]), (0, 1.0), (0, 0.0))
    assert (formats.input_frac, formats.weight_frac, formats.output_frac) == (14, 14, 14)
