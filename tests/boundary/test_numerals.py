"""What is typed as a number is one in ASCII digits, and nothing else that Python takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.numerals import integer, number, seconds

#: What int() or float() takes.
NOT_TYPED = ["1_6", " 16", "16 ", "\n16", "١٦", "１６", "१६", "", "+", "-", "0x10", "1e", "--1",
             "9" * 5000, "1 6", "\u00b2"]  # fmt: skip


@given(st.integers(-(10**30), 10**30))
def test_integers_are_read(value):
    assert integer(str(value)) == value
    assert integer(f"{value:+d}") == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read(value):
    assert number(repr(value)) == value


@pytest.mark.parametrize("text", ["1", "1.", ".5", "-0.25", "1e-3", "+2E5"])
def test_ways_to_write_a_number(text):
    assert number(text) == float(text)


@pytest.mark.parametrize("text", NOT_TYPED)
@pytest.mark.parametrize("read", [integer, number, seconds])
def test_what_only_python_takes_is_refused(read, text):
    with pytest.raises(InputError, match="in the digits 0 to 9"):
        read(text)


@pytest.mark.parametrize("text", ["1.5", "1e3", "nan", "inf", "True"])
def test_what_is_no_integer_is_refused(text):
    with pytest.raises(InputError):
        integer(text)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "infinity", "1e999", "0x1p3", "True", "."])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(InputError):
        number(text)


@pytest.mark.parametrize("text", ["0", "-1", "0e5"])
def test_a_time_is_above_0(text):
    with pytest.raises(InputError, match="above 0 seconds"):
        seconds(text)
    assert seconds("0.5") == 0.5
