"""A model that flattens, data for it, and what was made of them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

import eie


@dataclass(frozen=True)
class Case:
    model: nn.Module
    #: float32, (40, 1, 4, 4).
    x: np.ndarray
    #: int64, (40,): what the model says.
    y: np.ndarray

    def exact(self, x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return self.model.double()(torch.tensor(x, dtype=torch.float64)).numpy()


@pytest.fixture(scope="session")
def case() -> Case:
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(16, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 5)
    ).eval()
    x = np.random.default_rng(0).normal(size=(40, 1, 4, 4)).astype(np.float32)
    with torch.no_grad():
        y = model(torch.from_numpy(x)).argmax(dim=1).numpy()
    return Case(model, x, y)


@pytest.fixture(scope="session")
def acc(case) -> eie.AcceleratedModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", eie.EieWarning)
        made = eie.convert(
            case.model, board="pynq-z2", density=0.6, calibration=case.x, labels=case.y
        )
    with made:
        yield made
