"""Slots of the rows of an LSTM or a GRU: four gates side by side, and every PE with all gates.

Unit number ``u`` of the order has the slots ``4 u`` to ``4 u + 3``, so that a word of results holds
whole units however many PEs there are. At place ``p`` stands gate ``(p + r) mod 4``, where ``r`` is
the local row of the unit's first slot: the gates of trained networks differ in density by up to
four to one, and a PE with one kind of gate alone would have that much more to do. What is left to
choose is the order of units. Four PEs have the same units, each with another gate of them, and
only a unit's group of PEs and its rotation count; so units are dealt to (group, rotation), and
swapped while that lowers the heaviest PE.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from eie.hls.spec.cell import GATES, gate_slots

__all__ = ["order_units", "unit_slots"]

#: Swaps at most, for each PE.
_SWAPS_PER_PE = 24
#: Units of the heaviest group, and units elsewhere, that a swap is sought among.
_CANDIDATES, _PARTNERS = 64, 2048

_Work: TypeAlias = "npt.NDArray[np.floating[Any]]"  # text: NumPy 1.21 takes no [Any]


def unit_slots(place_of_unit: npt.NDArray[np.int64], pes: int) -> npt.NDArray[np.int64]:
    """Slot of each row.

    Parameters
    ----------
    place_of_unit
        int64, shape (units,): number of each unit in the order, a permutation.
    pes
        Number of PEs.

    Returns
    -------
    ndarray of int64, shape (4 * units,)
        Slots of the rows in torch's order: gate after gate.
    """
    slots: npt.NDArray[np.int64] = gate_slots(len(place_of_unit), pes)[place_of_unit].T.ravel()
    return slots


def order_units(work: _Work, pes: int) -> npt.NDArray[np.int64]:
    """Choose the order of units that evens the work of the PEs out.

    Parameters
    ----------
    work
        Shape (4, units): what each gate of each unit has to do, such as its number of weights.
    pes
        Number of PEs.

    Returns
    -------
    ndarray of int64, shape (units,)
        Number of each unit in the order, a permutation.
    """
    units = work.shape[1]
    groups = pes // GATES
    if groups < 1 or units <= 1:
        # One PE or two: a gate is where it is, whatever the order.
        return np.arange(units)
    bin_of_place = np.arange(units) % (groups * GATES)  # group, then rotation
    turns = (np.arange(GATES)[:, None] + np.arange(GATES)) % GATES
    rolled = work.T[:, turns].astype(np.float64)  # unit, rotation, place
    bin_of_unit = _dealt(rolled, np.bincount(bin_of_place, minlength=groups * GATES), groups)
    _swap(rolled, bin_of_unit, groups)
    # Within a bin any order does: units keep theirs.
    order = np.empty(units, np.int64)
    order[np.argsort(bin_of_unit, kind="stable")] = np.argsort(bin_of_place, kind="stable")
    return order


def _dealt(
    rolled: npt.NDArray[np.float64], room: npt.NDArray[np.int64], groups: int
) -> npt.NDArray[np.int64]:
    """Bin of each unit: from the one with most work on, where it meets least."""
    room = room.reshape(GATES, groups).copy()  # rotation, group
    load = np.zeros((groups, GATES))
    bin_of_unit = np.empty(len(rolled), np.int64)
    for unit in np.argsort(-rolled[:, 0].sum(axis=1), kind="stable"):
        meets = rolled[unit] @ load.T  # rotation, group
        meets[room == 0] = np.inf
        place = int(np.argmin(meets))
        rotation, group = divmod(place, groups)
        room[rotation, group] -= 1
        load[group] += rolled[unit, rotation]
        bin_of_unit[unit] = place
    return bin_of_unit


def _swap(rolled: npt.NDArray[np.float64], bin_of_unit: npt.NDArray[np.int64], groups: int) -> None:
    """Swap units between bins while that lowers the heaviest PE."""
    units = np.arange(len(rolled))
    load = np.zeros((groups, GATES))
    np.add.at(load, bin_of_unit % groups, rolled[units, bin_of_unit // groups])
    dice = np.random.default_rng(0)
    for _ in range(_SWAPS_PER_PE * groups * GATES):
        group, place = divmod(int(np.argmax(load)), GATES)
        mine = np.flatnonzero(bin_of_unit % groups == group)
        if len(mine) > _CANDIDATES:
            mine = np.sort(dice.choice(mine, _CANDIDATES, replace=False))
        theirs = units
        if len(units) > _PARTNERS:
            theirs = np.sort(dice.choice(units, _PARTNERS, replace=False))
        here, there = bin_of_unit[mine], bin_of_unit[theirs]
        same = there % groups == group
        # What each of the four PEs has after the swap, on the heaviest's side and on the other.
        leaves, comes = rolled[mine, here // groups], rolled[theirs][:, here // groups]
        after = load[group] - leaves[None] + comes
        far_leaves = rolled[theirs, there // groups]
        far_comes = rolled[mine][:, there // groups].transpose(1, 0, 2)
        far = load[there % groups][:, None] - far_leaves[:, None] + far_comes
        # Within the group both changes meet the same PEs.
        both = after + far - load[group]
        after, far = (np.where(same[:, None, None], both, each) for each in (after, far))
        peak = np.maximum(after.max(axis=2), far.max(axis=2))
        best = int(np.argmin(peak))
        if peak.flat[best] >= load[group, place]:
            break
        other, one = divmod(best, len(mine))
        load[group] = after[other, one]
        load[there[other] % groups] = far[other, one]
        bin_of_unit[mine[one]], bin_of_unit[theirs[other]] = there[other], here[one]
