"""Sequences of the recurrent examples, and parts of the training data to choose recipes by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eie.host.retrain import datasets
from eie.host.retrain.datasets import Sequences

__all__ = ["held_out", "japanese_vowels", "mnist_rows", "unpadded"]


def japanese_vowels() -> Sequences:
    """Utterances of nine speakers; channels of unit scale, by those to train on."""
    found = datasets.load_japanese_vowels()
    steps = np.concatenate(unpadded(found.train_inputs, found.train_lengths)).astype(np.float64)
    mean, deviation = steps.mean(0), steps.std(0)
    scaled = [
        ((each - mean) / deviation).astype(np.float32)
        for each in (found.train_inputs, found.test_inputs)
    ]
    return Sequences(
        scaled[0],
        found.train_labels,
        scaled[1],
        found.test_labels,
        found.train_lengths,
        found.test_lengths,
    )


def mnist_rows() -> Sequences:
    """Images of 28 rows, each a step: 4,000 to train and 1,000 to test on."""
    found = datasets.load_mnist(1)
    train, test = found.train_inputs[:, 0], found.test_inputs[:, 0]
    lengths = [np.full(len(each), each.shape[1]) for each in (train, test)]
    return Sequences(train, found.train_labels, test, found.test_labels, *lengths)


def unpadded(
    inputs: npt.NDArray[np.float32], lengths: npt.NDArray[np.int64]
) -> list[npt.NDArray[np.float32]]:
    """Give each sequence by itself, of shape (its steps, features)."""
    return [each[:steps] for each, steps in zip(inputs, lengths, strict=True)]


def held_out(data: Sequences, part: int, of: int) -> Sequences:
    """Give the training data alone: a part of each class in a row as tests, the rest to train on.

    In a row, in the order of the file: utterances of a speaker next to each other may be alike, and
    those that the model is to be right about are others.
    """
    held = np.zeros(len(data.train_labels), bool)
    for label in np.unique(data.train_labels):
        (places,) = np.nonzero(data.train_labels == label)
        held[np.array_split(places, of)[part]] = True
    return Sequences(
        data.train_inputs[~held],
        data.train_labels[~held],
        data.train_inputs[held],
        data.train_labels[held],
        data.train_lengths[~held],
        data.train_lengths[held],
    )
