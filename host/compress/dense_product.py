"""Products with large dense matrices, some rows of the matrix at a time.

The weights of a model are float32, or codes into a table; a product in float64 wants them as
float64. A whole matrix of VGG-16's would be 822 MB, and is read from memory twice; a few rows stay
in the cache.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["product"]

Floats = npt.NDArray[np.float64]

#: Weights of rows that are multiplied at a time; smaller matrices are multiplied at once.
_AT_ONCE = 1 << 22


def product(inputs: Floats, shape: tuple[int, ...], rows: Callable[[slice], Floats]) -> Floats:
    """Multiply vectors by a matrix that is made row by row.

    Parameters
    ----------
    inputs
        Shape (batch, columns).
    shape
        Rows and columns of the matrix.
    rows
        Gives some rows of the matrix, shape (rows of the slice, columns).

    Returns
    -------
    ndarray of float64, shape (batch, rows)
    """
    count, columns = shape
    step = max(1, _AT_ONCE // max(1, columns))
    if step >= count:
        whole: Floats = inputs @ rows(slice(0, count)).T
        return whole
    sums = np.empty((len(inputs), count))
    for start in range(0, count, step):
        part = slice(start, min(start + step, count))
        sums[:, part] = inputs @ rows(part).T
    return sums
