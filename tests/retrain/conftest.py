"""A small problem that trains in a moment: four classes, told apart by a fixed random teacher."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import nn

from eie.host.retrain import Retrained, Schedule, retrain


@dataclass
class Problem:
    model: nn.Module
    inputs: torch.Tensor
    labels: torch.Tensor
    schedule: Schedule = field(default_factory=lambda: Schedule(2, 2, 2, 2, 2))
    #: Called before each batch.
    before_batch: Callable[[], None] = field(default=lambda: None)

    def __iter__(self) -> Iterator[Any]:
        for chosen in torch.split(torch.randperm(len(self.labels)), 32):
            yield self.inputs[chosen], self.labels[chosen]

    def train_step(self, model: nn.Module, batch: Any) -> torch.Tensor:
        self.before_batch()
        noisy = batch[0] + 0.01 * torch.randn_like(batch[0])
        return nn.functional.cross_entropy(model(noisy), batch[1])

    def accuracy(self, model: nn.Module) -> float:
        return float((model(self.inputs).argmax(1) == self.labels).double().mean())

    def retrain(self, **options: Any) -> Retrained:
        given = {
            "evaluate": self.accuracy,
            "calibration": self.inputs,
            "density": 0.3,
            "schedule": self.schedule,
            **options,
        }
        step = given.pop("train_step", self.train_step)
        return retrain(given.pop("model", self.model), step, given.pop("batches", self), **given)


def small_model() -> nn.Module:
    return nn.Sequential(
        nn.Linear(12, 24),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Linear(24, 16),
        nn.ReLU(),
        nn.Linear(16, 4),
    )


@pytest.fixture
def problem() -> Iterator[Problem]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        inputs = torch.randn(256, 12)
        labels = (inputs @ torch.randn(12, 4)).argmax(1)
        made = Problem(small_model(), inputs, labels)
        optimizer = torch.optim.Adam(made.model.parameters(), 1e-2)
        for _ in range(20):
            for batch in made:
                optimizer.zero_grad()
                made.train_step(made.model, batch).backward()
                optimizer.step()
        yield made
    torch.set_num_threads(threads)
