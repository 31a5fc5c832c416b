"""Deep Compression's recipe for a recurrent classifier: train, prune little by little, share.

Plain torch, as short as it can be, for sequences of different lengths that are padded at their end.
Every step holds pruned weights at zero; at last each matrix has 15 weights, which are trained by
the sum of their gradients.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from eie.host.compress.pruning import magnitude_mask
from eie.host.compress.sharing import share

__all__ = ["Classifier", "Compressed", "Recipe", "Sequences", "train_compressed"]

Kind = Literal["LSTM", "GRU"]


@dataclass(frozen=True, eq=False)
class Sequences:
    """Labelled sequences."""

    #: float32, each of shape (steps of the sequence, features).
    inputs: Sequence[npt.NDArray[np.float32]]
    #: int64, shape (n,): class of each.
    labels: npt.NDArray[np.int64]

    def padded(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs of shape (n, most steps, features), zeros behind each end; and the lengths."""
        lengths = torch.tensor([len(each) for each in self.inputs])
        tensors = [torch.from_numpy(each) for each in self.inputs]
        return nn.utils.rnn.pad_sequence(tensors, batch_first=True), lengths


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained and made sparse."""

    #: Epochs of the dense model, of each density on the way, and with shared weights.
    epochs: tuple[int, int, int]
    #: Learning rates of the same.
    rates: tuple[float, float, float] = (5e-3, 3e-3, 5e-4)
    #: Densities on the way; the last one stays.
    densities: tuple[float, ...] = (0.6, 0.4, 0.25, 0.2)
    #: Density of the Linear layer behind, at least: it has few weights, and feels each of them.
    least_of_last: float = 0.25
    #: Standard deviation of the noise on inputs in training.
    noise: float = 0.05
    batch: int = 64

    def shortened(self, share: float) -> Recipe:
        """Give the recipe with a share of its epochs, at least one each."""
        dense, pruned, shared = (max(1, round(share * each)) for each in self.epochs)
        return replace(self, epochs=(dense, pruned, shared))


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

    def accuracy(self, data: Sequences) -> float:
        """Share of the sequences whose largest output is their class."""
        self.eval()
        with torch.no_grad():
            found = self(*data.padded()).argmax(1).numpy()
        return float(np.mean(found == data.labels))


@dataclass(frozen=True)
class Compressed:
    """What a classifier became: pruned, and with 15 shared weights a matrix."""

    pruned: Classifier
    shared: Classifier


def train_compressed(
    model: Classifier, data: Sequences, recipe: Recipe, tell: Callable[[str], None]
) -> Compressed:
    """Train `model` in place, and give copies of it: pruned, and sharing 15 weights a matrix.

    Parameters
    ----------
    model
        Untrained; afterwards the dense model.
    data
        To train on.
    recipe
        How.
    tell
        Called with what goes on.
    """
    tell("training the dense model")
    _train(model, data, recipe, recipe.epochs[0], recipe.rates[0])
    sparse = copy.deepcopy(model)
    # It teaches with its dropout: of many models that are nearly right more is learnt than of one.
    model.train()
    for density in recipe.densities:
        tell(f"pruning to {100 * density:g} %")
        masks = {}
        for name, weights in _matrices(sparse).items():
            kept = max(density, recipe.least_of_last) if name == "fc.weight" else density
            masks[name] = torch.from_numpy(magnitude_mask(weights.detach().numpy(), kept))
        _train(sparse, data, recipe, recipe.epochs[1], recipe.rates[1], teacher=model, masks=masks)
    pruned = copy.deepcopy(sparse)
    tell("sharing weights")
    codes, tables = {}, {}
    for name, weights in _matrices(sparse).items():
        shared = share(weights.detach().numpy())
        codes[name] = torch.from_numpy(shared.codes.astype(np.int64))
        tables[name] = nn.Parameter(torch.tensor(shared.centroids, dtype=torch.float32))
    _train(
        sparse,
        data,
        recipe,
        recipe.epochs[2],
        recipe.rates[2],
        teacher=model,
        codes=codes,
        tables=tables,
    )
    model.eval()
    return Compressed(pruned, sparse)


def _matrices(model: Classifier) -> dict[str, nn.Parameter]:
    return {name: each for name, each in model.named_parameters() if each.ndim == 2}


def _train(
    model: Classifier,
    data: Sequences,
    recipe: Recipe,
    epochs: int,
    rate: float,
    *,
    teacher: Classifier | None = None,
    masks: dict[str, torch.Tensor] | None = None,
    codes: dict[str, torch.Tensor] | None = None,
    tables: dict[str, nn.Parameter] | None = None,
) -> None:
    """Train with weights outside of `masks` at zero, or with those of `tables` alone.

    With a `teacher` its outputs count as much as the labels: what was pruned is to do what it did.
    """
    inputs, lengths = data.padded()
    labels = torch.from_numpy(data.labels)
    matrices = _matrices(model)
    codes, tables = codes or {}, tables or {}
    trained = [each for name, each in model.named_parameters() if name not in codes]
    optimizer = torch.optim.Adam([*trained, *tables.values()], rate)
    batches = -(-len(inputs) // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=epochs * batches)

    def hold() -> None:
        with torch.no_grad():
            for name, mask in (masks or {}).items():
                matrices[name].mul_(mask)
            for name, table in tables.items():
                matrices[name].copy_(torch.cat([torch.zeros(1), table])[codes[name]])

    # Of the second half of the epochs: a mean of many generalises better than the last one.
    means = [torch.zeros_like(each) for each in [*trained, *tables.values()]]
    hold()
    model.train()
    for epoch in range(epochs):
        for batch in torch.randperm(len(inputs)).split(recipe.batch):
            model.zero_grad()
            x = inputs[batch] + recipe.noise * torch.randn_like(inputs[batch])
            outputs = model(x, lengths[batch])
            loss = nn.functional.cross_entropy(outputs, labels[batch], label_smoothing=0.05)
            if teacher is not None:
                with torch.no_grad():
                    wanted = teacher(x, lengths[batch]).softmax(1)
                loss = (loss + nn.functional.cross_entropy(outputs, wanted)) / 2
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for name, table in tables.items():
                gradient = matrices[name].grad
                assert gradient is not None
                sums = torch.zeros(len(table) + 1)
                sums.index_add_(0, codes[name].flatten(), gradient.flatten())
                table.grad = sums[1:]
            optimizer.step()
            schedule.step()
            hold()
        if 2 * epoch >= epochs:
            for mean, value in zip(means, [*trained, *tables.values()], strict=True):
                mean += value.detach() / len(range(-(-epochs // 2), epochs))
    with torch.no_grad():
        for mean, value in zip(means, [*trained, *tables.values()], strict=True):
            value.copy_(mean)
    hold()
    model.eval()
