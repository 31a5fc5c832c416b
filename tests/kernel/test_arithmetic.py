"""Write-back and CRC of the kernel against those of the host and of zlib."""

from __future__ import annotations

import subprocess
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, MAX_SHIFT, write_back

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.fixture(scope="session", params=[24, 40, 48])
def calculator(request, build, project_of, small):
    """Give (accumulator bits, calculate): calculate(lines) evaluates lines of arithmetic.cpp."""
    design = small.replace(accumulator_bits=request.param)
    program = build(project_of(design), ["arithmetic.cpp"])

    def calculate(lines: list[str]) -> list[int]:
        done = subprocess.run(
            [str(program)],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            check=True,
        )
        return [int(line) for line in done.stdout.split()]

    return request.param, calculate


def check_write_back(calculator, sums: list[int], shift: int, relu: bool) -> None:
    _, calculate = calculator
    results = calculate([f"write_back {value} {shift} {int(relu)}" for value in sums])
    assert results == write_back(np.array(sums, np.int64), shift, relu=relu).tolist()


@pytest.mark.parametrize("relu", [False, True])
def test_write_back_at_every_shift_and_edge(calculator, relu) -> None:
    """Zero, ties on both sides of it, both ends of the code, both ends of the accumulator."""
    bits, _ = calculator
    # Half of the last place is added to a positive sum, and must fit with it.
    for shift in range(min(MAX_SHIFT, bits - 2) + 1):
        half = (1 << shift) >> 1
        edges = [0, half, -half, CODE_MAX << shift, (CODE_MIN << shift) - half]
        edges += [(CODE_MAX << shift) + half, 1 << (bits - 2), -(1 << (bits - 1))]
        sums = {edge + step for edge in edges for step in (-1, 0, 1)}
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1 - half
        check_write_back(calculator, sorted(s for s in sums if low <= s <= high), shift, relu)


@PROPERTY
@given(data=st.data())
def test_write_back_of_any_sum(calculator, data) -> None:
    bits, _ = calculator
    shift = data.draw(st.integers(0, min(MAX_SHIFT, bits - 2)), "shift")
    high = (1 << (bits - 1)) - 1 - ((1 << shift) >> 1)
    sums = data.draw(st.lists(st.integers(-(1 << (bits - 1)), high), min_size=1), "sums")
    check_write_back(calculator, sums, shift, data.draw(st.booleans(), "relu"))


@PROPERTY
@given(crc=st.integers(0, 2**32 - 1), data=st.integers(0, 2**64 - 1))
def test_crc_of_any_beat(calculator, crc, data) -> None:
    """zlib takes and gives the CRC with all bits inverted."""
    _, calculate = calculator
    lines = [f"crc {bits} {crc ^ 0xFFFFFFFF} {data}" for bits in (32, 64)]
    expected = [zlib.crc32(data.to_bytes(8, "little")[:size], crc) for size in (4, 8)]
    assert [each ^ 0xFFFFFFFF for each in calculate(lines)] == expected
