"""A recurrent classifier, and how it is trained: in real numbers, then by `eie.retrain`.

The float model teaches the one that is pruned: its outputs count beside the labels. That is all in
the loss, which is what `eie.retrain` asks for.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

import eie
from eie.host.retrain import Retrained
from eie.host.retrain.batches import Batches
from eie.host.retrain.datasets import Sequences
from eie.host.retrain.integer_part import still
from eie.host.retrain.random_state import seeded
from eie.host.retrain.training import TrainStep, adam, train

__all__ = ["Classifier", "Kind", "Recipe", "judged", "retrained", "trained"]

Kind = Literal["LSTM", "GRU"]
#: Share of each matrix's weights that is kept; the last one has few, and feels each of them.
DENSITY, LAST_DENSITY = 0.2, 0.25
#: Longest gradient: those of a recurrent layer burst at times.
LONGEST_GRADIENT = 1.0


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained and made sparse."""

    #: Epochs in real numbers, and the step size at their start.
    epochs: int
    learning_rate: float
    schedule: eie.Schedule
    #: Standard deviation of the noise on training inputs: of each number, and of each channel of a
    #: sequence, the same in all its steps.
    noise: float = 0.0
    offset: float = 0.0
    #: Rows and columns that the sequences of a batch are moved by at most.
    moved: int = 0
    #: Share of the teacher in the loss.
    taught: float = 0.5

    def changed(self, inputs: torch.Tensor) -> torch.Tensor:
        """Change a batch of training inputs at random."""
        if self.moved:
            steps, channels = torch.randint(-self.moved, self.moved + 1, (2,)).tolist()
            inputs = torch.roll(inputs, (steps, channels), (1, 2))
        offsets = self.offset * torch.randn(len(inputs), 1, inputs.shape[2])
        return inputs + offsets + self.noise * torch.randn_like(inputs)


class Classifier(nn.Module):
    """A recurrent layer, and a Linear on what it gives for the last step."""

    def __init__(self, kind: Kind, features: int, units: int, classes: int) -> None:
        super().__init__()
        layer = nn.LSTM if kind == "LSTM" else nn.GRU
        self.rnn = layer(features, units, batch_first=True)
        self.drop = nn.Dropout(0.3)
        self.fc = nn.Linear(units, classes)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """Outputs of shape (n, classes) for `x`, (n, steps, features), padded behind `lengths`."""
        out, _ = self.rnn(x)
        last = out[:, -1] if lengths is None else out[torch.arange(len(out)), lengths - 1]
        outputs: torch.Tensor = self.fc(self.drop(last))
        return outputs


def trained(model: Classifier, data: Sequences, recipe: Recipe, seed: int) -> None:
    """Train a classifier in place, in real numbers."""
    with seeded(seed):
        train(
            model,
            _train_step(recipe),
            _batches(data),
            recipe.epochs,
            recipe.learning_rate,
            _optimizer,
        )


def retrained(
    model: Classifier,
    data: Sequences,
    recipe: Recipe,
    seed: int,
) -> Retrained:
    """Prune, share and train in between; `model` teaches, and stays as it was."""
    # With its dropout: of many models that are nearly right more is learnt than of one.
    teacher = copy.deepcopy(model).train().requires_grad_(False)
    return eie.retrain(
        model,
        _train_step(recipe, teacher),
        _batches(data),
        evaluate=lambda found: judged(found, data)[0],
        density={
            "rnn.weight_ih_l0": DENSITY,
            "rnn.weight_hh_l0": DENSITY,
            "fc": LAST_DENSITY,
        },
        schedule=recipe.schedule,
        optimizer=_optimizer,
        seed=seed,
    )


def judged(model: nn.Module, data: Sequences) -> tuple[float, float]:
    """Share of the test sequences that are right, and the mean cross-entropy of all of them."""
    given = (torch.from_numpy(each) for each in (data.test_inputs, data.test_lengths))
    labels = torch.from_numpy(data.test_labels)
    with still(model):
        outputs = model(*given)
        right = (outputs.argmax(1) == labels).double().mean()
        return float(right), float(nn.functional.cross_entropy(outputs, labels))


def _batches(data: Sequences) -> Batches:
    return Batches(data.train_inputs, data.train_lengths, data.train_labels)


def _train_step(recipe: Recipe, teacher: Classifier | None = None) -> TrainStep:
    def train_step(model: nn.Module, batch: Sequence[torch.Tensor]) -> torch.Tensor:
        inputs, lengths, labels = batch
        inputs = recipe.changed(inputs)
        outputs = model(inputs, lengths)
        loss = nn.functional.cross_entropy(outputs, labels, label_smoothing=0.05)
        if teacher is None:
            return loss
        with torch.no_grad():
            wanted = teacher(inputs, lengths).softmax(1)
        taught = nn.functional.cross_entropy(outputs, wanted)
        return (1 - recipe.taught) * loss + recipe.taught * taught

    return train_step


def _optimizer(parameters: list[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    """Adam, on gradients that are cut to a length."""
    made = adam(parameters, rate)

    def cut(*_: object) -> None:
        nn.utils.clip_grad_norm_(parameters, LONGEST_GRADIENT)

    made.register_step_pre_hook(cut)
    return made
