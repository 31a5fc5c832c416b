"""What is wrong is said at once, with its place, and before or instead of training on."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

import eie
from eie.hls.boundary.errors import InputError


def refused(problem, match, **options):
    before = copy.deepcopy(problem.model.state_dict())
    with pytest.raises(InputError, match=match) as error:
        problem.retrain(**options)
    for name, value in problem.model.state_dict().items():
        assert torch.equal(value, before[name])
    return str(error.value)


def test_everything_that_is_wrong_with_the_arguments_is_said_at_once(problem):
    text = refused(
        problem,
        "12 problems",
        density=1.5,
        total_density=0.0,
        budget=-1,
        scan_densities=(1.0,),
        activation_bits=17,
        balance=0,
        head="tail",
        board="pynq-z9",
        seed=-1,
        calibration=[[float("nan")]],
        evaluate=0.9,
    )
    for part in (
        "density must be above 0 and at most 1, not 1.5",
        "density and total_density must not both be given",
        "budget must be 0 to 100 points of accuracy, not -1",
        "head must be the path of a module, such as '0'",
        "activation_bits must be 2 to 16, not 17",
        "evaluate must be a function, not 0.9",
        "calibration: must be finite",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"density": {"0": 0.1}}, "layer '3' must have one"),
        ({"density": {"0": 0.1, "3": 0.1, "5": 0.1, "7": 0.1}}, "layer '7' must be one of"),
        ({"density": {"0": 0.0, "3": 1.1}}, "2 problems"),
        ({"evaluate": lambda _: 96.3}, "share that is right, 0 to 1, not 96.3"),
        ({"evaluate": lambda _: None}, "share that is right, 0 to 1, not None"),
        ({"model": "model.pt2"}, "model must be a torch.nn.Module, not str"),
        ({"model": nn.ReLU()}, "nothing to prune"),
        ({"batches": []}, "batches must give at least one batch"),
        ({"batches": iter([])}, "not a generator"),
    ],
)
def test_what_the_model_or_the_data_are_not(problem, options, match):
    refused(problem, match, **options)


@pytest.mark.parametrize(
    ("loss", "match"),
    [
        (lambda loss: None, "must return the loss, a tensor of one number, not None"),
        (lambda loss: loss.item(), "must return the loss, a tensor of one number"),
        (lambda loss: loss.detach(), "a loss with a gradient"),
        (lambda loss: torch.stack([loss, loss]), r"not shape \(2,\)"),
        (lambda loss: loss * float("nan"), "must be finite, not nan"),
        (lambda loss: loss / 0, "must be finite, not inf"),
        (lambda loss: (loss.backward(retain_graph=True), loss)[1], "must leave backward"),
    ],
)
def test_a_loss_that_is_none_stops_the_training_and_says_where(problem, loss, match):
    calls = iter(range(100))

    def train_step(model, batch):
        found = problem.train_step(model, batch)
        return loss(found) if next(calls) == 11 else found

    text = refused(problem, match, train_step=train_step)
    assert "step 'pruning 1 of 2', epoch 2, batch 4" in text


def test_batches_that_end_are_told_of(problem):
    text = refused(problem, "batches must give", batches=iter(list(problem)))
    assert "epoch 2" in text


def test_weights_that_explode_stop_the_training(problem):
    schedule = eie.Schedule(1, 1, 1, learning_rate=1e30)
    refused(problem, "must be finite|must stay finite", schedule=schedule)


def test_models_whose_weights_cannot_be_taken(problem):
    tied = nn.Sequential(nn.Linear(12, 12), nn.Linear(12, 12), nn.Linear(12, 4))
    tied[1].weight = tied[0].weight
    refused(problem, "weight of '1' must not be that of '0', too", model=tied)
    infinite = nn.Sequential(nn.Linear(12, 4))
    with torch.no_grad():
        infinite[0].weight[1, 1] = torch.inf
    refused(problem, "weight of '0' must be finite", model=infinite)
    refused(problem, "no projection", model=nn.LSTM(12, 8, proj_size=4))


def test_a_model_that_is_not_for_the_accelerator_is_told_why(problem):
    twice = nn.Sequential(*[nn.Linear(12, 12)] * 2, nn.Linear(12, 4))
    found = problem.retrain(model=twice)
    assert found.network is None
    assert "shared layers are not supported" in str(found)

    class Unused(nn.Sequential):
        def forward(self, inputs):
            return self[0](inputs)

    found = problem.retrain(model=Unused(nn.Linear(12, 4), nn.Linear(4, 4)))
    assert "every Linear must be called, and once" in found.not_integer


def test_a_model_under_torchs_pruning_is_taken_at_its_present_weights(problem):
    nn.utils.prune.l1_unstructured(problem.model[0], "weight", 0.5)
    found = problem.retrain(density={"0": 0.9, "3": 0.5, "5": 0.5}, calibration=None)
    assert found.model[0].weight.count_nonzero() == 144
    problem.model(problem.inputs)
    assert list(found.model[0].state_dict()) == ["bias", "weight"]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"prunings": 0}, "prunings must be an integer of at least 1, not 0"),
        ({"epochs": -1}, "epochs must be an integer of at least 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number above 0"),
        ({"epochs": 1.5, "fixed_learning_rate": 0}, "2 problems"),
    ],
)
def test_schedules(options, match):
    with pytest.raises(InputError, match=match):
        eie.Schedule(**options)
