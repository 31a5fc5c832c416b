"""The copy of the vendor's headers that tests compile with says what synthesis leaves undefined."""

from __future__ import annotations

import signal
import subprocess

import pytest
from strict_ap_types import PATTERN


@pytest.fixture(scope="module")
def program(project_of, small, build) -> str:
    return str(build(project_of(small), ["strict_headers.cpp"]))


def run(program: str, which: str, by: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, which, "x" * by], capture_output=True, text=True, check=False, timeout=60
    )


def test_what_has_no_value_holds_a_pattern(program) -> None:
    (fresh, shifted) = run(program, "l", 2).stdout.splitlines()
    narrow, wide, field = map(int, fresh.split())
    word = int.from_bytes(bytes([PATTERN]) * 9, "little")
    assert narrow == word & 0xFFF
    assert wide & (1 << 70) - 1 == word & (1 << 70) - 1
    assert field == PATTERN
    assert int(shifted) == 20


@pytest.mark.parametrize(("which", "width"), [("l", 12), ("r", 12), ("ll", 70), ("rr", 70)])
def test_a_shift_too_far_ends_the_program(program, which, width) -> None:
    assert run(program, which, width - 1).returncode == 0
    done = run(program, which, width)
    assert done.returncode == -signal.SIGABRT
    assert done.stderr == f"a shift by {width} of a number of {width} bits\n"
