from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import InputError
from eie.host.network import Layer
from eie.host.packing.row_assignment import ASSIGNMENTS, assign_rows, order_inputs

SETTINGS = settings(max_examples=100, deadline=None, derandomize=True, database=None)
PES = st.sampled_from([1 << power for power in range(9)])


def layer_of(weights: list[int]) -> Layer:
    """A layer whose rows have these numbers of weights."""
    codes = np.arange(max([*weights, 1])) < np.array(weights)[:, None]
    return Layer.from_dense_codes(
        "layer", codes.astype(np.uint8), codebook=np.arange(16, dtype=np.int16)
    )


def loads(layer: Layer, pes: int, slots: np.ndarray) -> np.ndarray:
    """Weights of each PE."""
    weights = np.bincount(layer.indices, minlength=layer.rows)
    return np.bincount(slots % pes, weights, pes).astype(int)


WEIGHTS = st.lists(st.integers(0, 30), min_size=1, max_size=70)


@SETTINGS
@given(WEIGHTS, PES, st.sampled_from(ASSIGNMENTS))
def test_every_row_gets_a_slot_of_its_own(weights, pes, assignment):
    slots = assign_rows(layer_of(weights), pes, assignment)
    assert sorted(slots.tolist()) == list(range(len(weights)))


@SETTINGS
@given(st.integers(1, 3000), st.sampled_from(ASSIGNMENTS))
def test_every_input_gets_a_place_of_its_own(inputs, assignment):
    assert sorted(order_inputs(inputs, assignment).tolist()) == list(range(inputs))


@SETTINGS
@given(WEIGHTS, PES)
def test_natural_is_the_papers(weights, pes):
    assert assign_rows(layer_of(weights), pes, "natural").tolist() == list(range(len(weights)))
    assert order_inputs(len(weights), "natural").tolist() == list(range(len(weights)))
    assert order_inputs(len(weights), "counted").tolist() == list(range(len(weights)))


@SETTINGS
@given(WEIGHTS, PES)
def test_counted_pes_differ_by_less_than_two_heaviest_rows(weights, pes):
    # Dealt forwards and backwards, full turns differ by at most the heaviest row in all; a last
    # turn that is short adds at most another.
    of_pe = loads(layer_of(weights), pes, assign_rows(layer_of(weights), pes, "counted"))
    full_turns = len(weights) % pes == 0 and (len(weights) // pes) % 2 == 0
    assert of_pe.max() - of_pe.min() <= max(weights) * (1 if full_turns else 2)


@SETTINGS
@given(WEIGHTS, PES)
def test_no_swap_of_the_balanced_would_help(weights, pes):
    layer = layer_of(weights)
    slots = assign_rows(layer, pes, "balanced")
    of_pe = loads(layer, pes, slots)
    heavy, light = np.argmax(of_pe), np.argmin(of_pe)
    for one in np.flatnonzero(slots % pes == heavy):
        for other in np.flatnonzero(slots % pes == light):
            moved = weights[one] - weights[other]
            assert max(of_pe[heavy] - moved, of_pe[light] + moved) >= of_pe[heavy]


def test_balanced_evens_out_what_natural_order_piles_up():
    weights = [16 if row % 4 == 0 else 0 for row in range(64)]
    layer = layer_of(weights)
    assert loads(layer, 4, assign_rows(layer, 4, "natural")).tolist() == [256, 0, 0, 0]
    for assignment in ("counted", "balanced"):
        assert loads(layer, 4, assign_rows(layer, 4, assignment)).tolist() == [64] * 4


def test_balanced_gives_light_rows_to_the_pes_that_take_one_more():
    # Six rows on four PEs: two PEs must take two rows, so those are the light ones.
    layer = layer_of([20, 20, 10, 10, 10, 10])
    assert sorted(loads(layer, 4, assign_rows(layer, 4, "balanced")).tolist()) == [20] * 4
    assert loads(layer, 4, assign_rows(layer, 4, "counted")).max() > 20


@pytest.mark.parametrize("seed", range(5))
def test_skewed_rows_are_evened_out_to_the_last_weights(seed):
    random = np.random.default_rng(seed)
    weights = np.minimum(random.lognormal(3.5, 0.5, 600).astype(int), 250)
    layer = layer_of(weights.tolist())
    balanced = loads(layer, 64, assign_rows(layer, 64, "balanced"))
    counted = loads(layer, 64, assign_rows(layer, 64, "counted"))
    assert balanced.max() <= 1.01 * balanced.mean() < counted.max() / 1.1


def test_a_rows_work_is_that_of_the_inputs_that_are_active():
    # Weights in columns 0 to 3; the first two inputs are hardly ever active.
    codes = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]], np.uint8)
    layer = Layer.from_dense_codes("layer", codes, codebook=np.arange(16, dtype=np.int16))
    activity = np.array([0.0, 0.1, 1.0, 0.9])
    for assignment in ("counted", "balanced"):
        slots = assign_rows(layer, 2, assignment, activity)
        assert slots[2] % 2 != slots[3] % 2
        assert slots[0] % 2 != slots[1] % 2


@pytest.mark.parametrize("activity", [np.ones(3), np.array([0.5, 1.1, 0, 0]), np.full(4, np.nan)])
def test_an_impossible_activity_is_refused(activity):
    layer = layer_of([4, 2])
    with pytest.raises(InputError, match=r"activity of layer 'layer' must have shape \(4,\)"):
        assign_rows(layer, 2, "balanced", activity)


@pytest.mark.parametrize("inputs", [2, 8, 100, 4096, 9216])
def test_balanced_sends_neighbours_far_apart(inputs):
    places = order_inputs(inputs, "balanced")
    distance = np.abs(np.diff(places))
    assert np.minimum(distance, inputs - distance).min() >= inputs // 3


def test_equal_rows_stay_in_order():
    assert assign_rows(layer_of([3] * 6), 2, "counted").tolist() == [0, 1, 3, 2, 4, 5]
    assert assign_rows(layer_of([3] * 6), 2, "balanced").tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("assignment", ["best", None, ""])
def test_an_unknown_assignment_is_refused(assignment):
    message = "assignment must be one of 'natural', 'counted', 'balanced', not "
    with pytest.raises(InputError, match=message):
        assign_rows(layer_of([1]), 1, assignment)
