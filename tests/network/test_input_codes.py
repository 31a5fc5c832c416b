"""Real inputs become codes in one place, which counts what does not fit."""

import dataclasses
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import EieWarning, InputError, SaturationWarning
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, quantize
from eie.host.network.input_codes import quantize_inputs, saturated_inputs


@pytest.fixture(scope="module")
def network(random_network):
    return random_network(4, 3)  # 8 fraction bits


def test_codes_are_those_of_quantize_and_quiet(network):
    values = np.array([[-128.0, 127.99, 0.25, 127.998]])  # the last is less than half a place out
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        codes = quantize_inputs(network, values)
    assert np.array_equal(codes, quantize(values, 8))


def test_what_is_cut_off_is_warned_of_by_feature_at_the_callers_line(network):
    values = np.array([[200.0, 0, 0, 1e308], [0, 0, 0, -129]])
    text = r"3 of 8 input values were saturated: 2 features \(0, 3\); .* from -128 to 127.996;"
    with pytest.warns(SaturationWarning, match=text) as caught:
        codes = quantize_inputs(network, values)
    assert caught[0].filename == __file__
    assert isinstance(caught[0].message, EieWarning)
    assert codes.tolist() == [[CODE_MAX, 0, 0, CODE_MAX], [0, 0, 0, CODE_MIN]]


@pytest.mark.parametrize("values", [np.zeros(4), np.zeros((2, 3)), np.zeros((1, 2, 4)), 3.0])
def test_another_shape_is_refused(values, network):
    fracs = np.array([1, 2, 3, 4])
    for each in (network, dataclasses.replace(network, feature_fracs=fracs)):
        with pytest.raises(InputError, match="must have shape"):
            quantize_inputs(each, values)


@settings(max_examples=60, deadline=None)
@given(
    fracs=st.lists(st.integers(-20, 40), min_size=4, max_size=4),
    values=st.lists(st.lists(st.floats(-1e9, 1e9), min_size=4, max_size=4), min_size=1, max_size=5),
)
def test_counts_are_those_of_each_feature(fracs, values, network):
    scaled = dataclasses.replace(network, feature_fracs=np.array(fracs))
    array = np.array(values)
    codes = quantize(array, scaled.input_frac)
    rounded = np.rint(array * 2.0 ** np.array(fracs))
    expected = np.count_nonzero((rounded < CODE_MIN) | (rounded > CODE_MAX), axis=0)
    assert np.array_equal(saturated_inputs(scaled, array, codes), expected)
