"""What only a trained network can show: accuracy by precision, and how uneven pruning leaves it.

The network is that of the demo (``examples/digits.py``), on handwritten digits. It is no AlexNet.
"""

from __future__ import annotations

import functools
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.results import Rows
from eie.host.network import Network

#: Widths of activations and shared weights that are tried.
BITS = (16, 12, 8, 6, 4)
_DIGITS = Path(__file__).parents[2] / "examples" / "digits.py"


def precision(_: object = None) -> Rows:
    """Share of the test digits that are right, at every precision."""
    digits = _digits()
    right = {"float32, dense": digits.accuracies.float32}
    right["float32, pruned and shared"] = digits.accuracies.shared
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
    are rounded to it and saturate at `bits`. Sums are exact; with 16 bits this is the accelerator.
    `inputs` are real numbers, shape (batch, inputs), `bits` 2 to 16; the outputs are codes at the
    last layer's shortened fraction length, int64 of shape (batch, outputs).
    """
    dropped, limit = 16 - bits, 1 << (bits - 1)

    def narrow(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.clip(values, -limit, limit - 1)

    activations = narrow(np.rint(np.ldexp(np.float64(inputs), network.input_frac - dropped)))
    for layer in network.layers:
        codebook = narrow(np.rint(np.ldexp(np.float64(layer.codebook), -dropped)))
        bias = np.rint(np.ldexp(np.float64(layer.bias), -2 * dropped))
        sums = activations @ codebook[layer.dense_codes()].T + bias
        if layer.relu:
            sums = np.maximum(sums, 0.0)
        # Ties go up, as in the accelerator's write-back.
        activations = narrow(np.floor(np.ldexp(sums, dropped - layer.shift) + 0.5))
    return activations.astype(np.int64)


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
