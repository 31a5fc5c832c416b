"""The example of the paper: 16 x 8 weights on four PEs (figures 2 and 3).

The size, the zeros of the input, the weights of PE 0 (figure 3) and those of column 2 (section
III.C) are where the paper has them. It gives no values, and where the other weights are is not
repeated in its text: these are ours.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eie.hls.spec.design import Design
from eie.host.network import Layer, Network

__all__ = ["example_design", "example_input", "example_network"]

#: Columns that have a weight, row after row.
_COLUMNS = (
    (0, 2, 4, 5, 6), (1, 3, 6), (2, 4, 7), (1, 5),
    (1, 4), (4, 7), (4, 6), (0, 4, 7),
    (0, 7), (0, 6, 7), (4,), (2, 7),
    (0, 2, 5, 7), (0, 6), (2, 3, 4, 5), (2, 3, 5),
)  # fmt: skip
#: Activations: those of columns 2, 4, 5 and 7 are not zero.
_INPUT = (0, 0, 3, 0, 5, 2, 0, 4)
#: Weights that are shared.
_CODEBOOK = (0, 1, 2, 3, 4, 5, 6, 7, -1, -2, -3, -4, -5, -6, -7, 8)


def example_network() -> Network:
    """Make the layer of the paper's figure 2, with a ReLU."""
    codes = np.zeros((len(_COLUMNS), len(_INPUT)), np.uint8)
    for row, columns in enumerate(_COLUMNS):
        for column in columns:
            codes[row, column] = (3 * row + 5 * column) % 15 + 1
    layer = Layer.from_dense_codes(
        "figure 2",
        codes,
        codebook=np.array(_CODEBOOK, np.int16),
        bias=np.zeros(len(_COLUMNS), np.int64),
        activation="relu",
        input_frac=0,
        weight_frac=0,
        output_frac=0,
    )
    return Network((layer,), metadata={"origin": "the example of the paper's figure 2"})


def example_design() -> Design:
    """Make a design as small as the example: the paper's queues of 8 and four bits of zeros."""
    return Design(
        pes=4,
        entries_per_pe=64,
        pointers_per_pe=16,
        rows_per_pe=8,
        biases_per_pe=8,
        layers=1,
        hidden_activations=64,
    )


def example_input() -> npt.NDArray[np.int16]:
    """Make the example's input: int16, shape (8,)."""
    return np.array(_INPUT, np.int16)
