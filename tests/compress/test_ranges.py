import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.host.compress import robust_range
from eie.host.compress.ranges import HEADROOM


def _normal(vectors: int = 1000, features: int = 20) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(vectors, features))


@pytest.mark.parametrize("glitch", [1e5, -1e6, 1e12, -1e100, 1e300])
def test_a_glitch_does_not_set_the_range(glitch):
    values = _normal()
    ordinary = np.abs(values).max()
    values[17, 3] = glitch
    low, high = robust_range(values)
    assert min(-low, high) >= ordinary * 0.9
    assert max(-low, high) < 100 * ordinary


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1.0, 1e9, 1e30])
def test_the_range_scales_with_the_values(scale):
    values = _normal()
    values[17, 3] = 1e6
    low, high = robust_range(values)
    assert robust_range(values * scale) == pytest.approx((low * scale, high * scale))


@pytest.mark.parametrize(
    ("share", "size"),
    [(1.0, 1e3), (0.1, 1e3), (0.01, 30.0), (0.001, 30.0)],
)
def test_large_values_that_are_real_are_held(share, size):
    values = _normal()
    values[: int(share * len(values))] *= size
    low, high = robust_range(values)
    assert HEADROOM * low <= values.min()
    assert HEADROOM * high >= values.max()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_vectors_cannot_tell_a_glitch(count):
    values = _normal(count)
    values[0, 3] = 1e6
    assert robust_range(values)[1] == (1e6 if count == 1 else pytest.approx(1e6, rel=1))


def test_sparse_values_are_not_taken_for_glitches():
    values = np.zeros((1000, 20))
    values[::100, 4] = 3.0
    assert robust_range(values) == (0.0, 3.0)


def test_ranges_of_zeros_constants_and_one_sign():
    assert robust_range(np.zeros((3, 2))) == (0.0, 0.0)
    assert robust_range(np.full((3, 2), 5.0)) == (0.0, 5.0)
    assert robust_range(np.full((1, 1), -5.0)) == (-5.0, 0.0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.floats(-1e30, 1e30), min_size=3, max_size=3), min_size=1, max_size=20))
def test_a_range_lies_within_the_values_and_zero(rows):
    values = np.array(rows)
    low, high = robust_range(values)
    assert min(values.min(), 0.0) <= low <= 0.0 <= high <= max(values.max(), 0.0)
    assert (low, high) != (0.0, 0.0) or not np.any(values)
