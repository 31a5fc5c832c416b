from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.host.errors import InputError
from eie.host.fixed_point import (
    CODE_MAX,
    CODE_MIN,
    FRAC_MAX,
    FRAC_MIN,
    MAX_SHIFT,
    dequantize,
    quantize,
    write_back,
)

SETTINGS = settings(max_examples=200, deadline=None, derandomize=True, database=None)
SUMS = st.integers(-(1 << 61), 1 << 61) | st.integers(-70000, 70000)


def saturated(value: int) -> int:
    return max(CODE_MIN, min(CODE_MAX, value))


@SETTINGS
@given(SUMS, st.integers(0, MAX_SHIFT), st.booleans())
def test_write_back_is_relu_then_rounding_shift_then_saturation(total, shift, relu):
    rectified = max(total, 0) if relu else total
    # Ties go towards plus infinity, so rounding is the floor of the value plus one half.
    expected = saturated(math.floor(Fraction(rectified, 1 << shift) + Fraction(1, 2)))
    result = write_back(np.array([total]), shift, relu=relu)
    assert result.dtype == np.int16
    assert int(result[0]) == expected


@pytest.mark.parametrize(
    ("total", "shift", "relu", "expected"),
    [
        (5, 1, False, 3),
        (-5, 1, False, -2),
        (-6, 2, False, -1),
        (-1, 1, False, 0),
        (-5, 0, False, -5),
        (-5, 1, True, 0),
        (1 << 40, 0, False, CODE_MAX),
        (-(1 << 40), 0, False, CODE_MIN),
        (1 << 46, MAX_SHIFT, False, 1),
        ((1 << 46) - 1, MAX_SHIFT, False, 0),
    ],
)
def test_write_back_at_its_corners(total, shift, relu, expected):
    assert int(write_back(np.array([total]), shift, relu=relu)[0]) == expected


@SETTINGS
@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(FRAC_MIN, FRAC_MAX),
)
def test_quantize_rounds_to_the_nearest_code_and_saturates(value, frac):
    exact = Fraction(value) * Fraction(2) ** frac
    assert int(quantize(value, frac)) == saturated(round(exact))


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
