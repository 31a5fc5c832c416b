from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import InputError
from eie.hls.spec.fixed_point import (
    CODE_MAX,
    CODE_MIN,
    FRAC_MAX,
    FRAC_MIN,
    MAX_SHIFT,
    WriteBack,
    dequantize,
    quantize,
    write_back,
    write_back_counted,
)

SETTINGS = settings(max_examples=200, deadline=None, derandomize=True, database=None)
CODES = st.integers(CODE_MIN, CODE_MAX)
SUMS = st.integers(-(1 << 61), 1 << 61) | st.integers(-70000, 70000)


def saturated(value: int) -> int:
    return max(CODE_MIN, min(CODE_MAX, value))


@SETTINGS
@given(SUMS, st.integers(0, MAX_SHIFT), st.booleans(), CODES, CODES)
def test_write_back_is_rounding_shift_then_bounds(total, shift, half_even, one, other):
    low, high = sorted((one, other))
    exact = Fraction(total, 1 << shift)
    # Ties go to the even code as Python has them, or else towards plus infinity: the floor of the
    # value plus one half.
    rounded = round(exact) if half_even else math.floor(exact + Fraction(1, 2))
    rule = WriteBack(shift, low, high, half_even=half_even)
    codes, cut = write_back_counted(np.array([total]), rule)
    assert codes.dtype == np.int16
    assert int(codes[0]) == max(low, min(high, rounded))
    # A bound of the model cuts nothing off: only the end of 16 bits does.
    assert cut == (
        (rounded > CODE_MAX and high == CODE_MAX) or (rounded < CODE_MIN and low == CODE_MIN)
    )
    assert write_back(np.array([total]), rule).tolist() == codes.tolist()


@SETTINGS
@given(SUMS, st.integers(0, MAX_SHIFT), st.integers(0, (1 << 16) - 1))
def test_a_slope_is_what_negative_codes_are_multiplied_by(total, shift, slope):
    rounded = math.floor(Fraction(total, 1 << shift) + Fraction(1, 2))
    expected = saturated(rounded)
    if expected < 0:
        expected = math.floor(Fraction(expected * slope, 1 << 16) + Fraction(1, 2))
    codes, cut = write_back_counted(np.array([total]), WriteBack(shift, slope=slope))
    assert (int(codes[0]), cut) == (expected, rounded != saturated(rounded))


@pytest.mark.parametrize(
    ("total", "rule", "expected"),
    [
        (5, WriteBack(1), 3),
        (-5, WriteBack(1), -2),
        (-6, WriteBack(2), -1),
        (-1, WriteBack(1), 0),
        (-5, WriteBack(0), -5),
        (-5, WriteBack(1, low=0), 0),
        (5, WriteBack(1, half_even=True), 2),
        (-5, WriteBack(1, half_even=True), -2),
        (7, WriteBack(1, half_even=True), 4),
        (-5, WriteBack(0, half_even=True), -5),
        (9, WriteBack(0, low=0, high=6), 6),
        (-3, WriteBack(0, slope=1 << 15), -1),
        (1 << 40, WriteBack(0), CODE_MAX),
        (-(1 << 40), WriteBack(0), CODE_MIN),
        (1 << 46, WriteBack(MAX_SHIFT), 1),
        (1 << 46, WriteBack(MAX_SHIFT, half_even=True), 0),
        ((1 << 46) - 1, WriteBack(MAX_SHIFT), 0),
    ],
)
def test_write_back_at_its_corners(total, rule, expected):
    assert int(write_back(np.array([total]), rule)[0]) == expected


@SETTINGS
@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(FRAC_MIN, FRAC_MAX),
)
def test_quantize_rounds_to_the_nearest_code_and_saturates(value, frac):
    exact = Fraction(value) * Fraction(2) ** frac
    assert int(quantize(value, frac)) == saturated(round(exact))


@SETTINGS
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=16), min_size=1),
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1),
    st.integers(FRAC_MIN, FRAC_MAX),
)
def test_shorter_floats_get_the_codes_of_their_values(halves, singles, frac):
    for values, dtype in ((halves, np.float16), (singles, np.float32)):
        codes = quantize(np.array(values, dtype), frac)
        assert codes.dtype == np.int16
        assert codes.tolist() == [
            saturated(round(Fraction(v) * Fraction(2) ** frac)) for v in values
        ]


@pytest.mark.parametrize("frac", [0, 8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ties_go_to_the_even_code(dtype, frac):
    ties = np.array([-1.5, -0.5, 0.5, 1.5, 2.5, 32766.5, 32767.5, -32768.5], dtype) / dtype(2**frac)
    assert quantize(ties, frac).tolist() == [-2, 0, 0, 2, 2, 32766, 32767, -32768]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_arrays_of_many_blocks_and_of_any_layout(dtype):
    values = np.random.default_rng(0).normal(0, 1000, (300, 401)).astype(dtype)
    for array in (values, values[::2, ::-3], np.asfortranarray(values), values[:0]):
        expected = np.clip(np.rint(array.astype(np.float64) * 32), CODE_MIN, CODE_MAX)
        assert np.array_equal(quantize(array, 5), expected.astype(np.int16))


def test_what_is_not_finite_is_found_in_any_block():
    values = np.zeros((300, 401), np.float32)
    values[299, 400] = np.nan
    values[298, 2] = np.inf
    with pytest.raises(InputError, match=r"not inf at index \(298, 2\) \(2 such values\)"):
        quantize(values, 8)


@SETTINGS
@given(st.integers(CODE_MIN, CODE_MAX), st.integers(FRAC_MIN, FRAC_MAX))
def test_a_code_survives_the_way_to_real_numbers_and_back(code, frac):
    values = dequantize(np.array([code], np.int16), frac)
    assert values.dtype == np.float32
    assert Fraction(float(values[0])) == code * Fraction(2) ** -frac
    assert quantize(values, frac).tolist() == [code]


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int8, np.uint64, np.bool_, ">f4"])
def test_quantize_takes_every_real_type(dtype):
    assert quantize(np.array([[0, 1]], dtype), 3).tolist() == [[0, 8]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_quantize_refuses_what_is_not_finite_and_says_where(bad):
    values = np.zeros((3, 4))
    values[1, 2] = values[2, 0] = bad
    with pytest.raises(InputError, match=r"weights must be finite, not .* \(1, 2\) \(2 such"):
        quantize(values, 8, name="weights")


@pytest.mark.parametrize(
    "values", [np.zeros(2, complex), np.array(["1"]), np.array([None]), np.zeros(2, "M8[s]")]
)
def test_quantize_refuses_what_is_not_a_real_number(values):
    with pytest.raises(InputError, match="must be real numbers, not dtype"):
        quantize(values, 8)


def test_each_feature_may_have_a_fraction_length():
    fracs = np.array([-40, 0, 13, 60])
    values = np.random.default_rng(0).normal(size=(9, 5, 4)) * 2.0 ** (14 - fracs)
    for array in (values, values.astype(np.float32), values[0], values[0, 0], values[:0]):
        codes = quantize(array, fracs)
        expected = [quantize(array[..., each], int(frac)) for each, frac in enumerate(fracs)]
        assert np.array_equal(codes, np.stack(expected, axis=-1))
        real = dequantize(codes, fracs)
        assert real.dtype == np.float32
        assert np.array_equal(quantize(real, fracs), codes)
    with pytest.raises(InputError, match=r"inputs must have shape \(\.\.\., 4\), not \(2, 3\)"):
        quantize(np.zeros((2, 3)), fracs, name="inputs")
    with pytest.raises(InputError, match=r"must be finite, not inf at index \(1, 2\)"):
        quantize([[0, 0, 0, 0], [0, 0, np.inf, 0]], fracs)
