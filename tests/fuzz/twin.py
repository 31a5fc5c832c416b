"""A compiled kernel in lock-step with the emulator: the same packets, and the same answers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DeadlockError, DeviceTimeoutError, EieError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.tools.compiled_kernel import CompiledKernel
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.run_tags import RunTags
from eie.host.project.generate import generate
from eie.host.protocol.engine import Engine
from fuzz.valid_packet import status_of
from fuzz.verdict import Fault, Usage, no_crash, where

#: Of each kind of pointers, entries and memory, and one for recurrent layers, the last; small, so
#: that packets are short and limits near.
DESIGNS = tuple(
    Design(
        pes=pes,
        rows_per_pe=64 // pes,
        biases_per_pe=128 // pes,
        entries_per_pe=2048 // pes,
        pointers_per_pe=256,
        hidden_activations=64,
        **{"layers": 4} | others,  # type: ignore[arg-type]
    )
    for pes, others in (
        (1, {"accumulator_bits": 48}),
        (2, {"length_bits": 5, "index_bits": 3, "accumulator_bits": 40, "queue_depth": 2}),
        (4, {"length_bits": 7, "index_bits": 5, "accumulator_bits": 40, "result_depth": 5}),
        (2, {"memory": "uram", "accumulator_bits": 32, "queue_depth": 3}),
        (2, {"layers": 8, "held_activations": 192, "cell_units": 2, "bounds": 1}),
    )
)


class Twin:
    """Two engines of one design.

    Parameters
    ----------
    design
        Of both.
    start
        Starts the compiled kernel.
    """

    def __init__(self, design: Design, start: Callable[[], Engine]) -> None:
        self.design = design
        self._start = start
        self._kernel: Engine | None = None
        self._emulator = Emulator(design)
        #: What kernels took that have ended.
        self._before = Usage()

    def ask(self, packet: bytes) -> bytes:
        """Give the answer of both.

        Raises
        ------
        Fault
            If one of them gives no answer, or they differ.
        """
        if self._kernel is None:
            self._kernel, self._emulator = self._start(), Emulator(self.design)
        answer = self._of_kernel(self._kernel, packet)
        said = status_of(answer).name
        try:
            with no_crash("emulator"):
                expected = self._emulator.process(packet)
        except EieError as error:
            what = f"the emulator raises {where(error)} where the kernel answers {said}"
            raise Fault("disagreement", what, str(error)) from error
        if answer != expected:
            emulated = status_of(expected).name
            if said != emulated:
                raise Fault("disagreement", f"kernel {said}, emulator {emulated}")
            raise Fault("disagreement", f"answers differ behind the status {said}")
        return answer

    def compare_registers(self) -> None:
        """Hold the registers of both against each other."""
        if self._kernel is not None and self._kernel.registers != self._emulator.registers:
            detail = f"{self._kernel.registers}, {self._emulator.registers}"
            raise Fault("disagreement", "registers differ", detail)

    def _of_kernel(self, kernel: Engine, packet: bytes) -> bytes:
        try:
            return kernel.process(packet)
        except DeadlockError as error:
            raise Fault("hang", "the kernel's dataflow region stops", str(error)) from error
        except DeviceTimeoutError as error:
            raise Fault("hang", "the compiled kernel does not answer", str(error)) from error
        except EieError as error:
            raise Fault(
                "crash", f"the compiled kernel ends: {str(error)[:60]!r}", str(error)
            ) from error

    def load(self, packed: PackedNetwork) -> None:
        """Load a network that must be taken."""
        said = status_of(self.ask(packed.load_packet(1)))
        if said.name != "OK":
            raise Fault("wrong refusal", f"a sound load was answered {said.name}")

    def run(
        self,
        packed: PackedNetwork,
        inputs: npt.NDArray[np.int16],
        tags: RunTags | None = None,
    ) -> npt.NDArray[np.int16]:
        """Outputs of a batch that must be taken."""
        answer = self.ask(packed.run_packet(inputs, 2, tags))
        said = status_of(answer)
        if said.name != "OK":
            raise Fault("wrong refusal", f"a sound run was answered {said.name}")
        # Header and trailer, and the status before it.
        return packed.read_outputs(np.frombuffer(answer, "<u8")[2:-2])

    def usage(self) -> Usage:
        """What the compiled kernels took that this twin has had so far."""
        process = getattr(self._kernel, "_process", None)
        took = Usage() if process is None else _usage(process.pid)
        return Usage(
            max(self._before.peak_bytes, took.peak_bytes), self._before.seconds + took.seconds
        )

    def close(self) -> None:
        """End both; the next packet starts them again."""
        if self._kernel is not None:
            self._before = self.usage()
            self._kernel.close()
            self._kernel = None


def _usage(pid: int) -> Usage:
    """What a process took; nothing if it is no more."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        # Behind the name, which may have blanks: user and system time are fields 14 and 15.
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    except OSError:
        return Usage()
    peak = re.search(r"VmHWM:\s*(\d+) kB", status)
    seconds = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    return Usage(int(peak[1]) * 1024 if peak else 0, seconds)


class Twins(Sequence[Twin]):
    """A twin for each design, started when it is first asked."""

    def __init__(self, twins: Sequence[Twin]) -> None:
        self._twins = tuple(twins)

    @classmethod
    def of_projects(cls, folder: Path, timeout: float) -> Twins:
        """Take the projects that :func:`prepare` made in `folder`."""

        def start(number: int) -> Callable[[], Engine]:
            return lambda: CompiledKernel(folder / str(number), timeout=timeout)

        return cls([Twin(design, start(number)) for number, design in enumerate(DESIGNS)])

    def __getitem__(self, number: int) -> Twin:  # type: ignore[override]
        return self._twins[number]

    def __len__(self) -> int:
        return len(self._twins)

    def __iter__(self) -> Iterator[Twin]:
        return iter(self._twins)

    def usage(self) -> Usage:
        """What the kernels took, all together."""
        each = [twin.usage() for twin in self]
        return Usage(max(one.peak_bytes for one in each), sum(one.seconds for one in each))

    def reset(self) -> None:
        """End all kernels; each starts again when it is asked."""
        for twin in self:
            twin.close()

    close = reset


def prepare(folder: Path) -> None:
    """Generate and compile the designs' projects in `folder`."""
    for number, design in enumerate(DESIGNS):
        project = generate(design, folder / str(number))
        CompiledKernel(project).close()
