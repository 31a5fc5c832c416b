"""The kernel never stops, however its DMA pauses; and a kernel that does is found out."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import (
    DeadlockError,
    DeviceTimeoutError,
    InputError,
    PacketError,
    ToolError,
)
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import STATUS, Kind, Status, build_packet, parse_packet
from eie.hls.tools.compiled_kernel import CompiledKernel
from eie.host.packing.packer import pack

# Kernels are broken here on purpose, which is said of them.
pytestmark = pytest.mark.filterwarnings("ignore:.* holds code that this eie did not generate")

PROPERTY = settings(max_examples=8, deadline=None, derandomize=True)


Stall = tuple[int, int, int]


def adversarial_packets(design: Design, random_network) -> list[bytes]:
    """Loads and runs in which one PE has all the work, or none has any, and bad packets between."""
    random = np.random.default_rng(5)
    packets = [build_packet(Kind.COUNTERS, 0)]
    for seed, (shape, density) in enumerate(
        [((40, 60, 33, 7), 0.5), ((70, 17), 0.0), ((1, 64, 1, 64), 1.0), ((200, 1), 1.0)]
    ):
        packed = pack(random_network(*shape, seed=seed, density=density, magnitude=900), design)
        load = packed.load_packet(1)
        # More vectors than the ring holds, with and without work, in no regular order.
        inputs = random.integers(-3000, 3000, (11, shape[0])).astype(np.int16)
        inputs[[1, 5, 6]], inputs[2] = 0, np.where(np.arange(shape[0]) % 16, 0, 1)
        run = packed.run_packet(inputs, 2)
        packets += [load[:-64], run, load, run, run[:-40], run[:-8] + bytes(16), run]
        packets += [build_packet(Kind.COUNTERS, 3), build_packet(Kind.IDENTIFY, 4)]
    return packets


@pytest.fixture(scope="session")
def stalled_kernel(grid_design, build, project_of, random_network):
    """Give (ask, packets, answers): ask(stall_in, stall_out) sends the packets.

    Queues are from 2 to 32 deep, in front of one PE, of trees of one level and of two.
    """
    program = build(project_of(grid_design), ["kernel/eie.cpp", "stalled.cpp"])
    packets = adversarial_packets(grid_design, random_network)
    emulator = Emulator(grid_design)
    answers = [emulator.process(packet) for packet in packets]

    def ask(stall_in: Stall, stall_out: Stall) -> list[bytes]:
        lines = [f"stall packets_in {' '.join(map(str, stall_in))}"]
        lines += [f"stall packets_out {' '.join(map(str, stall_out))}"]
        for packet in packets:
            beats = np.frombuffer(packet, "<u8").tolist()
            lines.append(f"packet {' '.join(f'{beat:x}' for beat in beats)}")
        done = subprocess.run(
            [str(program)],
            input="\n".join(lines) + "\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return [
            np.array([int(beat, 16) for beat in line.split()[1:]], "<u8").tobytes()
            for line in done.stdout.splitlines()
        ]

    return ask, packets, answers


def without_counters(packets: Sequence[bytes], answers: Sequence[bytes]) -> list[bytes]:
    """Answers but those to counters: a kernel whose streams stall takes more cycles."""
    kinds = [packet[5] for packet in packets]
    return [answer for kind, answer in zip(kinds, answers, strict=True) if kind != Kind.COUNTERS]


def test_without_stalls_everything_is_equal(stalled_kernel) -> None:
    ask, _, answers = stalled_kernel
    assert ask((0, 0, 1), (0, 0, 1)) == answers


@PROPERTY
@given(data=st.data())
def test_stalls_change_nothing_but_cycles(stalled_kernel, stall_patterns, data) -> None:
    ask, packets, answers = stalled_kernel
    given_answers = ask(data.draw(stall_patterns, "in"), data.draw(stall_patterns, "out"))
    assert without_counters(packets, given_answers) == without_counters(packets, answers)


@pytest.mark.parametrize("side", ["in", "out"])
def test_a_slow_dma_on_one_side(stalled_kernel, side) -> None:
    """One cycle in fifty, so that everything inside fills up, or runs dry."""
    ask, packets, answers = stalled_kernel
    slow, fast = (9, 49, 50), (0, 0, 1)
    given_answers = ask(slow, fast) if side == "in" else ask(fast, slow)
    assert without_counters(packets, given_answers) == without_counters(packets, answers)


# Seeded bugs: each must be found out, or the tests above say little ----------------------------


@pytest.fixture
def broken(tmp_path: Path, project_of, small, open_kernel) -> Callable[..., CompiledKernel]:
    """Give broken(path, old, new, **options): a kernel in whose `path` `old` became `new`."""
    kernels = []

    def make(path: str, old: str, new: str, **options: object) -> CompiledKernel:
        project = tmp_path / "project"
        shutil.copytree(project_of(small), project)
        source = project / path
        text = source.read_text()
        assert text.count(old) == 1
        source.write_text(text.replace(old, new))
        kernels.append(open_kernel(project, **options))
        return kernels[-1]

    yield make
    for kernel in kernels:
        kernel.close()


@pytest.fixture
def load_and_run(random_network, small) -> tuple[bytes, Callable[[int], bytes]]:
    """A load, and a function that makes a run of as many vectors as told."""
    packed = pack(random_network(9, 20, 5, magnitude=900), small)
    return packed.load_packet(1), lambda vectors: packed.run_packet(
        np.ones((vectors, 9), np.int16), 2
    )


def is_gone(kernel: CompiledKernel) -> bool:
    """Whether the kernel's program has ended."""
    return kernel._process.poll() is not None


def test_a_gather_that_drops_the_last_element_is_a_deadlock(broken, load_and_run) -> None:
    kernel = broken(
        "kernel/gather.h",
        "if (round == 3 || kind == kEnd) out.write(Results<4 * kBits>{kind, values});",
        "if (round == 3 && kind == kValue) out.write(Results<4 * kBits>{kind, values});",
    )
    with pytest.raises(DeadlockError, match=r"'collect' blocked reading empty stream 'words\[0\]'"):
        kernel.process(load_and_run[0])
    assert is_gone(kernel)


@pytest.fixture
def deaf(broken, load_and_run) -> CompiledKernel:
    """A kernel whose sender does not read the outputs, with a network."""
    kernel = broken(
        "kernel/send.h", "have = outputs.read_nb(next);", "have = true, next.values = 0;"
    )
    kernel.process(load_and_run[0])
    return kernel


def test_outputs_that_nobody_reads_are_a_deadlock(deaf, load_and_run) -> None:
    load, run = load_and_run
    # More words of results than the stream holds.
    with pytest.raises(DeadlockError, match="'collect' blocked writing full stream 'outputs'"):
        deaf.process(run(40))
    assert is_gone(deaf)
    with pytest.raises(ToolError, match="has ended; start a new one"):
        deaf.process(load)


def test_elements_left_behind_are_an_error(deaf, load_and_run) -> None:
    with pytest.raises(ToolError, match="left in its streams\n  stream 'outputs'"):
        deaf.process(load_and_run[1](3))
    assert is_gone(deaf)


def test_a_crash_is_an_error(broken, load_and_run) -> None:
    kernel = broken("simulation/server.cpp", "    try {\n", "    try {\n      std::abort();\n")
    with pytest.raises(ToolError, match="crashed"):
        kernel.process(load_and_run[0])
    assert is_gone(kernel)


def test_an_endless_loop_is_a_time_out(broken, load_and_run) -> None:
    kernel = broken(
        "simulation/server.cpp",
        "    try {\n",
        "    try {\n      for (;;) std::fflush(stdout);\n",
        timeout=0.5,
    )
    with pytest.raises(DeviceTimeoutError, match=r"did not answer within 0\.5 s"):
        kernel.process(load_and_run[0])
    assert is_gone(kernel)


def test_an_error_is_not_the_end_of_the_next_kernel(
    project_of, small, open_kernel, load_and_run
) -> None:
    with open_kernel(project_of(small)) as kernel:
        answer = parse_packet(kernel.process(load_and_run[0]))
        assert STATUS.parse(answer.payload)["status"] == Status.OK
    assert is_gone(kernel)
    kernel.close()


def test_an_empty_packet_is_refused(project_of, small, open_kernel) -> None:
    with (
        open_kernel(project_of(small)) as kernel,
        pytest.raises(PacketError, match="at least one byte, not 0"),
    ):
        kernel.process(b"")


def test_a_folder_without_a_kernel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must be a generated project: it has no kernel/eie\.cpp"):
        CompiledKernel(tmp_path)


def test_a_kernel_that_does_not_compile_says_where(tmp_path: Path, project_of, small) -> None:
    project = tmp_path / "project"
    shutil.copytree(project_of(small), project)
    (project / "kernel" / "eie.h").write_text("#error out of order\n")
    with pytest.raises(ToolError, match=r"could not compile kernel/eie\.cpp:(.|\n)*out of order"):
        CompiledKernel(project)


def test_no_compiler_is_an_error(project_of, small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ToolError, match=r"needs a C\+\+ compiler"):
        CompiledKernel(project_of(small))


def test_no_arithmetic_headers_is_an_error(
    project_of, small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EIE_AP_TYPES", str(tmp_path))
    with pytest.raises(ToolError, match=r"no ap_int\.h in .*EIE_AP_TYPES"):
        CompiledKernel(project_of(small))
