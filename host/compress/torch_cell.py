"""The cell in torch integers: what :mod:`eie.hls.spec.cell` says, computed in another way.

Only the table is the same one. Numpy looks a sum up whole; here every step of the arithmetic is
done, on int64, so that both are held against each other over every code.
"""

from __future__ import annotations

import torch

from eie.hls.spec.cell import (
    CHORDS,
    GRU_STATE_FRAC,
    LSTM_STATE_FRAC,
    RESULT_FRAC,
    RISE_BITS,
    STATE_BITS,
    SUM_FRAC,
    VALUE_BITS,
    tanh_table,
)
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN

__all__ = ["gru_step", "lstm_step", "sigmoid", "tanh"]

#: Fraction bits of a gate; of what tanh takes; and of those the ones within a chord.
_GATE, _ARGUMENT, _WITHIN = 16, 18, 12
#: Fraction bits of a point of a chord.
_POINT = VALUE_BITS + _WITHIN
assert CHORDS << _WITHIN == 8 << _ARGUMENT and RISE_BITS < VALUE_BITS


def sigmoid(sums: torch.Tensor) -> torch.Tensor:
    """Logistic function of int64 sums with 11 fraction bits, to results with 15."""
    return _result(_drop(_sigmoid(sums), _POINT + 1 - RESULT_FRAC))


def tanh(sums: torch.Tensor) -> torch.Tensor:
    """Hyperbolic tangent of int64 sums with 11 fraction bits, to results with 15."""
    return _result(_drop(_point(sums << (_ARGUMENT - SUM_FRAC)), _POINT - RESULT_FRAC))


def lstm_step(gates: torch.Tensor, c: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Take units of an LSTM a step further.

    Parameters
    ----------
    gates
        int64 sums with 11 fraction bits, shape (4, ...): i, f, g, o.
    c
        int64, shape (...): state of 24 bits with 18 fraction bits.

    Returns
    -------
    h, c
        int64, shape (...): results with 15 fraction bits, and the state after the step.
    """
    i, f, o = (_sigmoid_gate(gates[place]) for place in (0, 1, 3))
    g = _tanh_gate(gates[2] << (_ARGUMENT - SUM_FRAC))
    c = _drop(f * c + (i * g << (LSTM_STATE_FRAC - _GATE)), _GATE)
    c = c.clamp(-(1 << (STATE_BITS - 1)), (1 << (STATE_BITS - 1)) - 1)
    return _result(_drop(o * _tanh_gate(c), 2 * _GATE - RESULT_FRAC)), c


def gru_step(gates: torch.Tensor, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Take units of a GRU a step further.

    Parameters
    ----------
    gates
        int64 sums with 11 fraction bits, shape (4, ...): r, z, n_x, n_h.
    h
        int64, shape (...): state of 24 bits with 22 fraction bits.

    Returns
    -------
    results, h
        int64, shape (...): h with 15 fraction bits, and with 22.
    """
    r, z = _sigmoid_gate(gates[0]), _sigmoid_gate(gates[1])
    of_x = gates[2] << (_ARGUMENT - SUM_FRAC)
    of_h = _drop(r * gates[3], _GATE + SUM_FRAC - _ARGUMENT)
    n = _tanh_gate(of_x + of_h) << (GRU_STATE_FRAC - _GATE)
    h = n + _drop(z * (h - n), _GATE)
    return _result(_drop(h, GRU_STATE_FRAC - RESULT_FRAC)), h


def _point(argument: torch.Tensor) -> torch.Tensor:
    """Tanh with 32 fraction bits of an argument with 18."""
    values, rises = (torch.tensor(table) for table in tanh_table())
    size = argument.abs().clamp(max=(CHORDS << _WITHIN) - 1)
    chord, within = size >> _WITHIN, size & ((1 << _WITHIN) - 1)
    return argument.sign() * ((values[chord] << _WITHIN) + rises[chord] * within)


def _sigmoid(sums: torch.Tensor) -> torch.Tensor:
    """Sigmoid with 33 fraction bits: half of 1 plus tanh of half the sum."""
    return (1 << _POINT) + _point(sums << (_ARGUMENT - SUM_FRAC - 1))


def _sigmoid_gate(sums: torch.Tensor) -> torch.Tensor:
    return _drop(_sigmoid(sums), _POINT + 1 - _GATE)


def _tanh_gate(argument: torch.Tensor) -> torch.Tensor:
    return _drop(_point(argument), _POINT - _GATE)


def _drop(values: torch.Tensor, bits: int) -> torch.Tensor:
    """Drop fraction bits, half up."""
    return (values + (1 << (bits - 1))) >> bits


def _result(values: torch.Tensor) -> torch.Tensor:
    return values.clamp(CODE_MIN, CODE_MAX)
