"""The accumulator hazard: reads that come before an earlier write of the same row is done.

`hazard.cpp` runs the kernel's accumulate() on a memory whose writes are late by a number of
iterations, as a pipeline's are.

Is the history of sums long enough, given that it ages with *writes* while the memory commits with
*time*? Padding entries, rows that do not exist and iterations without work add nothing, so they do
not age the history; the memory commits through them. Take a read of row r in iteration j, and the
latest write to r before it, in iteration i. Either at most kWriteLatency - 1 other writes came
between: then it is still in the history, and as the youngest of its row it is what is forwarded,
whether the memory has it already or not. Or at least kWriteLatency others came between, each in an
iteration of its own: then j - i > kWriteLatency, and the memory has it. Idle iterations only make
j - i larger, so leaving them out is on the safe side. The sequences below have them.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.spec.design import Design

PROPERTY = settings(max_examples=60, deadline=None, derandomize=True)
#: (row, product), or None for an iteration that adds nothing.
Iteration = tuple[int, int] | None
ROWS = 128


#: Of accumulators in LUTs, and in block RAM.
WRITE_LATENCIES = (3, 4)


@pytest.fixture(scope="module", params=[0, 1], ids=["in LUTs", "in block RAM"])
def design(request, small) -> Design:
    """Give the small design with its accumulators in either memory."""
    return small.replace(spare_luts=request.param)


@pytest.fixture(scope="module")
def late(design) -> int:
    """Give the iterations that miss a write."""
    assert design.write_latency == WRITE_LATENCIES[design.spare_luts]
    return design.write_latency


@pytest.fixture(scope="module")
def accumulate(build, project_of, design) -> Callable[..., list[int]]:
    """Give accumulate(iterations, latency, forwarding=True): the sum of every row."""
    assert design.rows_per_pe == ROWS
    program = build(project_of(design), ["hazard.cpp"])

    def run(iterations: Sequence[Iteration], latency: int, *, forwarding: bool = True) -> list[int]:
        lines = ["idle" if each is None else f"{each[0]} {each[1]}" for each in iterations]
        done = subprocess.run(
            [str(program), str(latency), str(int(forwarding))],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            check=True,
        )
        return [int(line) for line in done.stdout.split()]

    return run


def exact(iterations: Sequence[Iteration]) -> list[int]:
    sums = [0] * ROWS
    for each in iterations:
        if each is not None:
            sums[each[0]] += each[1]
    return sums


#: Columns of one entry each, all in the same row.
SAME_ROW = [(5, 1 + index) for index in range(40)]
#: Few rows, so that nearly every read comes soon after a write.
SEQUENCES = st.lists(
    st.one_of(
        st.none(),
        st.tuples(st.integers(0, 3), st.integers(-(2**31), 2**31 - 1)),
        st.tuples(st.integers(0, ROWS - 1), st.integers(-(2**31), 2**31 - 1)),
    ),
    max_size=60,
)


def test_columns_of_one_entry_are_exact_up_to_the_latency(accumulate, late) -> None:
    for latency in range(late + 1):
        assert accumulate(SAME_ROW, latency) == exact(SAME_ROW)


def row_again_after(distance: int) -> list[Iteration]:
    """Row 0 twice, `distance` iterations apart, with other rows between."""
    between = [(1 + index, 7) for index in range(distance - 1)]
    return [(0, 100), *between, (0, 10)]


@pytest.mark.parametrize("distance", range(1, max(WRITE_LATENCIES) + 4))
def test_every_distance_is_exact(accumulate, late, distance) -> None:
    iterations = row_again_after(distance)
    assert accumulate(iterations, late) == exact(iterations)


def test_one_more_iteration_of_latency_is_too_many(accumulate, late) -> None:
    """So the constant is neither larger than needed here, nor is the memory too kind."""
    iterations = row_again_after(late + 1)
    assert accumulate(iterations, late + 1) != exact(iterations)


def test_without_forwarding_columns_of_one_entry_are_wrong(accumulate, late) -> None:
    for latency in range(1, late + 1):
        assert accumulate(SAME_ROW, latency, forwarding=False) != exact(SAME_ROW)


def test_without_forwarding_an_immediate_memory_is_exact(accumulate) -> None:
    assert accumulate(SAME_ROW, 0, forwarding=False) == exact(SAME_ROW)


@PROPERTY
@given(iterations=SEQUENCES, latency=st.integers(0, max(WRITE_LATENCIES)))
def test_any_sequence_is_exact(accumulate, late, iterations, latency) -> None:
    assert accumulate(iterations, min(latency, late)) == exact(iterations)


@pytest.mark.parametrize("idle", range(1, max(WRITE_LATENCIES) + 2))
def test_idle_iterations_do_not_age_the_history_but_the_memory(accumulate, late, idle) -> None:
    """A forwarded sum may long be in the memory: it is the same sum."""
    iterations = [(0, 100), *[None] * idle, (0, 10), (1, 3), *[None] * idle, (0, 1)]
    for latency in range(late + 1):
        assert accumulate(iterations, latency) == exact(iterations)


def test_the_pragma_names_the_first_distance_that_is_not_forwarded(
    project_of, design, late
) -> None:
    """The tool must keep a write that many iterations before the read, or refuse."""
    text = (project_of(design) / "kernel" / "multiply_accumulate.h").read_text()
    pragmas = re.findall(r"#pragma HLS DEPENDENCE (.*)", text)
    assert pragmas == [
        f"variable = sums_{bank} inter RAW distance = {late + 1} true" for bank in (0, 1)
    ]
