"""A network trained by Brevitas with 4-bit weights and 8-bit activations goes in exactly.

Run as ``python examples/brevitas_model.py``; some seconds. Scales are powers of two, so the
accelerator computes the model's own integers, and nothing is retrained. The digits come with
scikit-learn; Brevitas is in ``eie[examples]``.
"""

from __future__ import annotations

import warnings

import brevitas.nn as qnn
import torch
from brevitas.quant import (
    Int8ActPerTensorFixedPoint,
    Int8WeightPerTensorFixedPoint,
    Uint8ActPerTensorFixedPoint,
)
from outcome import BOARD, Outcome, measured
from torch import nn

import eie
from eie.host.retrain.datasets import load_digits

WEIGHT_BITS, ACTIVATION_BITS, EPOCHS = 4, 8, 30


def network() -> nn.Sequential:
    """Give a 64-128-10 network whose weights and activations Brevitas rounds."""
    weights = {"weight_bit_width": WEIGHT_BITS, "weight_quant": Int8WeightPerTensorFixedPoint}
    return nn.Sequential(
        qnn.QuantIdentity(bit_width=ACTIVATION_BITS, act_quant=Int8ActPerTensorFixedPoint),
        qnn.QuantLinear(64, 128, bias=True, **weights),
        qnn.QuantReLU(bit_width=ACTIVATION_BITS, act_quant=Uint8ActPerTensorFixedPoint),
        qnn.QuantLinear(128, 10, bias=True, **weights),
    )


def main(seed: int = 0) -> Outcome:
    """Train with Brevitas, convert as it is, and measure on the test digits."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "Defining your `__torch_function__`")  # of Brevitas' tensors
    torch.manual_seed(seed)
    data = load_digits(seed)
    inputs, labels = torch.from_numpy(data.train_inputs), torch.from_numpy(data.train_labels)
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(EPOCHS):
        for chosen in torch.split(torch.randperm(len(labels)), 64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[chosen]), labels[chosen]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        scores = model(torch.from_numpy(data.test_inputs))
    right = float((scores.argmax(1) == torch.from_numpy(data.test_labels)).double().mean())
    acc = eie.convert(model, board=BOARD, keep_weights=True, calibration=data.train_inputs)
    print(acc.network.metadata["exactness"])
    return measured(
        "Brevitas, 4-bit weights",
        acc,
        data.test_inputs,
        data.test_labels,
        right,
        "the model is the quantised one; nothing is pruned but what Brevitas rounds to 0",
    )


if __name__ == "__main__":
    print(main())
