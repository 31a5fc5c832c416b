"""What only a trained network can show: accuracy by precision, and how uneven pruning leaves it.

The network is that of the demo (``examples/digits.py``): 64-256-128-10 on 8 x 8 handwritten
digits. It is no AlexNet.
"""

from __future__ import annotations

import functools
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.results import Rows
from eie.host.network import Layer, Network

#: Widths of activations and shared weights that are tried.
BITS = (16, 12, 8, 6, 4)
_DIGITS = Path(__file__).parents[2] / "examples" / "digits.py"


def precision(_: object = None) -> Rows:
    """Share of the test digits that are right, at every precision."""
    digits = _digits()
    right = {
        "float32, dense": digits.accuracies.float32,
        "float32, pruned and shared": digits.accuracies.shared,
    }
    for bits in BITS:
        found = outputs_at(digits.network, digits.inputs, bits).argmax(axis=1)
        right[f"{bits}-bit fixed point"] = float(np.mean(found == digits.labels))
    for name, accuracy in right.items():
        yield {"precision": name, "accuracy": accuracy, "digits": len(digits.labels)}


def skewness(_: object = None) -> Rows:
    """How uneven the rows and the columns of every layer are."""
    for layer in _digits().network.layers:
        of_rows = np.bincount(layer.indices, minlength=layer.rows)
        yield {
            "layer": layer.name,
            "rows": layer.rows,
            "columns": layer.columns,
            "density": layer.density,
            "row_skew": excess(of_rows, layer.density),
            "column_skew": excess(np.diff(layer.indptr), layer.density),
        }


def outputs_at(
    network: Network, inputs: npt.NDArray[np.float32], bits: int
) -> npt.NDArray[np.int64]:
    """Run a network with narrower activations and shared weights than its 16 bits.

    Ranges stay as they are and steps grow: every fraction length is ``16 - bits`` shorter, values
    are rounded to it and saturate at `bits`. Sums are exact, as in the accelerator. With 16 bits
    this is the accelerator's arithmetic.

    Parameters
    ----------
    network
        A compressed network.
    inputs
        Real numbers, shape (batch, inputs).
    bits
        2 to 16.

    Returns
    -------
    ndarray of int64, shape (batch, outputs)
        Codes at the last layer's shortened fraction length.
    """
    dropped = 16 - bits
    activations = _saturated(
        np.rint(np.ldexp(inputs.astype(np.float64), network.input_frac - dropped)), bits
    )
    for layer in network.layers:
        weights = _narrow_weights(layer, bits)
        bias = np.rint(np.ldexp(layer.bias.astype(np.float64), -2 * dropped))
        sums = activations @ weights.T + bias
        if layer.relu:
            sums = np.maximum(sums, 0.0)
        # Ties go up, as in the accelerator's write-back.
        rounded = np.floor(np.ldexp(sums, dropped - layer.shift) + 0.5)
        activations = _saturated(rounded, bits)
    return activations.astype(np.int64)


def _narrow_weights(layer: Layer, bits: int) -> npt.NDArray[np.float64]:
    codebook = np.ldexp(layer.codebook.astype(np.float64), bits - 16)
    narrow: npt.NDArray[np.float64] = _saturated(np.rint(codebook), bits)[layer.dense_codes()]
    return narrow


def _saturated(values: npt.NDArray[np.float64], bits: int) -> npt.NDArray[np.float64]:
    limit = 1 << (bits - 1)
    return np.clip(values, -limit, limit - 1)


def excess(counts: npt.NDArray[np.int64], density: float) -> float:
    """Relative deviation of `counts` that independent weights of `density` do not explain."""
    mean = counts.mean()
    beyond = counts.var() - mean * (1 - density)
    return float(np.sqrt(max(0.0, beyond)) / mean)


@functools.cache
def _digits() -> Any:
    """Train and compress the digits, once; the example is a script outside of any package."""
    module = runpy.run_path(str(_DIGITS), run_name="digits")
    return module["compress_digits"](progress=lambda _: None)
