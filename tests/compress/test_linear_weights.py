"""Weights that torch computes are pruned, masked and shared where they come from, or refused."""

import copy
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from eie.hls.boundary.errors import InputError
from eie.host.compress import (
    apply_masks,
    compress,
    freeze_codebooks,
    prune_linears,
    share_linears,
)


class Halved(nn.Module):
    """A parametrization of a user."""

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight / 2

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        return weight * 2


class Shifted(nn.Module):
    """One that cannot give zeros: the weight is written, but comes out otherwise."""

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight + 1

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        return weight


class OneWay(nn.Module):
    """One that says nothing of how to write."""

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight.sinh()


def _old(apply: Callable[..., object]) -> Callable[[nn.Linear], None]:
    def _apply(linear: nn.Linear) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch's, of its old functions
            apply(linear)

    return _apply


#: Ways in which torch computes a weight.
WAYS: dict[str, Callable[[nn.Linear], object]] = {
    "plain": lambda linear: None,
    "frozen": lambda linear: linear.weight.requires_grad_(False),
    "pruned": lambda linear: prune.l1_unstructured(linear, "weight", amount=0.5),
    "pruned twice": lambda linear: [
        prune.l1_unstructured(linear, "weight", amount=0.3),
        prune.random_structured(linear, "weight", amount=0.2, dim=1),
    ],
    "weight norm": parametrizations.weight_norm,
    "weight norm over all": lambda linear: parametrizations.weight_norm(linear, dim=None),
    "old weight norm": _old(nn.utils.weight_norm),
    "spectral norm": parametrizations.spectral_norm,
    "old spectral norm": _old(nn.utils.spectral_norm),
    "halved": lambda linear: parametrize.register_parametrization(linear, "weight", Halved()),
    "halved norm": lambda linear: [
        parametrizations.spectral_norm(linear),
        parametrize.register_parametrization(linear, "weight", Halved()),
    ],
    "bias parametrized": lambda linear: parametrize.register_parametrization(
        linear, "bias", Halved()
    ),
}


def _model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(12, 20), nn.ReLU(), nn.Linear(20, 6))


@pytest.fixture(params=list(WAYS))
def model(request: pytest.FixtureRequest) -> nn.Sequential:
    model = _model()
    WAYS[request.param](model[0])
    return model


def _step(model: nn.Module, steps: int = 1) -> None:
    """Train as a user does, weights that are not frozen and all."""
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(7, 12)).square().mean().backward()
        optimizer.step()


def _forward_weight(linear: nn.Linear) -> torch.Tensor:
    """The weight that a forward pass uses."""
    with torch.no_grad():
        linear(torch.zeros(1, linear.in_features))  # hooks compute it anew
        return linear.weight.detach().clone()


def test_what_is_pruned_stays_pruned(model):
    model.eval()
    before = _forward_weight(model[0])
    masks = prune_linears(model, 0.1)
    weight = _forward_weight(model[0])
    assert int(masks["0"].sum()) == 24
    assert not weight[~masks["0"]].any()
    assert weight[masks["0"]].all()
    assert torch.equal(model[0].weight != 0, masks["0"])
    # What is kept is what was largest; a spectral norm alone scales it anew.
    ratio = (weight / before)[masks["0"]]
    assert torch.allclose(ratio, ratio[0].expand_as(ratio), rtol=1e-4)
    model.train()
    for _ in range(3):
        _step(model)
        apply_masks(model, masks)
        weight = _forward_weight(model[0])
        assert not weight[~masks["0"]].any()
        assert torch.isfinite(weight).all()
        assert int((weight != 0).sum()) == 24
    network = compress(model, density=1.0)
    assert network.layers[0].nonzeros <= 24  # 16 bits may round one to zero


def test_pruning_goes_on_gradually(model):
    wide = prune_linears(model, 0.4)["0"]
    _step(model)
    apply_masks(model, {"0": wide})
    narrow = prune_linears(model, 0.1)["0"]
    assert not (narrow & ~wide).any()
    model.eval()
    assert torch.equal(_forward_weight(model[0]) != 0, narrow)


def test_a_row_may_become_empty(model):
    mask = torch.ones(20, 12, dtype=torch.bool)
    mask[3] = False
    apply_masks(model, {"0": mask})
    for _ in range(2):
        weight = _forward_weight(model.eval()[0])
        assert torch.isfinite(weight).all()
        assert not weight[3].any()
        _step(model.train())
        apply_masks(model, {"0": mask})


def test_sharing_takes_the_present_weight_and_it_trains(model):
    model.eval()
    weight = _forward_weight(model[0])
    trains = any(
        parameter.requires_grad
        for name, parameter in model[0].named_parameters()
        if "weight" in name
    )
    share_linears(model)
    shared = _forward_weight(model[0])
    assert torch.equal(shared == 0, weight == 0)
    assert len(shared.unique()) - bool((shared == 0).any()) == 15
    assert float((shared - weight).abs().max()) < 0.2 * float(weight.abs().max())
    names = {name for name, _ in model.named_parameters() if name.startswith("0.")}
    assert "0.parametrizations.weight.original" in names
    assert not any("norm" in name or "orig" in name.split(".")[1] for name in names)
    codebook = model[0].parametrizations.weight.original
    assert codebook.shape == (15,)
    assert codebook.requires_grad == trains
    before = codebook.detach().clone()
    _step(model.train(), 2)
    assert torch.equal(before, codebook) != trains
    trained = _forward_weight(model[0])
    freeze_codebooks(model)
    assert torch.equal(_forward_weight(model[0]), trained)
    assert type(model[0].weight) is nn.Parameter
    assert model[0].weight.requires_grad == trains
    compress(model, keep_weights=True)


def test_a_shared_weight_can_be_pruned_further():
    model = _model()
    share_linears(model)
    masks = prune_linears(model, 0.2)
    _step(model)
    assert torch.equal(_forward_weight(model[0]) != 0, masks["0"])
    freeze_codebooks(model)
    assert torch.equal(model[0].weight != 0, masks["0"])


def test_freezing_leaves_other_parametrizations_alone():
    model = _model()
    share_linears(model[2])
    parametrizations.weight_norm(model[0])
    before = model[0].weight.detach().clone()
    freeze_codebooks(model)
    assert parametrize.is_parametrized(model[0], "weight")
    assert torch.equal(model[0].weight, before)
    assert not parametrize.is_parametrized(model[2])


@pytest.mark.parametrize("call", [prune_linears, share_linears])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda model: model[2].weight.data.fill_(torch.nan), "weight of '2' must be finite"),
        (lambda model: model.to("meta"), "weight of '2' must be a plain tensor, not one without"),
        (lambda model: model.append(nn.LazyLinear(3)), "weight of '3' .* without a shape yet"),
        (
            lambda model: [model[2]._parameters.pop("weight"), setattr(model[2], "weight", 1)],
            "weight of '2' must be a parameter, or come from",
        ),
        (
            lambda model: (
                model.append(nn.Linear(12, 20))
                .__getitem__(3)
                .__setattr__("weight", nn.Parameter(model[0].weight.data.T))
            ),
            "weights of '0' and '3' must not lie over each other in memory",
        ),
    ],
)
def test_what_cannot_be_written_is_named_and_nothing_is_changed(call, spoil, message):
    model = _model()
    spoil(model)
    before = copy.deepcopy(model[0].weight)
    with pytest.raises(InputError, match=message):
        call(model)
    assert not parametrize.is_parametrized(model[0])
    assert before.is_meta or torch.equal(model[0].weight, before)


@pytest.mark.parametrize("parametrization", [Shifted, OneWay])
def test_a_parametrization_that_gives_no_zeros_is_refused(parametrization):
    model = nn.Sequential(*_model(), nn.Linear(6, 4), nn.Linear(4, 3))
    for part in (model[2], model[4]):
        parametrize.register_parametrization(part, "weight", parametrization())
    parametrize.register_parametrization(model[3], "weight", Halved())
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(InputError) as error:
        prune_linears(model, 0.3)
    for name in ("2", "4"):
        assert f"weight of '{name}' cannot be masked: {parametrization.__name__}" in str(
            error.value
        )
    assert "'0'" not in str(error.value)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    share_linears(model)  # takes the weight as it is
    _step(model)


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ({"9": torch.ones(3)}, "layer '9' must be one of '0', '2'"),
        ({"0": torch.ones(3)}, r"mask of layer '0' must have shape \(20, 12\), not \(3,\)"),
        ({"2": torch.zeros(6, 20), "0": torch.ones(20)}, "mask of layer '0' must have shape"),
    ],
)
def test_masks_that_fit_no_layer_are_refused(masks, message):
    model = _model()
    with pytest.raises(InputError, match=message):
        apply_masks(model, masks)
    assert model[2].weight.all()


def test_a_second_parametrization_on_a_codebook_is_not_frozen():
    model = _model()
    share_linears(model)
    parametrize.register_parametrization(model[2], "weight", Halved(), unsafe=True)
    with pytest.raises(InputError, match="weight of '2' must have no other parametrization"):
        freeze_codebooks(model)
    assert parametrize.is_parametrized(model[0], "weight")


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(12, 12), nn.Linear(12, 12)
        self.second.weight = self.first.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x).relu())


def test_tied_weights_stay_tied():
    model = Tied()
    masks = prune_linears(model, 0.5)
    assert torch.equal(masks["first"], masks["second"])
    assert model.first.weight is model.second.weight
    share_linears(model)
    assert sum(parameter.numel() for parameter in model.parameters()) == 15 + 2 * 12
    _step(model, 3)
    weights = _forward_weight(model.first)
    torch.testing.assert_close(weights, _forward_weight(model.second))
    assert torch.equal(weights != 0, masks["first"])
    freeze_codebooks(model)
    assert model.first.weight is model.second.weight
    assert torch.equal(model.first.weight != 0, masks["first"])
    _step(model)


def test_tied_weights_need_one_density():
    model = Tied()
    with pytest.raises(InputError, match="layers 'first' and 'second' share their weights"):
        prune_linears(model, {"first": 0.5, "second": 0.2})
    assert model.first.weight.all()


def test_a_weight_that_an_embedding_uses_too_is_not_shared():
    model = nn.ModuleDict({"embedding": nn.Embedding(20, 12), "output": nn.Linear(12, 20)})
    model["output"].weight = model["embedding"].weight
    with pytest.raises(InputError, match="weight of 'output' must not be 'weight' of 'embedding'"):
        share_linears(model)
    assert model["embedding"].weight.shape == (20, 12)
    prune_linears(model, 0.5)


@pytest.mark.parametrize("call", [prune_linears, share_linears])
def test_a_model_without_a_linear_is_refused(call):
    with pytest.raises(InputError, match=r"must have at least one torch\.nn\.Linear"):
        call(nn.Sequential(nn.ReLU()))
    with pytest.raises(InputError, match=r"model must be a torch\.nn\.Module, not dict"):
        call({})
