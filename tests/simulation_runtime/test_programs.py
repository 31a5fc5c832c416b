"""Streams in arrays, memory, sanitizers, and the macros that kernels use."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Compile = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]
Scenario = Callable[..., dict[str, str]]


def test_arrays_of_streams_have_depths_and_names(scenario: Scenario) -> None:
    result = scenario("arrays")
    assert result["cycles"] == "5"
    names = [f"stream 'queue[{i}]' (depth 3, fill 0, written 1, read 1)" for i in range(4)]
    names.append("stream 'mesh[1][0]' (depth 1, fill 0, written 0, read 0)")
    assert result["names"].splitlines() == names
    assert result["default"] == "stream 'plain' (depth 2, fill 0, written 0, read 0)"


def test_external_stream_grows_and_keeps_order(scenario: Scenario) -> None:
    assert scenario("growth") == {"ordered": "1", "elements": str(199 * 200 // 2)}


def test_many_regions_reuse_their_stacks(scenario: Scenario) -> None:
    # A producer of four elements and two streams behind it: six cycles.
    result = scenario("many_regions", 10_000)
    assert result == {"cycles": "60000", "new_pages": "0"}


def test_processes_have_deep_stacks_of_their_own(scenario: Scenario) -> None:
    result = scenario("deep_stack")
    assert (result["first"], result["second"]) == ("400", "500")


@pytest.mark.parametrize(("heap", "kind"), [(1, "heap"), (0, "stack")])
def test_sanitizer_sees_errors_inside_processes(
    compile_program: Compile, run_program: Run, heap: int, kind: str
) -> None:
    program = compile_program("scenarios.cpp", "sanitized")
    assert run_program(program, "overflow", 3, heap).returncode == 0
    done = run_program(program, "overflow", 4, heap)
    assert done.returncode != 0
    assert f"{kind}-buffer-overflow" in done.stderr


#: The vendor's arithmetic headers set some bits from values that are not set yet.
VENDOR_FLAGS = ("-Wno-uninitialized", "-Wno-maybe-uninitialized")
MACRO_OUTPUT = " ".join(f"{3 * (100 + i) + 7}{'!' if i == 8 else ''}" for i in range(9))


@pytest.mark.parametrize("build", ["fortified", "sanitized"])
def test_macros_make_processes_of_calls_with_commas(
    compile_program: Compile, run_program: Run, build: str
) -> None:
    done = run_program(compile_program("macros.cpp", build, *VENDOR_FLAGS))
    assert done.returncode == 0, done.stderr
    # Nine beats, and a cycle for each of the two streams between the three processes.
    assert done.stdout == f"{MACRO_OUTPUT} in 11 cycles\n"


def test_macros_name_processes_by_their_functions(
    compile_program: Compile, run_program: Run
) -> None:
    done = run_program(compile_program("macros.cpp", "fortified", *VENDOR_FLAGS), "too few beats")
    assert [line.split(" (depth")[0] for line in done.stdout.splitlines()[1:]] == [
        "  process 'scale<9, (2 > 1) ? 3 : 1>' blocked reading empty stream 'values'",
        "  process 'send<9>' blocked reading empty stream 'lanes[2]'",
    ]


def test_macros_are_plain_calls_for_synthesis(compile_program: Compile, run_program: Run) -> None:
    # The kernel's #pragma HLS lines are for the synthesis tool alone.
    program = compile_program(
        "macros.cpp", "fortified", *VENDOR_FLAGS, "-DPLAIN_CALLS", "-Wno-unknown-pragmas"
    )
    assert run_program(program).stdout == f"{MACRO_OUTPUT} in 0 cycles\n"


def test_benchmark_runs(compile_program: Compile, run_program: Run) -> None:
    done = run_program(compile_program("benchmark.cpp"), 100)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4
