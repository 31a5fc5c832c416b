"""The cell: sigmoid, tanh, LeakyReLU and a step of LSTM or GRU, in integers.

These are the functions of a layer (:class:`eie.hls.spec.packets.Function`) that the process
``cell`` of the kernel computes from the codes that write-back gives. Here is their one definition,
on whole arrays; ``templates/kernel/cell.h`` says the same in C++, with the table from here, and
tests hold both against each other bit by bit.

Numbers, by their fraction bits:

========================================== ==== ======== =====================================
what                                       bits fraction range
========================================== ==== ======== =====================================
sum: what write-back gives, also of a gate 16   11       -16 to 16
gate i, f, o, r, z: a sigmoid              17   16       0 to 1, both exactly
gate g, n: a tanh                          18   16       -1 to 1, both exactly
LSTM's state c                             24   18       -32 to 32, saturating
GRU's state h                              24   22       -1 to 1, from a state in that range
result: h, or a plain sigmoid or tanh      16   15       -1 to 1 - 2^-15: 1 becomes 32767
========================================== ==== ======== =====================================

Everything is rounded half up: half of the last place is added, then the rest cut off. Of a result
-1 is exact and 1 is not: it is cut to 32767, as every int16 of 15 fraction bits must be. That is
not counted as a saturated value, nor is c at its ends: what counts is the sum written back.

**The table.** tanh on [0, 8) in 512 chords: of each the value where it begins, in 20 bits, and how
far it rises, in 14. The chords join, and lie so that their error is the same to both sides; the
first one begins at 0. So tanh is exact at 0, never falls, and from 8 on is 1 when rounded to 16
bits. sigmoid(x) = (1 + tanh(x / 2)) / 2 comes from the same table, and negative arguments by sign.
Errors against the real functions are in ``tests/spec/test_cell.py``, measured over every code.

Numpy alone, as on a board.
"""

from __future__ import annotations

import functools
import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, SLOPE_BITS

__all__ = [
    "ARGUMENT_FRAC",
    "CHORDS",
    "GATES",
    "GATE_FRAC",
    "GRU_STATE_FRAC",
    "LSTM_STATE_FRAC",
    "PLACE_BITS",
    "RESULT_FRAC",
    "RISE_BITS",
    "STATE_BITS",
    "SUM_FRAC",
    "VALUE_BITS",
    "gate_slots",
    "gru_step",
    "leaky_relu",
    "lstm_step",
    "sigmoid",
    "tanh",
    "tanh_table",
]

#: Fraction bits of the sums that a function takes, and of its results.
SUM_FRAC, RESULT_FRAC = 11, 15
#: Width of a unit's state, and its fraction bits.
STATE_BITS, LSTM_STATE_FRAC, GRU_STATE_FRAC = 24, 18, 22
#: Gates of a unit: i, f, g, o of an LSTM; r, z, n_x, n_h of a GRU, whose n is made of two sums.
GATES = 4

#: Chords of the table, over arguments from 0 to 8.
CHORDS = 512
#: Bits, all of them fraction bits, of the value where a chord begins, and of its rise.
VALUE_BITS, RISE_BITS = 20, 14

#: Fraction bits of a gate.
GATE_FRAC = 16
#: Fraction bits of an argument of tanh, and those of them that are a place on a chord.
ARGUMENT_FRAC, PLACE_BITS = 18, 12
#: Fraction bits of what a chord gives.
_TANH_FRAC = VALUE_BITS + PLACE_BITS
#: Arguments from here on are taken as this one: just below 8.
_LARGEST_ARGUMENT = (CHORDS << PLACE_BITS) - 1
_STATE_MAX = (1 << (STATE_BITS - 1)) - 1

#: Integers wide enough for every step: int64.
_Wide: TypeAlias = npt.NDArray[np.int64]


@functools.cache
def tanh_table() -> tuple[_Wide, _Wide]:
    """Give the table: where each chord begins, and how far it rises.

    Returns
    -------
    values, rises
        int64 of shape (512,), both with 20 fraction bits: values of 20 bits, rises of 14. Read
        only.
    """
    step = 8 / CHORDS
    ends = [math.tanh(step * place) for place in range(CHORDS + 1)]
    # How far tanh bulges above each chord between two of its points: most in the middle.
    bulges = [
        math.tanh(step * (place + 0.5)) - (ends[place] + ends[place + 1]) / 2
        for place in range(CHORDS)
    ]
    # Raised by half of that, chords err as much to one side as to the other. Where two meet, it is
    # the mean of both; tanh is odd, so the first one begins at 0.
    raised = [
        ends[place] + (bulges[place - 1] + bulges[min(place, CHORDS - 1)]) / 4
        for place in range(1, CHORDS + 1)
    ]
    largest = (1 << VALUE_BITS) - 1
    points = np.array([0, *(min(round(each * 2**VALUE_BITS), largest) for each in raised)])
    values, rises = points[:-1].astype(np.int64), np.diff(points).astype(np.int64)
    for table in (values, rises):
        table.flags.writeable = False
    return values, rises


def gate_slots(units: int, pes: int) -> npt.NDArray[np.int64]:
    """Say where the gates of each unit stand among a layer's rows, in their order in the array.

    Slots ``4 u`` to ``4 u + 3`` belong to unit ``u``. At place ``p`` of them stands gate
    ``(p + r) mod 4``, where ``r = (4 u div pes) mod 4`` is the local row of the first, mod 4: so
    each PE has rows of all gates, whose densities differ.

    Parameters
    ----------
    units
        Units of the layer.
    pes
        Processing elements, a power of two.

    Returns
    -------
    ndarray of int64, shape (units, 4)
        The slot of each gate, in torch's order. ``results[..., gate_slots(units, pes)]`` are the
        gates that :func:`lstm_step` and :func:`gru_step` take.
    """
    first = GATES * np.arange(units, dtype=np.int64)
    rotation = first // pes % GATES
    gates = np.arange(GATES, dtype=np.int64)
    slots: npt.NDArray[np.int64] = first[:, None] + (gates - rotation[:, None]) % GATES
    return slots


def sigmoid(sums: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Apply the logistic function: sums with 11 fraction bits to results with 15, any shape."""
    results: npt.NDArray[np.int16] = _sigmoid_results()[sums]
    return results


def tanh(sums: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Apply the hyperbolic tangent: sums with 11 fraction bits to results with 15, any shape."""
    results: npt.NDArray[np.int16] = _tanh_results()[sums]
    return results


def leaky_relu(codes: npt.NDArray[np.int16], slope: int) -> npt.NDArray[np.int16]:
    """Multiply negative codes by a slope, rounded half up.

    Parameters
    ----------
    codes
        Rounded sums, cut to 16 bits; any shape and fraction bits.
    slope
        In units of ``2**-16``: 0 to 65535.

    Returns
    -------
    ndarray of int16, same shape
    """
    leaked = _round(codes.astype(np.int32) * np.int64(slope), SLOPE_BITS)
    return np.where(codes < 0, leaked, codes).astype(np.int16)


def lstm_step(
    gates: npt.NDArray[np.int16], c: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int32]]:
    """Take units of an LSTM a step further.

    ``c' = sat(f c + i g)`` and ``h = sat(o tanh(c'))``, each rounded once.

    Parameters
    ----------
    gates
        Sums of the gates, shape (..., units, 4) in torch's order i, f, g, o; 11 fraction bits.
    c
        State before the step, shape (..., units); 24 bits, 18 of them fraction bits.

    Returns
    -------
    h, c
        Results with 15 fraction bits, and the state after the step; shape (..., units).
    """
    i, f, o = (_sigmoid_gates()[gates[..., gate]] for gate in (0, 1, 3))
    g = _tanh_gates()[gates[..., 2]]
    # Both products with as many fraction bits as f c has.
    total = f * c + ((i * g) << (LSTM_STATE_FRAC - GATE_FRAC))
    after = np.clip(_round(total, GATE_FRAC), -_STATE_MAX - 1, _STATE_MAX)
    h = _round(o * _tanh_gate(after), 2 * GATE_FRAC - RESULT_FRAC)
    return _result(h), after.astype(np.int32)


def gru_step(
    gates: npt.NDArray[np.int16], h: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int32]]:
    """Take units of a GRU a step further, in torch's definition (ONNX: linear_before_reset).

    ``n = tanh(n_x + r n_h)`` and ``h' = n + z (h - n)``. A mean of h and n lies between them, so a
    state that begins within -1 and 1 stays there and nothing is cut off.

    Parameters
    ----------
    gates
        Sums of the gates, shape (..., units, 4) in the order r, z, n_x, n_h; 11 fraction bits.
    h
        State before the step, shape (..., units); 24 bits, 22 of them fraction bits.

    Returns
    -------
    results, h
        h with 15 fraction bits in 16, and with 22 in 24; shape (..., units).
    """
    r, z = (_sigmoid_gates()[gates[..., gate]] for gate in (0, 1))
    n_x, n_h = gates[..., 2].astype(np.int64), gates[..., 3].astype(np.int64)
    more = ARGUMENT_FRAC - SUM_FRAC
    n = _tanh_gate((n_x << more) + _round(r * n_h, GATE_FRAC - more))
    n <<= GRU_STATE_FRAC - GATE_FRAC
    after = n + _round(z * (h - n), GATE_FRAC)
    return _result(_round(after, GRU_STATE_FRAC - RESULT_FRAC)), after.astype(np.int32)


def _round(values: _Wide, bits: int) -> _Wide:
    """Drop `bits` fraction bits, half up."""
    return (values + (1 << (bits - 1))) >> bits


def _result(values: _Wide) -> npt.NDArray[np.int16]:
    """Cut to 16 bits."""
    return np.clip(values, CODE_MIN, CODE_MAX).astype(np.int16)


def _tanh(arguments: _Wide) -> _Wide:
    """From 18 fraction bits to 32, both with sign."""
    values, rises = tanh_table()
    size = np.minimum(np.abs(arguments), _LARGEST_ARGUMENT)
    chord = size >> PLACE_BITS
    place = size & ((1 << PLACE_BITS) - 1)
    risen = (values[chord] << PLACE_BITS) + rises[chord] * place
    return np.where(arguments < 0, -risen, risen)


def _tanh_gate(arguments: _Wide) -> _Wide:
    """From 18 fraction bits to a gate."""
    return _round(_tanh(arguments), _TANH_FRAC - GATE_FRAC)


# A sum has 65,536 codes only, so functions of one are looked up whole: numpy counts negative ones
# from the table's end.


def _of_every_code(more: int) -> _Wide:
    """Give tanh of every code with `more` fraction bits added: those from 0 up, then negatives."""
    codes = np.concatenate([np.arange(CODE_MAX + 1), np.arange(CODE_MIN, 0)]).astype(np.int64)
    return _tanh(codes << more)


def _whole_tanh() -> _Wide:
    return _of_every_code(ARGUMENT_FRAC - SUM_FRAC)


def _whole_sigmoid() -> _Wide:
    """Give sigmoid with 33 fraction bits: half the argument has one bit less to be shifted by."""
    return (1 << _TANH_FRAC) + _of_every_code(ARGUMENT_FRAC - SUM_FRAC - 1)


@functools.cache
def _sigmoid_gates() -> _Wide:
    return _round(_whole_sigmoid(), _TANH_FRAC + 1 - GATE_FRAC)


@functools.cache
def _tanh_gates() -> _Wide:
    return _round(_whole_tanh(), _TANH_FRAC - GATE_FRAC)


@functools.cache
def _sigmoid_results() -> npt.NDArray[np.int16]:
    return _result(_round(_whole_sigmoid(), _TANH_FRAC + 1 - RESULT_FRAC))


@functools.cache
def _tanh_results() -> npt.NDArray[np.int16]:
    return _result(_round(_whole_tanh(), _TANH_FRAC - RESULT_FRAC))
