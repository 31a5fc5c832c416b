"""Handwritten digits: train a network, compress it in steps, and count what each step costs.

The data are scikit-learn's 8 x 8 digits; the network is 64-256-128-10. The steps are those of
Deep Compression (arXiv 1510.00149): train, prune while retraining, share weights and train the
codebooks, then round to 16-bit fixed point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from eie.hls.boundary.progress import tell
from eie.host.compress import (
    TorchReference,
    apply_masks,
    compress,
    freeze_codebooks,
    prune_linears,
    share_linears,
)
from eie.host.network import Network
from eie.host.network.input_codes import quantize_inputs
from eie.host.retrain.datasets import Dataset, load_digits
from eie.host.retrain.threads import one_thread

__all__ = ["Accuracies", "CompressedDigits", "compress_digits"]

#: Densities of gradual pruning, in order; the network is retrained after each.
DENSITIES = (0.4, 0.2, 0.1)
#: The output layer is small and every weight of it counts; the paper keeps 25 % of Alex-8, too.
OUTPUT_LAYER, OUTPUT_DENSITY = "4", 0.25
#: Passes over the training data: of the float network, after each pruning, and of the codebooks.
TRAINING_EPOCHS, RETRAINING_EPOCHS, CODEBOOK_EPOCHS = 40, 25, 20
#: Step sizes of Adam: of weights and of codebooks.
LEARNING_RATE, CODEBOOK_LEARNING_RATE = 1e-3, 3e-4
BATCH = 64

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Accuracies:
    """Share of the test digits that each step gets right, 0 to 1."""

    #: The trained network in float32.
    float32: float
    #: After pruning and retraining.
    pruned: float
    #: After weight sharing and training of the codebooks.
    shared: float
    #: In 16-bit fixed point, by the integer reference.
    fixed_point: float


@dataclass(frozen=True, eq=False)
class CompressedDigits:
    """What the demo needs: a network and digits to run through it."""

    #: The model that it was compressed from: trained, pruned and shared.
    model: nn.Sequential
    #: The compressed network; fraction lengths calibrated on the training digits.
    network: Network
    #: float32, shape (n, 64): test digits, 0..1.
    inputs: npt.NDArray[np.float32]
    #: int64, shape (n,): what they show.
    labels: npt.NDArray[np.int64]
    #: On these digits, after each step.
    accuracies: Accuracies


def compress_digits(seed: int = 0, progress: Progress = print) -> CompressedDigits:
    """Train and compress; some seconds.

    Parameters
    ----------
    seed
        Of the split, the initial weights and the order of training.
    progress
        Called with one line of text after each step.
    """
    with one_thread():
        return _compress_digits(seed, progress)


def _compress_digits(seed: int, progress: Progress) -> CompressedDigits:
    digits = load_digits(seed)
    inputs, labels = torch.from_numpy(digits.test_inputs), torch.from_numpy(digits.test_labels)

    def accuracy(step: str, outputs: torch.Tensor) -> float:
        share = (outputs.argmax(1) == labels).double().mean().item()
        progress(f"{step}: {share:.1%} of {len(labels)} test digits right")
        return share

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
        )
        _train(model, digits, TRAINING_EPOCHS)
        float32 = accuracy("float", _evaluate(model, inputs))

        for density in DENSITIES:
            by_layer = {"0": density, "2": density, OUTPUT_LAYER: max(density, OUTPUT_DENSITY)}
            masks = prune_linears(model, by_layer)
            _train(
                model,
                digits,
                RETRAINING_EPOCHS,
                after_step=lambda kept=masks: apply_masks(model, kept),
            )
        pruned = accuracy(
            f"pruned to {_density(model):.1%} of the weights", _evaluate(model, inputs)
        )

        share_linears(model)
        _train(model, digits, CODEBOOK_EPOCHS, learning_rate=CODEBOOK_LEARNING_RATE)
        freeze_codebooks(model)
        shared = accuracy("15 shared weights a layer and zero", _evaluate(model, inputs))

    network = compress(model, keep_weights=True, calibration=digits.train_inputs)
    codes = TorchReference(network)(quantize_inputs(network, digits.test_inputs))
    fixed_point = accuracy("16-bit fixed point", torch.from_numpy(codes))
    return CompressedDigits(
        model.eval(),
        network,
        digits.test_inputs,
        digits.test_labels,
        Accuracies(float32, pruned, shared, fixed_point),
    )


def _train(
    model: nn.Module,
    digits: Dataset,
    epochs: int,
    *,
    learning_rate: float = LEARNING_RATE,
    after_step: Callable[[], None] = lambda: None,
) -> None:
    inputs, labels = torch.from_numpy(digits.train_inputs), torch.from_numpy(digits.train_labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, weight_decay=1e-5)
    for epoch in range(epochs):
        tell("training", epoch, epochs, "epochs")
        for chosen in torch.randperm(len(labels)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[chosen]), labels[chosen]).backward()
            optimizer.step()
            after_step()


def _evaluate(model: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        outputs: torch.Tensor = model(inputs)
    return outputs


def _density(model: nn.Module) -> float:
    weights = [part.weight for part in model.modules() if isinstance(part, nn.Linear)]
    kept: Iterable[int] = (int(weight.count_nonzero()) for weight in weights)
    return sum(kept) / sum(weight.numel() for weight in weights)
