"""Masks, shared weights and formats by themselves; the matrices of recurrent modules."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from eie.hls.boundary.errors import InputError
from eie.host.compress.reader import read_model
from eie.host.retrain.activations import ActivationFormat, choose_layer_formats
from eie.host.retrain.masks import heaviest_over_mean, keep_mask, set_masks
from eie.host.retrain.schedule import Schedule
from eie.host.retrain.sensitivity import RECOVERY, Sensitivity, scan
from eie.host.retrain.shared_weights import current, freeze, share_weights
from eie.host.retrain.weights import find_matrices


def recurrent(kind):
    torch.manual_seed(0)
    return kind(5, 8, num_layers=2, bidirectional=True, batch_first=True)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_each_matrix_of_a_recurrent_module_is_pruned_shared_and_trained(kind):
    module = recurrent(kind)
    inputs = torch.randn(4, 6, 5)
    matrices = find_matrices(module)
    assert list(matrices) == [
        f"weight_{source}_l{layer}{direction}"
        for layer in (0, 1)
        for direction in ("", "_reverse")
        for source in ("ih", "hh")
    ]
    densities = {name: 0.25 if "hh" in name else 0.5 for name in matrices}
    set_masks(matrices, densities)
    before = {name: matrix.value.clone() for name, matrix in matrices.items()}

    def steps(number):
        optimizer = torch.optim.SGD(module.parameters(), 0.1)
        for _ in range(number):
            optimizer.zero_grad()
            module(inputs)[0].square().sum().backward()
            optimizer.step()

    steps(3)
    for name, matrix in matrices.items():
        kept = matrix.value != 0
        assert int(kept.sum()) == round(densities[name] * matrix.size)
        assert torch.equal(kept, before[name] != 0)
        # Every weight that is kept learns, and those alone.
        assert torch.equal(matrix.value != before[name], kept)
    share_weights(matrices)
    before = {name: current(matrix) for name, matrix in matrices.items()}
    steps(2)
    for name, matrix in matrices.items():
        after = current(matrix)
        assert np.array_equal(after.codes, before[name].codes)
        assert (after.centroids != before[name].centroids).all()
        assert np.unique(matrix.numbers()).size <= 16
    outputs = module(inputs)[0]
    for matrix in matrices.values():
        freeze(matrix)
    assert torch.equal(module(inputs)[0], outputs)
    # The same by a plain module that is given these weights: nothing is kept beside them.
    plain = recurrent(kind)
    plain.load_state_dict(module.state_dict())
    assert torch.equal(plain(inputs)[0], outputs)
    assert {type(each) for each in module.parameters()} == {nn.Parameter}


def test_a_centroid_learns_by_the_sum_of_its_weights_gradients():
    torch.manual_seed(0)
    layer = nn.Linear(9, 7)
    inputs = torch.randn(3, 9)
    share_weights(find_matrices(layer))
    codes = current(find_matrices(layer)[""]).codes
    (layer(inputs) ** 3).sum().backward()
    plain = nn.Linear(9, 7)
    plain.load_state_dict({"weight": layer.weight.detach(), "bias": layer.bias.detach()})
    (plain(inputs) ** 3).sum().backward()
    sums = np.bincount(codes.ravel(), plain.weight.grad.numpy().ravel().astype(np.float64))[1:]
    assert np.allclose(layer.parametrizations.weight.original.grad, sums, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("rows", "pes"), [(64, 16), (10, 4), (3, 8)])
def test_balanced_masks_keep_the_same_share_on_every_pe(rows, pes):
    random = np.random.default_rng(0)
    # The first rows have the large weights, which an unbalanced mask takes first.
    weights = random.standard_normal((rows, 50)) * np.linspace(3, 0.1, rows)[:, None]
    mask = keep_mask(weights, 0.2, pes)
    for pe in range(min(pes, rows)):
        mine = mask[pe::pes]
        assert mine.sum() == round(0.2 * mine.size)
        assert np.abs(weights[pe::pes])[mine].min() >= np.abs(weights[pe::pes])[~mine].max()
    if rows % pes == 0:
        assert heaviest_over_mean(mask, np.arange(rows) % pes) == 1
        assert heaviest_over_mean(keep_mask(weights, 0.2), np.arange(rows) % pes) > 1


def test_pruning_goes_down_with_the_cube_of_what_is_left():
    schedule = Schedule(prunings=4)
    found = [schedule.densities({"a": 0.1, "b": 1.0}, step) for step in (1, 2, 3, 4)]
    assert [each["a"] for each in found] == pytest.approx([0.4796875, 0.2125, 0.1140625, 0.1])
    assert {each["b"] for each in found} == {1.0}


def test_the_scan_proposes_densities_at_which_layers_lose_alike():
    found = Sensitivity(
        ("wide", "last"), (9000, 1000), (0.1, 0.2, 0.5), 0.9, ((0.8, 0.9, 0.89), (0.3, 0.7, 0.9))
    )
    strict, loose = found.for_budget(0.0), found.for_budget(10 / RECOVERY)
    # The worse counts: 0.2 was as good as all weights, and 0.5 was not.
    assert strict == {"wide": pytest.approx(1.0), "last": pytest.approx(0.5)}
    assert loose["wide"] == pytest.approx(0.1)
    assert 0.2 < loose["last"] < 0.5
    for density in (0.15, 0.3, 0.6):
        chosen = found.for_density(density)
        kept = round(9000 * chosen["wide"]) + round(1000 * chosen["last"])
        assert kept == pytest.approx(10_000 * density, abs=2)
        assert kept <= 10_000 * density
    assert found.for_density(0.2)["last"] > found.for_density(0.2)["wide"]
    assert found.for_density(0.01) == {"wide": 0.01, "last": 0.01}
    for wrong in (-1.0, float("nan")):
        with pytest.raises(InputError, match="budget must be"):
            found.for_budget(wrong)
    assert "at 10 %" in str(found)


def test_the_scan_prunes_one_matrix_at_a_time_and_puts_it_back():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 6), nn.Linear(6, 4))
    matrices = find_matrices(model)
    before = [each.detach().clone() for each in model.parameters()]
    seen = []

    def measure():
        seen.append(tuple(int(matrix.value.count_nonzero()) for matrix in matrices.values()))
        return 0.5

    scan(matrices, measure, (0.5, 0.25))
    assert seen == [(48, 24), (12, 24), (24, 24), (48, 6), (48, 12)]
    with pytest.raises(ZeroDivisionError):
        scan(matrices, lambda: 1 / 0 if len(seen) > 7 else seen.append(()) or 0.5, (0.5, 0.25))
    assert all(torch.equal(*pair) for pair in zip(model.parameters(), before, strict=True))


def test_few_bits_take_the_step_of_the_smallest_error():
    values = np.append(np.linspace(0, 1, 999), 30.0)[:, None]
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 0.5)
    dense = read_model(nn.Sequential(layer, nn.ReLU()))
    chosen = choose_layer_formats(dense, values, 8)["0"]
    assert (chosen.inputs.low, chosen.inputs.high) == (0, 255)

    def error(frac):
        codes = np.clip(np.rint(values * 2.0**frac), 0, 255)
        return np.square(codes / 2.0**frac - values).sum()

    assert error(chosen.inputs.frac) == min(error(frac) for frac in range(-4, 12))
    rounded = ActivationFormat(2, -8, 7)(torch.tensor([0.3, 9.0, -9.0]))
    assert rounded.tolist() == [0.25, 1.75, -2.0]
    full = choose_layer_formats(dense, values, 16)["0"]
    assert full.inputs.step * full.inputs.high >= 2 * 30.0 * 0.99
