"""The paper's machine: its cycles, as its authors' simulator counts them.

Rows in their natural order, 4-bit zero runs with padding entries, a queue in front of the pointer
read, and a cycle for a column without entries. Only the array is counted, not the input, the
write-back or the way between layers, which the paper hides or leaves out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["PAPER_CLOCK_MHZ", "paper_cycles"]

#: Clock of the paper's chip, in MHz (section VI).
PAPER_CLOCK_MHZ = 800


def paper_cycles(lengths: npt.NDArray[np.int64], queue_depth: int) -> int:
    """Cycles of one vector through one layer.

    Parameters
    ----------
    lengths
        int64, shape (pes, active columns): entries, padding included, that each PE has in each
        column that meets a non-zero activation, in the order of the broadcast.
    queue_depth
        Activations that each PE's queue holds (paper: 8).

    Returns
    -------
    int
        From the first broadcast to the last entry. The broadcast gives one activation a cycle and
        waits while any queue is full; an activation leaves its queue when its PE starts on it.
    """
    pes, columns = lengths.shape
    costs = np.maximum(lengths, 1).T.copy()
    starts = np.zeros((columns, pes), np.int64)
    free = np.zeros(pes, np.int64)
    broadcast = -1
    for column in range(columns):
        broadcast += 1
        if column >= queue_depth:
            broadcast = max(broadcast, int(starts[column - queue_depth].max()))
        np.maximum(free, broadcast + 1, out=starts[column])
        np.add(starts[column], costs[column], out=free)
    return int(free.max()) if columns else 0
