"""What the examples of models in parts share: training, a pruned head, and every engine."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

import eie
from eie.host.compress import TorchReference

__all__ = ["outputs_of_engines", "prune_head", "report", "train"]

BATCH = 64
#: Step size of Adam.
LEARNING_RATE = 1e-3

Reals = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


def train(
    model: nn.Module,
    inputs: Reals,
    labels: Labels,
    epochs: int,
    masks: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Train with Adam, shuffled by a fixed seed; with `masks` pruned weights stay zero."""
    x, y = torch.from_numpy(inputs), torch.from_numpy(labels)
    order = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    model.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(x), generator=order).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
            if masks is not None:
                eie.apply_masks(model, masks)
    model.eval()


def prune_head(
    model: nn.Module, inputs: Reals, labels: Labels, densities: Mapping[str, float], epochs: int
) -> None:
    """Prune the Linear layers to `densities` in two steps, and retrain all of the model."""
    for share in (0.5, 1.0):  # of the way from 1 to the density
        wanted = {name: 1 + share * (density - 1) for name, density in densities.items()}
        masks = eie.prune_linears(model, wanted)
        train(model, inputs, labels, epochs, masks)


def outputs_of_engines(acc: eie.AcceleratedModel, inputs: Reals) -> npt.NDArray[np.int16]:
    """Run the head on every engine, and give its output codes.

    The host's part runs once: what it gives is rounded to codes, which all engines get.

    Raises
    ------
    AssertionError
        If an engine gives other codes than the torch integer reference.
    """
    codes = eie.quantize_inputs(acc.network, acc.features(inputs))
    wanted = TorchReference(acc.network)(codes)
    found = {"numpy emulator": eie.emulate(acc.network, acc.design, codes).outputs}
    with tempfile.TemporaryDirectory() as folder:
        project = eie.generate(acc.design, Path(folder) / "project")
        with eie.CompiledKernel(project) as kernel:
            found["generated C++"] = eie.simulate(acc.network, acc.design, kernel, codes).outputs
    board = eie.EmulatedBoard("pynq-z2", lambda: eie.Emulator(acc.design))
    with board, eie.Accelerator(board.bitfile) as accelerator:
        accelerator.load(acc.network)
        found["driver on an emulated board"] = accelerator.run(codes)
    for engine, outputs in found.items():
        assert np.array_equal(outputs, wanted), f"{engine} differs from the integer reference"
    return wanted


def report(acc: eie.AcceleratedModel, inputs: Reals, labels: Labels, out: Path) -> None:
    """Print what was made of a model, run it on every engine, and leave all files in a folder."""
    print(acc.summary())
    print(acc.evaluate(inputs, labels))
    outputs = outputs_of_engines(acc, inputs)
    print(
        f"numpy emulator, generated C++ and the driver on an emulated board: all {outputs.size:,} "
        f"codes of {len(inputs)} inputs equal to the integer reference's"
    )
    folder = acc.save(out)
    again = eie.AcceleratedModel.load(folder)
    assert np.array_equal(again.predict(inputs), acc.predict(inputs)), "what was saved differs"
    acc.report(folder / "report.html")
    print(f"{folder} has {', '.join(sorted(each.name for each in folder.iterdir()))}")
