"""The generated test bench: golden packets pass, and nothing else does."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from eie.hls.spec.design import Design
from eie.hls.tools.gxx import compile_program
from eie.host.project.generate import generate
from eie.host.project.golden import golden_packets

Bench = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def project(project_of, small) -> Path:
    return project_of(small)


@pytest.fixture(scope="module")
def golden(project: Path) -> str:
    return (project / "testbench" / "golden" / "packets.txt").read_text()


@pytest.fixture(scope="module")
def bench(build, project: Path) -> Bench:
    """Give bench(*arguments): the test bench, run in the project's folder."""
    program = build(project, ["kernel/eie.cpp", "testbench/testbench.cpp"])

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program), *map(str, arguments)],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture
def altered(tmp_path: Path, bench: Bench) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Give altered(text): the test bench on other golden packets."""

    def run(text: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "packets.txt").write_text(text)
        return bench(tmp_path)

    return run


def test_golden_packets_are_answered_right(bench: Bench, golden: str) -> None:
    count = len(re.findall("^exchange", golden, re.M))
    assert count > 10
    for arguments in ((), ("testbench/golden",)):
        done = bench(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"{count} of {count} answers are right\n"


@pytest.mark.parametrize("name", ["identify", "run_dense", "counters", "damaged_header"])
def test_an_altered_answer_is_found(altered, golden: str, name: str) -> None:
    pattern = re.compile(rf"(exchange {name}\nrequest .*\nanswer (?:\S+ ){{2}})(\S+)")
    assert len(pattern.findall(golden)) == 1
    done = altered(pattern.sub(lambda found: f"{found[1]}{int(found[2], 16) ^ 1:x}", golden))
    assert done.returncode == 1
    assert f"{name}: " in done.stderr
    assert "first difference in beat 2, got 0x" in done.stderr


def test_an_answer_that_is_too_short_or_too_long_is_found(altered, golden: str) -> None:
    shorter = re.sub(r"(exchange run_dense\n.*\nanswer .*) \S+\n", r"\1\n", golden)
    done = altered(shorter)
    assert done.returncode == 1
    assert re.search(r"run_dense: (\d+) beats, expected (?!\1)\d+", done.stderr)
    longer = re.sub(r"(exchange run_dense\n.*\nanswer .*)\n", r"\1 0\n", golden)
    assert altered(longer).returncode == 1


def test_every_wrong_answer_counts(altered, golden: str) -> None:
    done = altered(re.sub(r"^answer \S+", "answer 1", golden, flags=re.M))
    count = len(re.findall("^exchange", golden, re.M))
    assert done.returncode == count
    assert done.stdout == f"0 of {count} answers are right\n"


def test_a_request_that_the_kernel_must_refuse_is_not_passed_by_chance(altered, golden) -> None:
    done = altered(re.sub(r"(exchange load\nrequest \S+ \S+ \S+ \S+ )\S+", r"\g<1>0", golden))
    assert done.returncode > 1
    assert "load: " in done.stderr


def test_missing_packets_are_an_error(bench: Bench, tmp_path: Path) -> None:
    done = bench(tmp_path / "nowhere")
    assert done.returncode == 1
    assert "cannot read" in done.stderr


@pytest.mark.parametrize("text", ["", "# nothing\n", "request 1\n", "exchange a\nwhat 1\n"])
def test_packets_that_say_nothing_are_an_error(altered, text: str) -> None:
    done = altered(text)
    assert done.returncode == 1
    assert done.stderr


@pytest.mark.parametrize(
    "design",
    [
        Design(pes=1),
        Design(pes=256),
        Design(pes=1, entries_per_pe=8, pointers_per_pe=4, rows_per_pe=16, biases_per_pe=16),
        Design(pes=4, accumulator_bits=24),
        Design(pes=4, hidden_activations=16),
    ],
    ids=["1pe", "256pe", "tiny", "24bit", "hidden16"],
)
def test_every_design_has_golden_packets(design: Design) -> None:
    text = golden_packets(design)
    assert text == golden_packets(design)
    names = re.findall(r"^exchange (\w+)$", text, re.M)
    assert len(set(names)) == len(names) == 17
    assert len(text) < 4_000_000


def test_sanitizers_find_nothing(tmp_path: Path) -> None:
    """Addresses, overflow and undefined behaviour, over all golden packets.

    Compiled as `eie simulate` compiles, not with shared objects. detect_stack_use_after_return
    keeps red zones around what coroutines have on their stacks.
    """
    design = Design(
        pes=2, entries_per_pe=512, pointers_per_pe=128, rows_per_pe=64, biases_per_pe=128, layers=4
    )
    project = generate(design, tmp_path / "project")
    program = tmp_path / "bench"
    flags = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    # The vendor's integers extend signs by shifting negative numbers left.
    flags += ["-fno-sanitize=shift-base"]
    compile_program(project, ["kernel/eie.cpp", "testbench/testbench.cpp"], program, flags=flags)
    done = subprocess.run(
        [str(program)],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
        env={"ASAN_OPTIONS": "detect_stack_use_after_return=1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "17 of 17 answers are right\n"
