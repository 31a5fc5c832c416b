"""Which PE works on which row, and in which order inputs come: the packer's free choices.

A row order is a permutation ``slot_of_row``; the slot decides PE and local row
(:mod:`eie.hls.spec.matrix_format`). Rows may be dealt freely at no cost in hardware: the next
layer's columns are permuted alike, and the host undoes the last layer's order. The host may as
freely send the first layer's inputs in another order.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.spec.cell import GATES
from eie.host.network import Layer
from eie.host.packing.unit_order import order_units, unit_slots

__all__ = ["ASSIGNMENTS", "Assignment", "assign_chain", "assign_rows", "order_inputs"]

#: ``"natural"`` is the paper's: row i on PE i mod N, inputs as they come. ``"counted"`` deals rows
#: out by their number of weights. ``"balanced"`` evens the PEs' work out further, and mixes the
#: inputs.
Assignment = Literal["natural", "counted", "balanced"]
ASSIGNMENTS: tuple[Assignment, ...] = ("natural", "counted", "balanced")

#: Swaps of two rows at most, for each PE: in practice a few in all.
_SWAPS_PER_PE = 8
#: Steps of this share of the whole go round a circle most evenly (the golden section).
_GOLDEN = (math.sqrt(5) - 1) / 2


def assign_rows(
    layer: Layer,
    pes: int,
    assignment: Assignment,
    activity: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.int64]:
    """Give each row a slot.

    Parameters
    ----------
    layer
        The layer.
    pes
        Number of PEs.
    assignment
        ``"counted"`` deals rows out from the one with most work to the one with least, forwards
        and backwards in turn. ``"balanced"`` gives each row, from the one with most work on, to
        the PE that has least and still has room, then swaps rows between the PEs with most and
        least work as long as that helps. Every PE gets equally many rows, or one less.
    activity
        float64, shape (columns,): how often each input is not zero, from 0 to 1; a row's work is
        the sum over its weights. Without it every weight counts alike.

    Returns
    -------
    ndarray of int64, shape (rows,)
        ``slot_of_row``, a permutation of 0 to rows - 1.
    """
    _check_assignment(assignment)
    return _deal(_work_of_rows(layer, activity), pes, assignment)


def assign_chain(
    layers: Sequence[Layer], pes: int, assignment: Assignment
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give each row of a chain a slot: that of the same row in all its layers.

    Parameters
    ----------
    layers
        The layers that share their sums; the last one ends them.
    pes
        Number of PEs.
    assignment
        As for :func:`assign_rows`; an LSTM's units are in their order, or evened out.

    Returns
    -------
    slot_of_row : ndarray of int64, shape (rows,)
        A permutation of 0 to rows - 1.
    place_of_result : ndarray of int64, shape (results,)
        Where each result is among those that leave the array: its row's slot or, of an LSTM or a
        GRU, the number of its unit.
    """
    _check_assignment(assignment)
    work = _work_of_rows(layers[0], None)
    for layer in layers[1:]:
        work = work + _work_of_rows(layer, None)
    if not layers[-1].recurrent:
        slots = _deal(work, pes, assignment)
        return slots, slots
    units = np.arange(layers[-1].results)
    if assignment != "natural":
        units = order_units(work.reshape(GATES, -1).astype(np.float64), pes)
    return unit_slots(units, pes), units


def _check_assignment(assignment: str) -> None:
    if assignment not in ASSIGNMENTS:
        raise InputError(
            f"assignment must be one of {', '.join(map(repr, ASSIGNMENTS))}, not {assignment!r}"
        )


def _deal(
    work: npt.NDArray[np.int64] | npt.NDArray[np.float64], pes: int, assignment: Assignment
) -> npt.NDArray[np.int64]:
    """Slots of rows that have so much work."""
    if assignment == "natural":
        return np.arange(len(work))
    heaviest_first = np.argsort(-work, kind="stable")
    if assignment == "counted":
        return _dealt_in_turn(heaviest_first, pes)
    return _slots(_swapped(_dealt_to_lightest(work, heaviest_first, pes), work, pes), pes)


def order_inputs(inputs: int, assignment: Assignment) -> npt.NDArray[np.int64]:
    """Give each input of the network the place at which it is sent.

    Neighbouring inputs often meet the same rows, and a PE that has many of them falls behind.
    ``"balanced"`` therefore sends neighbours far from one another.

    Returns
    -------
    ndarray of int64, shape (inputs,)
        A permutation of 0 to inputs - 1.
    """
    places = np.arange(inputs)
    if assignment != "balanced":
        return places
    step = max(1, round(inputs * _GOLDEN))
    while math.gcd(step, inputs) > 1:
        step += 1
    return places * step % inputs


def _work_of_rows(
    layer: Layer, activity: npt.NDArray[np.float64] | None
) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
    if activity is None:
        return np.bincount(layer.indices, minlength=layer.rows)
    if activity.shape != (layer.columns,) or not np.all((activity >= 0) & (activity <= 1)):
        raise InputError(
            f"activity of layer {layer.name!r} must have shape ({layer.columns},) and values from "
            f"0 to 1, not shape {activity.shape}"
        )
    return np.bincount(layer.indices, activity[layer.column_of_entry()], layer.rows)


def _dealt_in_turn(heaviest_first: npt.NDArray[np.int64], pes: int) -> npt.NDArray[np.int64]:
    rows = len(heaviest_first)
    slots = np.arange(rows)
    turn, pe = np.divmod(slots, pes)
    # The last turn may be short; it must fill the first PEs so that slots stay without gaps.
    backwards = (turn % 2 == 1) & (turn < rows // pes)
    slots = np.where(backwards, turn * pes + pes - 1 - pe, slots)
    slot_of_row = np.empty(rows, np.int64)
    slot_of_row[heaviest_first] = slots
    return slot_of_row


def _dealt_to_lightest(
    work: npt.NDArray[np.int64] | npt.NDArray[np.float64],
    heaviest_first: npt.NDArray[np.int64],
    pes: int,
) -> npt.NDArray[np.int64]:
    """PE of each row. Slots have no gaps, so the first PEs have room for a row more."""
    rows = len(work)
    room = [-(-(rows - pe) // pes) for pe in range(pes)]
    lightest: list[tuple[float, int]] = [(0, pe) for pe in range(pes) if room[pe]]
    pe_of_row = np.empty(rows, np.int64)
    for row in heaviest_first.tolist():
        load, pe = heapq.heappop(lightest)
        pe_of_row[row] = pe
        room[pe] -= 1
        if room[pe]:
            heapq.heappush(lightest, (load + work[row], pe))
    return pe_of_row


def _swapped(
    pe_of_row: npt.NDArray[np.int64],
    work: npt.NDArray[np.int64] | npt.NDArray[np.float64],
    pes: int,
) -> npt.NDArray[np.int64]:
    """Swap rows between the PEs with most and least work while that lowers the most."""
    load = np.bincount(pe_of_row, work, pes)
    for _ in range(_SWAPS_PER_PE * pes):
        most, least = int(np.argmax(load)), int(np.argmin(load))
        heavy, light = np.flatnonzero(pe_of_row == most), np.flatnonzero(pe_of_row == least)
        if not len(light):
            break
        light = light[np.argsort(work[light], kind="stable")]
        # The best partner of a row weighs half of the difference less: the nearest from both sides.
        wanted = work[heavy] - (load[most] - load[least]) / 2
        above = np.searchsorted(work[light], wanted)
        partners = np.stack([above - 1, above]).clip(0, len(light) - 1)
        moved = work[heavy] - work[light[partners]]
        after = np.maximum(load[most] - moved, load[least] + moved)
        side, row = np.unravel_index(int(np.argmin(after)), after.shape)
        if after[side, row] >= load[most]:
            break
        one, other = heavy[row], light[partners[side, row]]
        pe_of_row[one], pe_of_row[other] = least, most
        load[most] -= moved[side, row]
        load[least] += moved[side, row]
    return pe_of_row


def _slots(pe_of_row: npt.NDArray[np.int64], pes: int) -> npt.NDArray[np.int64]:
    """Slots of rows on given PEs; the rows of a PE stay in their natural order."""
    by_pe = np.argsort(pe_of_row, kind="stable")
    counts = np.bincount(pe_of_row, minlength=pes)
    starts = np.cumsum(counts) - counts
    local = np.arange(len(by_pe)) - np.repeat(starts, counts)
    slot_of_row = np.empty(len(by_pe), np.int64)
    slot_of_row[by_pe] = local * pes + pe_of_row[by_pe]
    return slot_of_row
