"""Write-back and CRC of the kernel against those of the host and of zlib."""

from __future__ import annotations

import subprocess
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, MAX_SHIFT, WriteBack, write_back_counted
from eie.host.network import Layer
from eie.host.packing.packer import accumulator_bits_needed

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.fixture(scope="session", params=[24, 40, 48])
def calculator(request, build, project_of, small):
    """Give (accumulator bits, calculate): calculate(lines) evaluates lines of arithmetic.cpp."""
    return request.param, evaluator(build, project_of, small, request.param, bounds=1)


@pytest.fixture(scope="session")
def plain_calculator(build, project_of, small):
    """As `calculator`, of a design that knows no bounds but a ReLU's."""
    return 40, evaluator(build, project_of, small, 40, bounds=0)


@pytest.fixture(scope="session")
def narrow_calculator(build, project_of, small):
    """Give calculate(lines): evaluates lines of narrow_accumulators.cpp."""
    return evaluator(build, project_of, small, 48, bounds=1, driver="narrow_accumulators.cpp")


def evaluator(build, project_of, small, bits: int, bounds: int, driver: str = "arithmetic.cpp"):
    design = small.replace(accumulator_bits=bits, bounds=bounds)
    program = build(project_of(design), [driver])

    def calculate(lines: list[str]) -> list[list[int]]:
        done = subprocess.run(
            [str(program)],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            check=True,
        )
        return [[int(word) for word in line.split()] for line in done.stdout.splitlines()]

    return calculate


#: No bounds, a ReLU, one of 6 as 8 bits have it, bounds that no code meets but one.
BOUNDS = ((CODE_MIN, CODE_MAX), (0, CODE_MAX), (-128, 127), (0, 96), (5, 5))
#: Every rule of rounding and bounds, but for the shift.
RULES = tuple((half_even, low, high) for half_even in (False, True) for low, high in BOUNDS)


def rule_of(shift: int, rule) -> WriteBack:
    half_even, low, high = rule
    return WriteBack(shift, low, high, half_even=half_even)


def words_of(rule: WriteBack) -> str:
    return f"{rule.shift} {int(rule.half_even)} {rule.low} {rule.high}"


def expected_of(sums: list[int], rule: WriteBack) -> list[list[int]]:
    """What write-back gives, each with 1 if it was saturated: the rule in Python's integers."""
    expected = []
    for value in sums:
        whole, rest = divmod(value, 1 << rule.shift)
        tie = 2 * rest == 1 << rule.shift
        up = 2 * rest > 1 << rule.shift or (tie and (whole % 2 == 1 or not rule.half_even))
        rounded = whole + up
        code = min(max(rounded, rule.low), rule.high)
        cut = (code != rounded) and code in (CODE_MIN, CODE_MAX)
        expected.append([code, int(cut)])
    mine, count = write_back_counted(np.array(sums, np.int64), rule)
    assert mine.tolist() == [code for code, _ in expected]
    assert count == sum(mark for _, mark in expected)
    return expected


def check_write_back(calculator, sums: list[int], rule: WriteBack) -> None:
    _, calculate = calculator
    results = calculate([f"write_back {value} {words_of(rule)}" for value in sums])
    assert results == expected_of(sums, rule)


def ends_of(bits: int, shift: int) -> list[int]:
    """Sums around all that matters: zero, ties, ends of the codes, ends of the accumulator."""
    half = (1 << shift) >> 1
    edges = [0, half, -half, CODE_MAX << shift, (CODE_MIN << shift) - half]
    edges += [(CODE_MAX << shift) + half, 1 << (bits - 2)]
    edges += [-(1 << (bits - 1)), (1 << (bits - 1)) - 1 - half, (1 << (bits - 1)) - 1]
    sums = {edge + step for edge in edges for step in (-1, 0, 1)}
    return sorted(s for s in sums if -(1 << (bits - 1)) <= s < 1 << (bits - 1))


def allowed(sums: list[int], bits: int, shift: int) -> list[int]:
    """Those of `sums` for which the packer's proof says that `bits` bits are enough."""
    layer = Layer.from_dense_codes(
        "layer",
        np.zeros((len(sums), 1), np.uint8),
        codebook=np.zeros(16, np.int16),
        bias=np.array(sums, np.int64),
        input_frac=min(shift, 31),
        weight_frac=max(shift - 31, 0),
        output_frac=0,
    )
    needed = accumulator_bits_needed(layer)
    return [value for value, enough in zip(sums, needed <= bits, strict=True) if enough]


def check_narrow(calculate, sums_of) -> int:
    """Give every sum that is allowed to the C++; returns how many there were."""
    lines, expected = [], []
    for bits, rule, sums in sums_of:
        taken = allowed(sums, bits, rule.shift)
        lines += [f"{bits} {value} {words_of(rule)}" for value in taken]
        expected += expected_of(taken, rule)
    assert calculate(lines) == expected
    return len(lines)


def test_every_sum_that_the_proof_allows_in_a_narrow_accumulator(narrow_calculator) -> None:
    """All widths up to 9 bits, all shifts, all sums, ties up and to even, bounds and none."""
    widths = range(2, 10)
    met = check_narrow(
        narrow_calculator,
        (
            (bits, rule_of(shift, rule), list(range(-(1 << (bits - 1)), 1 << (bits - 1))))
            for bits in widths
            for shift in range(MAX_SHIFT + 1)
            for rule in RULES[:: len(BOUNDS) - 1]
        ),
    )
    # What does not overflow is allowed: sums up to the half below the largest. The half itself must
    # fit, too: nothing is allowed from a shift of the width on.
    assert met == sum(
        (1 << bits) - ((1 << shift) >> 1)
        for bits in widths
        for shift in range(bits)
        for _ in RULES[:: len(BOUNDS) - 1]
    )


def test_the_ends_of_what_the_proof_allows_at_every_width_and_shift(narrow_calculator) -> None:
    """All widths of a design, all shifts, the sums next to all limits."""
    met = check_narrow(
        narrow_calculator,
        (
            (bits, rule_of(shift, RULES[(bits + shift) % len(RULES)]), ends_of(bits, shift))
            for bits in range(24, 49)
            for shift in range(MAX_SHIFT + 1)
        ),
    )
    assert met > 10_000


@pytest.mark.parametrize("rule", RULES)
def test_write_back_at_every_shift_and_edge(calculator, rule) -> None:
    """Zero, ties on both sides of it, both ends of the code, both ends of the accumulator."""
    bits, _ = calculator
    for shift in range(MAX_SHIFT + 1):
        sums = allowed(ends_of(bits, shift), bits, shift)
        check_write_back(calculator, sums, rule_of(shift, rule))


@pytest.mark.parametrize("rule", [(False, CODE_MIN, CODE_MAX), (False, 0, CODE_MAX)])
def test_write_back_without_bounds(plain_calculator, rule) -> None:
    """A design that has none does with a ReLU, or without one, what those that have them do."""
    bits, _ = plain_calculator
    for shift in range(MAX_SHIFT + 1):
        sums = allowed(ends_of(bits, shift), bits, shift)
        check_write_back(plain_calculator, sums, rule_of(shift, rule))


@PROPERTY
@given(data=st.data())
def test_write_back_of_any_sum(calculator, data) -> None:
    bits, _ = calculator
    shift = data.draw(st.integers(0, MAX_SHIFT), "shift")
    rule = rule_of(shift, data.draw(st.sampled_from(RULES), "rule"))
    any_sum = st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    sums = data.draw(st.lists(any_sum, min_size=1), "sums")
    check_write_back(calculator, allowed(sums, bits, shift), rule)


@PROPERTY
@given(crc=st.integers(0, 2**32 - 1), data=st.integers(0, 2**64 - 1))
def test_crc_of_any_beat(plain_calculator, crc, data) -> None:
    """zlib takes and gives the CRC with all bits inverted; a design changes nothing about it."""
    _, calculate = plain_calculator
    lines = [f"crc {bits} {crc ^ 0xFFFFFFFF} {data}" for bits in (32, 64)]
    expected = [zlib.crc32(data.to_bytes(8, "little")[:size], crc) for size in (4, 8)]
    assert [each ^ 0xFFFFFFFF for (each,) in calculate(lines)] == expected
