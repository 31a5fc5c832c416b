"""The user's training: the loss is theirs, the step of the optimiser is ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import torch
from torch import nn

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.progress import tell
from eie.hls.boundary.text import shown

__all__ = [
    "MakeOptimizer",
    "TrainStep",
    "adam",
    "check_loss",
    "learning_rate",
    "train",
    "train_epoch",
]

#: Takes the model and a batch, and gives the loss: a tensor of one number, with a gradient.
TrainStep: TypeAlias = Callable[[nn.Module, Any], torch.Tensor]
#: Makes an optimiser of parameters and a step size.
MakeOptimizer: TypeAlias = Callable[[list[nn.Parameter], float], torch.optim.Optimizer]


def learning_rate(start: float, epoch: int, epochs: int) -> float:
    """Step size in an epoch, counted from 0: along a cosine from `start` towards 0."""
    return start * (1 + math.cos(math.pi * epoch / epochs)) / 2


def adam(parameters: list[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    """Make the optimiser that is taken where none is given."""
    return torch.optim.Adam(parameters, lr=rate)


def train(
    model: nn.Module,
    train_step: TrainStep,
    batches: Iterable[Any],
    epochs: int,
    rate: float,
    optimizer: MakeOptimizer = adam,
) -> None:
    """Train all of a model in place, in real numbers; it is left in evaluation mode.

    Parameters
    ----------
    model
        With plain weights.
    train_step, batches
        As :func:`eie.retrain` takes them.
    epochs
        How often the batches are gone through.
    rate
        Step size at the start, which falls to 0 along a cosine.
    optimizer
        Makes the optimiser.

    Raises
    ------
    InputError
        As from :func:`train_epoch`.
    """
    made = optimizer(list(model.parameters()), rate)
    for epoch in range(epochs):
        tell("training in real numbers", epoch, epochs, "epochs")
        for group in made.param_groups:
            group["lr"] = learning_rate(rate, epoch, epochs)
        train_epoch(model, train_step, batches, made, f"training, epoch {epoch + 1}")
    model.eval()


def train_epoch(
    model: nn.Module,
    train_step: TrainStep,
    batches: Iterable[Any],
    optimizer: torch.optim.Optimizer,
    where: str,
) -> None:
    """Go once through the batches.

    Parameters
    ----------
    model
        Put into training mode.
    train_step
        Gives the loss of a batch.
    batches
        An epoch.
    optimizer
        Of the model's parameters.
    where
        Which step and epoch it is, for messages.

    Raises
    ------
    InputError
        If there are no batches, or the loss is missing, has no gradient, or is not finite.
    """
    model.train()
    number = -1
    for number, batch in enumerate(batches):
        optimizer.zero_grad(set_to_none=True)
        place = f"{where}, batch {number + 1}"
        loss = check_loss(train_step(model, batch), optimizer, place)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    if number < 0:
        raise InputError(
            f"batches must give at least one batch in every epoch, and gave none ({where}): give a "
            "list or a DataLoader, which start again each time, not a generator"
        )
    for name, parameter in model.named_parameters():
        if not bool(parameter.isfinite().all()):
            raise InputError(
                f"parameter {name!r} must stay finite, and did not ({where}): lower the learning "
                "rate of the schedule"
            )


def check_loss(loss: object, optimizer: torch.optim.Optimizer, place: str) -> torch.Tensor:
    """Check what a train step gave.

    Raises
    ------
    InputError
        Naming the batch, and what to do.
    """
    if not isinstance(loss, torch.Tensor):
        raise InputError(
            f"train_step must return the loss, a tensor of one number, not {shown(loss)} ({place})"
        )
    if loss.numel() != 1:
        raise InputError(
            f"train_step must return the loss as one number, not shape {tuple(loss.shape)} "
            f"({place}): take its mean"
        )
    if not bool(loss.isfinite()):
        raise InputError(
            f"the loss must be finite, not {loss.item():g} ({place}): lower the learning rate of "
            "the schedule, or look at that batch"
        )
    if not loss.requires_grad:
        raise InputError(
            f"train_step must return a loss with a gradient ({place}): compute it from what the "
            "model that it is given gives, without no_grad, detach or item"
        )
    if any(each.grad is not None for part in optimizer.param_groups for each in part["params"]):
        raise InputError(
            f"train_step must leave backward and the optimiser's step to retrain ({place}): return "
            "the loss alone"
        )
    return loss
