"""Streams that are used all at once give the times of as many single ones."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.model.fifo_times import Stream, StreamBundle


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 25), st.integers(0, 1000))
def test_a_bundle_is_as_many_single_streams(depth, count, elements, seed):
    random = np.random.default_rng(seed)
    bundle = StreamBundle(count, depth)
    singles = [Stream(depth) for _ in range(count)]
    may_write, may_read = np.zeros((2, count), np.int64)
    for work in random.integers(1, 6, (elements, 2, count)):
        written = bundle.write(may_write)
        assert written.tolist() == [
            s.write(int(t)) for s, t in zip(singles, may_write, strict=True)
        ]
        read = bundle.read(may_read)
        assert read.tolist() == [s.read(int(t)) for s, t in zip(singles, may_read, strict=True)]
        may_write, may_read = written + work[0], read + work[1]


def test_results_do_not_change_with_later_operations():
    bundle = StreamBundle(2, 1)
    written = bundle.write(np.array([3, 5]))
    read = bundle.read(np.array([0, 9]))
    read[:] = 100  # the caller may go on counting in it
    assert bundle.write(np.array([0, 0])).tolist() == [5, 10]
    assert written.tolist() == [3, 5]
