"""Units of an LSTM: four gates side by side, and PEs that have as much to do as one another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.host.packing.unit_order import order_units, unit_slots

SETTINGS = settings(max_examples=100, deadline=None, derandomize=True, database=None)


@SETTINGS
@given(st.integers(1, 90), st.sampled_from([1 << power for power in range(9)]), st.integers(0, 99))
def test_rows_of_a_unit_lie_side_by_side(units, pes, seed):
    work = np.random.default_rng(seed).integers(0, 40, (4, units)).astype(float)
    order = order_units(work, pes)
    assert sorted(order.tolist()) == list(range(units))
    slots = unit_slots(order, pes).reshape(4, units)
    for unit in range(units):
        place = int(order[unit])
        turn = (4 * place // pes) % 4
        for position in range(4):
            assert slots[(position + turn) % 4, unit] == 4 * place + position


@pytest.mark.parametrize(
    "densities", [[0.1] * 4, [0.119, 0.084, 0.041, 0.156]], ids=["alike", "four to one"]
)
def test_an_nt_lstm_is_even(densities):
    """600 -> 2400 at 10 % on 64 PEs: the heaviest PE has at most 1.02 times the mean."""
    random = np.random.default_rng(1)
    work = np.stack([random.binomial(1200, density, 600) for density in densities])
    slots = unit_slots(order_units(work.astype(float), 64), 64)
    load = np.bincount(slots % 64, work.ravel(), 64)
    assert load.max() <= 1.02 * load.mean()
    natural = np.bincount(unit_slots(np.arange(600), 64) % 64, work.ravel(), 64)
    assert natural.max() > 1.02 * natural.mean()
