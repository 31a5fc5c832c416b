"""Inputs and labels are checked together, and all that is wrong is said at once."""

from __future__ import annotations

import numpy as np
import pytest

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.voice import as_command
from eie.host.flow.data import ModelSizes, check_data

SIZES = ModelSizes((1, 2, 3), 4)


def test_what_is_good_is_flat():
    inputs = np.arange(30, dtype=np.float32).reshape(5, 1, 2, 3)
    for given in (inputs, inputs.reshape(5, 6), inputs.tolist()):
        data = check_data(given, [0, 1, 2, 3, 0], SIZES)
        assert np.array_equal(data.samples, inputs.reshape(5, 6))
        assert (data.samples.dtype, data.labels.dtype) == (np.float64, np.int64)
    assert check_data(None, None, SIZES).samples is None
    assert check_data(inputs, None, SIZES).labels is None
    one = check_data(inputs.reshape(5, 6), [0.5] * 5, ModelSizes((6,), 1))
    assert one.labels.shape == (5, 1)


@pytest.mark.parametrize(
    ("inputs", "labels", "messages"),
    [
        (None, [0], ["labels must be given with inputs"]),
        ("x", [0], ["inputs must be"]),
        (np.zeros((5, 7)), None, [r"(n, 1, 2, 3) or (n, 6) with n at least 1, not (5, 7)"]),
        (np.zeros((0, 6)), None, ["n at least 1"]),
        (np.full((5, 6), np.inf), np.zeros(4, int),
         ["2 problems", "not inf at index (0, 0) (30 such values)", "5 vectors, not 4 labels"]),
        (np.zeros((5, 6)), np.zeros((5, 1), int), ["give labels.ravel()"]),
        (np.zeros((5, 6)), np.zeros((5, 1)), ["labels.ravel().astype(int)"]),
        (np.zeros((5, 6)), [0.5, 1.5, 0, 0, 0], ["not (5,)"]),
        (np.zeros((5, 6)), np.full((3, 1), 9), ["3 problems", "not 3 labels", "not 9 at index 0"]),
        (np.zeros(5), np.zeros((5, 6)), ["look exchanged"]),
    ],
)  # fmt: skip
def test_what_is_not_is_named(inputs, labels, messages):
    with pytest.raises(InputError) as caught:
        check_data(inputs, labels, SIZES)
    assert all(message in str(caught.value) for message in messages), caught.value


def test_advice_is_only_given_where_it_helps():
    with pytest.raises(InputError) as caught:
        check_data(np.zeros((2, 6)), [0.5, 1.0], SIZES)
    assert "astype(int)" not in str(caught.value)


def test_a_file_is_saved_anew():
    with as_command(), pytest.raises(InputError, match=r"save labels.argmax\(axis=1\) instead"):
        check_data(np.zeros((2, 6)), np.eye(4)[:2], SIZES, labels_name="labels in l.npy")
