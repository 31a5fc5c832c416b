"""The demo's network, its inputs and labels as they ship: for a first try of everything.

The network is that of ``make demo`` (64-256-128-10, pruned to a tenth and shared); the inputs are
the demo's test digits, from scikit-learn's copy of the UCI digits of E. Alpaydin and C. Kaynak
(CC BY 4.0), that no training has seen.
"""

from __future__ import annotations

import contextlib
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.host.network import Network

__all__ = ["digits_network", "save_program", "test_digits"]

#: Pixels are 0 to 16 in the data, and 0 to 1 as the network takes them.
_FULL_SCALE = np.float32(16)


def digits_network() -> Network:
    """Read the network of handwritten digits that ships with eie."""
    with _shipped("digits.npz") as path:
        return Network.load(path)


def test_digits() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Read the test digits: float32 of shape (359, 64), 0 to 1, and labels, int64 (359,)."""
    with _shipped("test_digits.npz") as path, np.load(path, allow_pickle=False) as arrays:
        return arrays["inputs"] / _FULL_SCALE, arrays["labels"].astype(np.int64)


def save_program(network: Network, path: Path) -> None:
    """Save a network as the torch program (``.pt2``) that compresses to the same layers.

    Raises
    ------
    ImportError
        If there is no torch.
    """
    import torch
    from torch import nn

    parts: list[nn.Module] = []
    for layer in network.layers:
        linear = nn.Linear(layer.columns, layer.rows)
        weights = np.ldexp(layer.dense_weights().astype(np.float64), -layer.weight_frac)
        bias = np.ldexp(layer.bias.astype(np.float64), -(layer.input_frac + layer.weight_frac))
        linear.load_state_dict(
            {"weight": torch.from_numpy(weights).float(), "bias": torch.from_numpy(bias).float()}
        )
        parts += [linear, nn.ReLU()] if layer.relu else [linear]
    program = torch.export.export(nn.Sequential(*parts).eval(), (torch.zeros(1, network.inputs),))
    torch.export.save(program, path)


@contextlib.contextmanager
def _shipped(name: str) -> Any:
    with as_file(files("eie.notebooks") / name) as path:
        yield path
