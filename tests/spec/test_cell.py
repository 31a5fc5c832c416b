"""The integer cell: against the real functions, against Python's integers, and at its ends."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from eie.hls.spec import cell
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, WriteBack, bound

PROPERTY = settings(max_examples=200, deadline=None, derandomize=True)
CODES = np.arange(CODE_MIN, CODE_MAX + 1).astype(np.int16)
SUMS = CODES / 2**cell.SUM_FRAC
STATE_MIN, STATE_MAX = -(1 << 23), (1 << 23) - 1


def logistic(values):
    return 1 / (1 + np.exp(-values))


# The rule once more, a unit at a time in Python's integers. ------------------------------------


def rounded(value: int, bits: int) -> int:
    """Floor of the quotient and a half."""
    return (2 * value + 2**bits) // 2 ** (bits + 1)


def tanh_32(argument: int) -> int:
    """From 18 fraction bits to 32."""
    values, rises = cell.tanh_table()
    size = min(abs(argument), 2**21 - 1)
    risen = (int(values[size // 4096]) * 4096) + int(rises[size // 4096]) * (size % 4096)
    return -risen if argument < 0 else risen


def sigmoid_gate(code: int) -> int:
    return rounded(2**32 + tanh_32(code * 64), 17)


def tanh_gate(argument: int) -> int:
    return rounded(tanh_32(argument), 16)


def cut(value: int, bits: int) -> int:
    return min(max(value, -(1 << (bits - 1))), (1 << (bits - 1)) - 1)


def lstm_unit(gates: list[int], c: int) -> tuple[int, int]:
    i, f, o = (sigmoid_gate(gates[place]) for place in (0, 1, 3))
    g = tanh_gate(gates[2] * 128)
    c = cut(rounded(f * c + 4 * i * g, 16), 24)
    return cut(rounded(o * tanh_gate(c), 17), 16), c


def gru_unit(gates: list[int], h: int) -> tuple[int, int]:
    r, z = sigmoid_gate(gates[0]), sigmoid_gate(gates[1])
    n = 64 * tanh_gate(128 * gates[2] + rounded(r * gates[3], 9))
    h = rounded(z * (h - n), 16) + n
    return cut(rounded(h, 7), 16), h


# -----------------------------------------------------------------------------------------------


def test_the_table_is_the_same_on_every_machine() -> None:
    """Whoever changes it changes every answer; no value is near a tie that a libm could tip."""
    values, rises = cell.tanh_table()
    assert (len(values), len(rises)) == (cell.CHORDS, cell.CHORDS)
    assert values.min() == 0 < values.max() < 2**cell.VALUE_BITS
    assert rises.min() >= 0
    assert rises.max() < 2**cell.RISE_BITS
    # The last one is level: what is beyond may be anywhere on it, in numpy and in C++.
    assert rises[-1] == 0
    assert (values[:-1] + rises[:-1] == values[1:]).all()
    assert zlib.crc32(np.stack([values, rises]).astype("<u4").tobytes()) == 0x103DB5DE


def test_errors_of_the_functions_over_every_code() -> None:
    """The bounds are those that docs/decisions/0031 states, to a digit that the code has."""
    errors = {
        "sigmoid gate": abs(cell._sigmoid_gates()[CODES] / 2**16 - logistic(SUMS)).max(),
        "tanh gate": abs(cell._tanh_gates()[CODES] / 2**16 - np.tanh(SUMS)).max(),
        "sigmoid": abs(cell.sigmoid(CODES) / 2**15 - logistic(SUMS)).max(),
        "tanh": abs(cell.tanh(CODES) / 2**15 - np.tanh(SUMS)).max(),
    }
    assert {name: f"{error:.2g}" for name, error in errors.items()} == {
        "sigmoid gate": "1.4e-05",
        "tanh gate": "2e-05",
        # 2^-15: where 1 is cut to 32767.
        "sigmoid": "3e-05",
        "tanh": "3.1e-05",
    }
    states = np.arange(STATE_MIN, STATE_MAX, 7)
    assert abs(cell._tanh_gate(states) / 2**16 - np.tanh(states / 2**18)).max() < 1.96e-5


@pytest.mark.parametrize("function", [cell.sigmoid, cell.tanh])
def test_functions_never_fall_and_meet_their_ends(function) -> None:
    results = function(CODES)
    assert results.dtype == np.int16
    assert (np.diff(results.astype(int)) >= 0).all()
    ends = {code: int(function(np.array([code], np.int16))[0]) for code in (CODE_MIN, 0, CODE_MAX)}
    if function is cell.sigmoid:
        assert ends == {CODE_MIN: 0, 0: 2**14, CODE_MAX: 32767}
    else:
        assert ends == {CODE_MIN: -32768, 0: 0, CODE_MAX: 32767}


def test_functions_of_every_code_are_the_rule() -> None:
    codes = CODES.tolist()
    assert cell.sigmoid(CODES).tolist() == [
        cut(rounded(2**32 + tanh_32(code * 64), 18), 16) for code in codes
    ]
    assert cell.tanh(CODES).tolist() == [
        cut(rounded(tanh_32(code * 128), 17), 16) for code in codes
    ]


GATES = st.lists(st.integers(CODE_MIN, CODE_MAX), min_size=4, max_size=4)


@PROPERTY
@given(gates=GATES, state=st.integers(STATE_MIN, STATE_MAX))
def test_steps_are_the_rule(gates, state) -> None:
    array, states = np.array([gates], np.int16), np.array([state], np.int32)
    for step, unit in ((cell.lstm_step, lstm_unit), (cell.gru_step, gru_unit)):
        results, after = step(array, states)
        assert (results.dtype, after.dtype) == (np.int16, np.int32)
        assert (int(results[0]), int(after[0])) == unit(gates, state)


def test_a_state_of_an_lstm_saturates_and_one_of_a_gru_stays_where_it_is() -> None:
    """c at both ends; h' lies between h and n, even if h was none that a GRU reaches."""
    keep = np.array([[CODE_MAX, CODE_MAX, CODE_MAX, CODE_MAX]] * 2, np.int16)
    keep[1, 2] = CODE_MIN
    ends = np.array([STATE_MAX, STATE_MIN], np.int32)
    results, after = cell.lstm_step(keep, ends)
    assert (results.tolist(), after.tolist()) == ([32767, -32768], ends.tolist())
    random = np.random.default_rng(1)
    gates = random.integers(CODE_MIN, CODE_MAX + 1, (10_000, 4)).astype(np.int16)
    h = random.integers(STATE_MIN, STATE_MAX + 1, 10_000).astype(np.int32)
    _, after = cell.gru_step(gates, h)
    assert (after <= np.maximum(h, 1 << 22)).all()
    assert (after >= np.minimum(h, -1 << 22)).all()
    for end in (1 << 22, -1 << 22):
        _, after = cell.gru_step(gates, np.full(10_000, end, np.int32))
        assert abs(after).max() <= 1 << 22


def test_steps_are_near_the_real_cells() -> None:
    """A step of each from states that nets reach, against double precision."""
    random = np.random.default_rng(2)
    gates = random.integers(CODE_MIN, CODE_MAX + 1, (100_000, 4)).astype(np.int16)
    real = gates / 2**cell.SUM_FRAC
    i, f, o = (logistic(real[:, gate]) for gate in (0, 1, 3))
    for largest, of_c, of_h in ((12, 1.6e-4, 1.2e-4), (31, 4.2e-4, 2.5e-4)):
        c = random.integers(-(largest << 18), largest << 18, 100_000).astype(np.int32)
        results, after = cell.lstm_step(gates, c)
        exact = f * (c / 2**18) + i * np.tanh(real[:, 2])
        assert abs(after / 2**18 - exact).max() < of_c
        assert abs(results / 2**15 - o * np.tanh(exact)).max() < of_h
    h = random.integers(-(1 << 22), 1 << 22, 100_000).astype(np.int32)
    results, after = cell.gru_step(gates, h)
    r, z = (logistic(real[:, gate]) for gate in (0, 1))
    n = np.tanh(real[:, 2] + r * real[:, 3])
    exact = n + z * (h / 2**22 - n)
    assert abs(after / 2**22 - exact).max() < 1.6e-4
    assert abs(results / 2**15 - exact).max() < 1.6e-4


@PROPERTY
@given(codes=arrays.arrays(np.int16, 20), slope=st.integers(0, 65535))
def test_leaky_relu_is_that_of_write_back(codes, slope) -> None:
    rule = WriteBack(0, slope=slope)
    wide = codes.astype(np.int64)
    assert cell.leaky_relu(codes, slope).tolist() == bound(wide, wide, rule)[0].tolist()


@pytest.mark.parametrize("pes", [1, 2, 4, 8, 16, 64])
def test_gates_are_dealt_to_every_pe(pes) -> None:
    """Each slot once; a PE has rows of all gates wherever there are rows enough."""
    units = 4 * pes
    slots = cell.gate_slots(units, pes)
    assert np.sort(slots.ravel()).tolist() == list(range(4 * units))
    assert (slots // 4 == np.arange(units)[:, None]).all()
    for unit in range(units):
        rotation = (4 * unit // pes) % 4
        for place in range(4):
            assert slots[unit, (place + rotation) % 4] == 4 * unit + place
    for pe in range(pes):
        counts = [(slots[:, gate] % pes == pe).sum() for gate in range(4)]
        # Two PEs get two gates each: their rows are even and odd places, whatever the rotation.
        assert len(set(counts)) == (2 if pes == 2 else 1)
