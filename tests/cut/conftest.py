"""Models that are cut, each with what of it is on the host."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

import eie


class Residual(nn.Module):
    """Branches on the host, and classes at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.head = nn.Linear(32, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head((x + self.conv(x)).flatten(1)).argmax(1)


class Plain(nn.Module):
    """A recurrent layer that the accelerator has not."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(4, 5, batch_first=True)
        self.head = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(x)[0][:, -1])


def _convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 3, 3),
        nn.BatchNorm2d(3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Dropout(),
        nn.Flatten(),
        nn.Linear(27, 8),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Linear(8, 4),
    )


def _everywhere() -> nn.Module:
    """A classifier at every position, behind a convolution."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2),
        nn.ReLU(),
        nn.Conv2d(4, 6, 1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 5, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Softmax(1),
    )


def _series() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(3, 6, 1), nn.ReLU(), nn.Conv1d(6, 4, 1, bias=False), nn.Flatten()
    )


@dataclass(frozen=True)
class Parted:
    """A model, and how it is cut."""

    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    layers: tuple[str, ...]
    positions: tuple[int, ...]
    front: str
    behind: str
    #: Multiply-adds on the host and on the accelerator, and parameters on the host.
    host: int
    head: int
    parameters: int


PARTED = {
    "convolutions": Parted(
        _convolutional,
        (1, 8, 8),
        ("6", "9"),
        (),
        "1 conv2d, 1 batch_norm, 1 relu, 1 max_pool2d",
        "",
        36 * 27,
        27 * 8 + 8 * 4,
        # The weights and biases of the convolution; four statistics of three channels.
        30 + 12,
    ),
    "positions": Parted(
        _everywhere,
        (1, 9, 9),
        ("2", "5"),
        (4, 4),
        "1 conv2d, 1 relu",
        "1 adaptive_avg_pool2d, 1 softmax",
        16 * 36,
        16 * (24 + 30),
        40,
    ),
    "positions of the input": Parted(
        _series, (3, 7), ("0", "2"), (7,), "", "", 0, 7 * (18 + 24), 0
    ),
    "branches and classes": Parted(
        Residual, (2, 4, 4), ("head",), (), "1 conv2d, 1 add", "1 argmax", 16 * 36, 160, 38
    ),
    "a plain RNN": Parted(
        Plain, (7, 4), ("head",), (), "1 rnn_tanh", "", 7 * (20 + 25), 15, 20 + 25 + 10
    ),
    "an activation that the kernel has not": Parted(
        lambda: nn.Sequential(nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 4), nn.Softmax(-1)),
        (6,),
        ("2",),
        (),
        "1 linear, 1 gelu",
        "1 softmax",
        30,
        20,
        35,
    ),
}


@dataclass(frozen=True)
class Case:
    parted: Parted
    #: With seeded weights, in evaluation mode.
    model: nn.Module
    #: float32, (30, ...).
    x: np.ndarray

    def exact(self, x: np.ndarray) -> np.ndarray:
        """What torch gives, in float64."""
        with torch.no_grad():
            values: np.ndarray = self.model.double()(torch.tensor(x, dtype=torch.float64)).numpy()
        self.model.float()
        return values


def make(name: str) -> Case:
    torch.manual_seed(2)
    parted = PARTED[name]
    model = parted.make().eval()
    for part in model.modules():
        if isinstance(part, (nn.BatchNorm1d, nn.BatchNorm2d)):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2.0)
            nn.init.normal_(part.weight)
            nn.init.normal_(part.bias)
    x = np.random.default_rng(0).normal(size=(30, *parted.shape)).astype(np.float32)
    return Case(parted, model, x)


@pytest.fixture(params=list(PARTED))
def case(request) -> Case:
    return make(request.param)


@pytest.fixture
def convolutions() -> Case:
    return make("convolutions")


@pytest.fixture(autouse=True)
def quietly():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", eie.EieWarning)
        yield
