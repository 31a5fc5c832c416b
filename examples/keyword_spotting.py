"""A small keyword spotter: depthwise separable convolutions on the host, the head in hardware.

The model is like the DS-CNN of "Hello Edge" (arXiv 1711.07128), smaller: a convolution over 49 x 10
features, four depthwise separable ones, average pooling, and a head of two Linear layers. **The
data are synthetic**: each of 12 words is a random pattern of features, shifted in time and with
noise. So its accuracy says nothing of speech; it shows that a trained model of this kind goes all
the way.

    python examples/keyword_spotting.py --out keywords
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from cut_model import prune_head, report, train
from torch import nn

import eie
from eie.host.retrain.threads import one_thread

__all__ = ["DENSITIES", "keyword_net", "load", "main"]

#: Frames of a word, and features of a frame, as in the paper.
FRAMES, FEATURES = 49, 10
WORDS = 12
CHANNELS = 32
#: Standard deviation of the noise on patterns of 1.
NOISE = 1.0
#: Share of the weights that each layer of the head keeps.
DENSITIES = {"head.1": 0.15, "head.3": 0.3}
TRAINING_EPOCHS, RETRAINING_EPOCHS = 4, 2

Split = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


def _convolution(layer: nn.Conv2d) -> list[nn.Module]:
    return [layer, nn.BatchNorm2d(layer.out_channels), nn.ReLU()]


class KeywordNet(nn.Module):
    """Depthwise separable convolutions in front of a head of two Linear layers."""

    def __init__(self) -> None:
        super().__init__()
        layers = _convolution(nn.Conv2d(1, CHANNELS, (10, 4), stride=2, padding=(5, 1), bias=False))
        for _ in range(4):
            depthwise = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, groups=CHANNELS, bias=False)
            layers += _convolution(depthwise)
            layers += _convolution(nn.Conv2d(CHANNELS, CHANNELS, 1, bias=False))
        self.features = nn.Sequential(*layers, nn.AvgPool2d(5))
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(CHANNELS * 5, 64), nn.ReLU(), nn.Linear(64, WORDS)
        )

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        """Logits, shape (n, 12), of features, shape (n, 1, 49, 10)."""
        logits: torch.Tensor = self.head(self.features(words))
        return logits


def keyword_net(seed: int = 0) -> KeywordNet:
    """Make the model with seeded weights."""
    torch.manual_seed(seed)
    return KeywordNet()


def load(count: int, seed: int = 0) -> Split:
    """Make words, shape (count, 1, 49, 10): patterns of the first seed, noise of this one."""
    patterns = np.random.default_rng(0).normal(size=(WORDS, FRAMES, FEATURES))
    random = np.random.default_rng([1, seed])
    labels = random.integers(0, WORDS, count)
    shifts = random.integers(-5, 6, count)
    words = np.stack(
        [np.roll(patterns[word], shift, axis=0) for word, shift in zip(labels, shifts, strict=True)]
    )
    words += random.normal(scale=NOISE, size=words.shape)
    return words.astype(np.float32)[:, np.newaxis], labels


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, prune, convert, and run on every engine."""
    parser = argparse.ArgumentParser(description="a keyword spotter, cut in front of its head")
    parser.add_argument("--out", type=Path, default=Path("keywords"), help="folder for all files")
    parser.add_argument("--board", default="pynq-z2")
    options = parser.parse_args(arguments)
    inputs, labels = load(3000)
    model = keyword_net()
    with one_thread():
        train(model, inputs, labels, TRAINING_EPOCHS)
        prune_head(model, inputs, labels, DENSITIES, RETRAINING_EPOCHS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", eie.EieWarning)  # the summary says it as well
            acc = eie.convert(
                model,
                board=options.board,
                density=DENSITIES,
                calibration=inputs[:1000],
                labels=labels[:1000],
            )
        with acc:
            report(acc, *load(500, seed=1), options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
