import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import nn

from eie.hls.boundary.errors import InputError
from eie.host.compress import (
    DEFAULT_DENSITY,
    apply_masks,
    layer_densities,
    magnitude_mask,
    prune_linears,
)

MATRICES = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
    # Few distinct values, so that ties and zeros are common.
    elements=st.sampled_from([-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0]),
)


@settings(max_examples=60, deadline=None)
@given(weights=MATRICES, density=st.floats(0.001, 1.0))
def test_mask_keeps_the_largest_and_counts_exactly(weights, density):
    mask = magnitude_mask(weights, density)
    wanted = max(1, round(density * weights.size))
    assert mask.shape == weights.shape
    assert np.count_nonzero(mask) == min(wanted, np.count_nonzero(weights))
    assert not mask[weights == 0].any()
    if mask.any() and not mask.all():
        assert np.abs(weights[mask]).min() >= np.abs(weights[~mask]).max()


def test_first_of_equal_magnitudes_is_kept():
    mask = magnitude_mask(np.array([[1.0, -1.0, 1.0, 2.0]]), 0.5)
    assert mask.tolist() == [[True, False, False, True]]


def test_rows_and_columns_may_end_up_empty():
    mask = magnitude_mask(np.array([[1.0, 2.0], [5.0, 0.1], [0.1, 0.2]]), 1 / 6)
    assert mask.tolist() == [[False, False], [True, False], [False, False]]


def test_densities():
    names = ["a", "b"]
    assert layer_densities(names) == {"a": DEFAULT_DENSITY, "b": DEFAULT_DENSITY}
    assert layer_densities(names, 0.3) == {"a": 0.3, "b": 0.3}
    assert layer_densities(names, 1) == {"a": 1.0, "b": 1.0}
    assert layer_densities(names, {"b": 0.5}) == {"a": DEFAULT_DENSITY, "b": 0.5}


@pytest.mark.parametrize("density", [0, -0.1, 1.01, float("nan"), "0.1", True, None])
def test_densities_out_of_range(density):
    with pytest.raises(InputError, match="density of layer 'a' must be above 0 and at most 1"):
        layer_densities(["a"], density)


def test_every_problem_with_densities_is_named():
    with pytest.raises(InputError) as error:
        layer_densities(["a", "b"], {"a": 2, "c": 0.1})
    assert "layer 'c' must be one of 'a', 'b'" in str(error.value)
    assert "density of layer 'a' must be above 0 and at most 1, not 2" in str(error.value)


def test_retraining_holds_pruned_weights_at_zero():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.Adam(model.parameters())
    masks = prune_linears(model, {"0": 0.25, "2": 0.5})
    assert {name: int(mask.sum()) for name, mask in masks.items()} == {"0": 12, "2": 12}
    before = model[0].weight.detach().clone()
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(5, 6)).square().sum().backward()
        optimizer.step()
        apply_masks(model, masks)
    assert not model[0].weight[~masks["0"]].any()
    assert (model[0].weight[masks["0"]] != before[masks["0"]]).all()


def test_gradual_pruning_only_removes():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 30))
    wide = prune_linears(model, 0.5)["0"]
    narrow = prune_linears(model, 0.1)["0"]
    assert int(narrow.sum()) == 60
    assert not (narrow & ~wide).any()
