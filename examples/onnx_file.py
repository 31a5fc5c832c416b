"""A network comes as an ONNX file: it is compressed as it is, without retraining.

Run as ``python examples/onnx_file.py``; some seconds. torch trains the network and writes the file
here; any other tool's would do (docs/reference/models.md). The digits come with scikit-learn.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import torch
from outcome import BOARD, Outcome, measured
from torch import nn

import eie
from eie.host.retrain.datasets import load_digits

EPOCHS = 40
#: Without retraining, as much has to be kept (`eie compress digits.onnx --sweep` finds it).
DENSITY = 0.6


def write(path: Path, seed: int) -> float:
    """Train a 64-128-10 network with a BatchNorm, write it as ONNX, and give its accuracy."""
    torch.manual_seed(seed)
    data = load_digits(seed)
    inputs, labels = torch.from_numpy(data.train_inputs), torch.from_numpy(data.train_labels)
    model = nn.Sequential(
        nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(EPOCHS):
        for chosen in torch.split(torch.randperm(len(labels)), 64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[chosen]), labels[chosen]).backward()
            optimizer.step()
    model.eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # of torchvision, which is not needed
    torch.onnx.export(model, (inputs[:2],), path, dynamo=True, verbose=False)
    with torch.no_grad():
        scores = model(torch.from_numpy(data.test_inputs))
    return float((scores.argmax(1) == torch.from_numpy(data.test_labels)).double().mean())


def main(seed: int = 0) -> Outcome:
    """Write the file, convert it, and measure on the test digits."""
    torch.set_num_threads(1)
    data = load_digits(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.onnx"
        right = write(path, seed)
        acc = eie.convert(path, board=BOARD, density=DENSITY, calibration=data.train_inputs)
    return measured("ONNX file, not retrained", acc, data.test_inputs, data.test_labels, right)


if __name__ == "__main__":
    print(main())
