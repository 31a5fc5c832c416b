from __future__ import annotations

import numpy as np
import pytest

from eie.hls.boundary.errors import InputError
from eie.host.flow.evaluation import evaluate_outputs
from eie.host.flow.labels import check_labels

OUTPUTS = np.array([[0.0, 2.0, 1.0], [3.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 5.0]])


def test_classes():
    found = evaluate_outputs(OUTPUTS, labels=[1, 0, 1, 2], float_outputs=OUTPUTS[::-1])
    assert (found.correct, found.accuracy) == (3, 0.75)  # of equal outputs the first
    assert found.float_correct == 1
    assert found.same_class == 2
    assert str(found).splitlines()[0] == "4 vectors"
    assert "75.00 % (3 of 4)" in str(found)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
def test_types_of_classes(dtype):
    labels = np.array([1, 0, 1, 1], dtype)
    assert evaluate_outputs(OUTPUTS, labels=labels).correct == 2


def test_targets():
    found = evaluate_outputs(OUTPUTS, labels=OUTPUTS + 0.5, float_outputs=OUTPUTS + 0.25)
    assert (found.target_error, found.float_target_error) == (0.5, 0.25)
    assert (found.classes, found.correct, found.same_class) == (None, None, None)
    one = evaluate_outputs(OUTPUTS[:, :1], labels=[1.0, 4.0, 2.0, 1.0])
    assert one.target_error == 1.0


def test_without_labels():
    assert evaluate_outputs(OUTPUTS).accuracy is None
    zeros = np.zeros_like(OUTPUTS)
    assert evaluate_outputs(OUTPUTS, float_outputs=zeros).rms_error is None
    large = OUTPUTS * 1e200
    assert evaluate_outputs(large, float_outputs=2 * large).rms_error == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("labels", "outputs", "message"),
    [
        ([0, 1, 2], 3, "labels must be one for each of 4 vectors, not 3 labels"),
        (3, 3, "not one number"),
        (np.eye(4, 3)[[0, 1, 2, 0]], 3, r"not one-hot vectors.*give labels.argmax\(axis=1\)"),
        (np.eye(4, 3, dtype=int)[[0, 1, 2, 0]], 3, "not one-hot"),
        (np.zeros((4, 1), int), 3, r"classes of shape \(4,\), not \(4, 1\)"),
        ([0, 1, 2, 3], 3, "classes from 0 to 2.*not 3 at index 3 .1 such label"),
        ([0, -1, 2, -1], 3, r"not -1 at index 1 \(2 such labels\)"),
        ([0.0, 1.0, 2.0, 0.0], 3, r"targets of shape \(4, 3\).*classes must be integers"),
        (np.zeros((4, 2)), 3, r"targets of shape \(4, 3\), not \(4, 2\)"),
        ([0, 1, 0, 1], 1, "real targets for a network with one output"),
        ([0.0, np.nan, 0.0, 1.0], 1, "must be finite, not nan"),
        (["a", "b", "c", "d"], 3, "labels"),
    ],
)
def test_labels_that_are_something_else(labels, outputs, message):
    with pytest.raises(InputError, match=message):
        check_labels(labels, 4, outputs)
    with pytest.raises(InputError, match=r"^y"):
        check_labels(labels, 4, outputs, name="y")


def test_no_vectors():
    with pytest.raises(InputError, match="at least one vector"):
        evaluate_outputs(OUTPUTS[:0])
