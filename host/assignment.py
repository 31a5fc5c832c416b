"""Which PE works on which row: the row order of a layer.

A row order is a permutation ``slot_of_row``; the slot decides PE and local row
(:mod:`eie.host.encoding`). Rows may be dealt freely at no cost in hardware: the next layer's
columns are permuted alike, and the host undoes the last layer's order.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from eie.host.errors import InputError
from eie.host.network import Layer

__all__ = ["Assignment", "assign_rows"]

#: ``"natural"`` is the paper's (row i on PE i mod N); ``"balanced"`` evens the PEs' work out.
Assignment = Literal["natural", "balanced"]


def assign_rows(layer: Layer, pes: int, assignment: Assignment) -> npt.NDArray[np.int64]:
    """Give each row a slot.

    ``"balanced"`` deals the rows out from the one with most weights to the one with fewest,
    forwards and backwards in turn, so that PEs get nearly equal sums.

    Returns
    -------
    ndarray of int64, shape (rows,)
        ``slot_of_row``, a permutation of 0 to rows - 1.
    """
    if assignment == "natural":
        return np.arange(layer.rows)
    if assignment != "balanced":
        raise InputError(f"assignment must be 'natural' or 'balanced', not {assignment!r}")
    weights = np.bincount(layer.indices, minlength=layer.rows)
    heaviest_first = np.argsort(-weights, kind="stable")
    slots = np.arange(layer.rows)
    turn, pe = np.divmod(slots, pes)
    # The last turn may be short; it must fill the first PEs so that slots stay without gaps.
    backwards = (turn % 2 == 1) & (turn < layer.rows // pes)
    slots = np.where(backwards, turn * pes + pes - 1 - pe, slots)
    slot_of_row = np.empty(layer.rows, np.int64)
    slot_of_row[heaviest_first] = slots
    return slot_of_row
