from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.host.assignment import assign_rows
from eie.host.errors import InputError
from eie.host.network import Layer

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
@given(WEIGHTS, PES, st.sampled_from(["natural", "balanced"]))
def test_every_row_gets_a_slot_of_its_own(weights, pes, assignment):
    slots = assign_rows(layer_of(weights), pes, assignment)
    assert sorted(slots.tolist()) == list(range(len(weights)))


@SETTINGS
@given(WEIGHTS, PES)
def test_natural_is_the_papers(weights, pes):
    assert assign_rows(layer_of(weights), pes, "natural").tolist() == list(range(len(weights)))


@SETTINGS
@given(WEIGHTS, PES)
def test_balanced_pes_differ_by_less_than_two_heaviest_rows(weights, pes):
    # Dealt forwards and backwards, full turns differ by at most the heaviest row in all; a last
    # turn that is short adds at most another.
    of_pe = loads(layer_of(weights), pes, assign_rows(layer_of(weights), pes, "balanced"))
    full_turns = len(weights) % pes == 0 and (len(weights) // pes) % 2 == 0
    assert of_pe.max() - of_pe.min() <= max(weights) * (1 if full_turns else 2)


def test_balanced_evens_out_what_natural_order_piles_up():
    weights = [16 if row % 4 == 0 else 0 for row in range(64)]
    layer = layer_of(weights)
    assert loads(layer, 4, assign_rows(layer, 4, "natural")).tolist() == [256, 0, 0, 0]
    assert loads(layer, 4, assign_rows(layer, 4, "balanced")).tolist() == [64] * 4


def test_equal_rows_stay_in_order():
    assert assign_rows(layer_of([3] * 6), 2, "balanced").tolist() == [0, 1, 3, 2, 4, 5]


def test_an_unknown_assignment_is_refused():
    with pytest.raises(InputError, match="assignment must be 'natural' or 'balanced', not 'best'"):
        assign_rows(layer_of([1]), 1, "best")
