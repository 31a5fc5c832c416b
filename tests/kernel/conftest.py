"""Generated projects, their compiled programs, and kernels side by side with the emulator.

Compiling is what takes time here. Objects are kept in a folder that all processes of a test run
share, by a hash of what they are made of, so that a kernel is compiled once however many programs
it is linked to and however many test processes use it. Headers of the library and of the vendor are
compiled beforehand, once for each set of flags: 1.6 CPU seconds of each object.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import strategies as st

import eie.hls.tools.gxx
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import STATUS, Kind, Status, build_packet, parse_packet
from eie.hls.tools.compiled_kernel import CompiledKernel
from eie.hls.tools.gxx import make_command, make_folder
from eie.host.network import Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack
from eie.host.project.generate import generate

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # cpp_reader.py
Codes = npt.NDArray[np.int16]


@pytest.fixture(scope="session")
def shared_folder(run_folder: Path) -> Path:
    """A folder for objects that all processes of this test run share."""
    folder = run_folder / "kernel"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def build(shared_folder: Path) -> Callable[..., Path]:
    """Give build(project, sources, flags=()): the path of a program, compiled at most once.

    Sources are paths in the project, or of a driver in this folder.
    """
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed")

    def make(name: str, key: bytes, target: str, flags: Sequence[str], folder: Path) -> Path:
        made = shared_folder / f"{name}-{hashlib.sha256(key).hexdigest()[:24]}"
        with _locked(made.with_suffix(".lock")):
            if not made.exists():
                run(make_command(target, flags), folder)
                keep(folder / "made" / target, made)
        return made

    def run(command: Sequence[str], folder: Path) -> None:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def keep(file: Path, place: Path) -> None:
        partial = place.with_suffix(".partial")
        shutil.copy2(file, partial)
        partial.replace(place)

    def build_program(project: Path, sources: Sequence[str], flags: Sequence[str] = ()) -> Path:
        plain = [*flags, "-Idrivers"]
        headers = [*project.glob("*/*.h"), *HERE.glob("*.h"), project / "Makefile"]
        common = b"".join(header.read_bytes() for header in sorted(headers))

        def compile_prelude() -> list[str]:
            """Give the options that use it: g++ looks for a header's name with .gch behind it."""
            text = (HERE / "prelude.cpp").read_bytes()
            as_header = [*plain, "-x", "c++-header"]
            key = "\0".join(plain).encode() + text + (project / "Makefile").read_bytes()
            made = make("prelude", key, "drivers/prelude.o", as_header, folder)
            with contextlib.suppress(FileExistsError):
                made.with_name(f"{made.name}.gch").symlink_to(made.name)
            return ["-include", str(made)]

        def compile_one(source: str) -> Path:
            path = Path(source if (project / source).exists() else f"drivers/{source}")
            key = "\0".join([*plain, source]).encode() + common + (folder / path).read_bytes()
            return make(path.stem, key, str(path.with_suffix(".o")), options, folder)

        with make_folder(project, drivers=HERE) as folder:
            options = [*plain, *compile_prelude()]
            with ThreadPoolExecutor() as pool:
                objects = list(pool.map(compile_one, sources))
            key = "\0".join([*flags, *(file.name for file in objects)]).encode()
            program = shared_folder / f"program-{hashlib.sha256(key).hexdigest()[:24]}"
            with _locked(program.with_suffix(".lock")):
                if not program.exists():
                    # Nothing was made here where every object was kept.
                    (folder / "made").mkdir(exist_ok=True)
                    run([compiler, *flags, *map(str, objects), "-o", "made/program"], folder)
                    keep(folder / "made" / "program", program)
        return program

    return build_program


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def project_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Design], Path]:
    """Give project_of(design): the folder of its generated project, made once a process."""
    made: dict[Design, Path] = {}

    def make(design: Design) -> Path:
        if design not in made:
            made[design] = generate(design, tmp_path_factory.mktemp("project") / "project")
        return made[design]

    return make


@pytest.fixture(scope="session")
def open_kernel(build: Callable[..., Path]) -> Callable[..., CompiledKernel]:
    """Give open_kernel(project, **options): a CompiledKernel whose objects are shared."""

    def compile_shared(
        project: Path, sources: Sequence[str], output: Path, *, flags: Sequence[str] = ()
    ) -> None:
        shutil.copy2(build(project, sources, flags), output)

    def open_one(project: Path, **options: object) -> CompiledKernel:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(eie.hls.tools.gxx, "compile_program", compile_shared)
            return CompiledKernel(project, **options)

    return open_one


class Twin:
    """A compiled kernel and an emulator that get the same packets, and must answer the same."""

    def __init__(self, design: Design, start: Callable[[], CompiledKernel]) -> None:
        self.design = design
        self._start = start
        # Compiled now: hypothesis would try for minutes to find a smaller case of what g++ refuses.
        self.kernel: CompiledKernel | None = start()
        self.emulator = Emulator(design)

    def process(self, packet: bytes) -> bytes:
        """Give the answer of both; every byte and every register must be equal."""
        if self.kernel is None:
            self.kernel, self.emulator = self._start(), Emulator(self.design)
        try:
            answer = self.kernel.process(packet)
            expected = self.emulator.process(packet)
            assert answer == expected
            assert self.kernel.registers == self.emulator.registers
        except BaseException:
            # What is left of either is of no use to the next test, or to hypothesis.
            self.close()
            raise
        return answer

    def ask(self, packet: bytes) -> tuple[Status, npt.NDArray[np.uint64]]:
        """Give the status that both answer, and the beats before it."""
        payload = parse_packet(self.process(packet)).payload
        return Status(STATUS.parse(payload[-1:])["status"]), payload[:-1]

    def status(self, packet: bytes) -> Status:
        """Give the status that both answer."""
        return self.ask(packet)[0]

    def run(self, network: Network | PackedNetwork, inputs: Codes) -> Codes:
        """Load a network, run `inputs`, read the counters; give the outputs."""
        packed = pack(network, self.design) if isinstance(network, Network) else network
        assert self.status(packed.load_packet(1)) is Status.OK
        status, outputs = self.ask(packed.run_packet(inputs, 2))
        assert status is Status.OK
        assert self.status(build_packet(Kind.COUNTERS, 3)) is Status.OK
        return packed.read_outputs(outputs)

    def close(self) -> None:
        if self.kernel is not None:
            self.kernel.close()
            self.kernel = None


@pytest.fixture(scope="session")
def twin_of(
    project_of: Callable[[Design], Path], open_kernel: Callable[..., CompiledKernel]
) -> Iterator[Callable[[Design], Twin]]:
    """Give twin_of(design): the session's kernel of a design beside an emulator."""
    twins: dict[Design, Twin] = {}

    def twin(design: Design) -> Twin:
        if design not in twins:
            twins[design] = Twin(design, lambda: open_kernel(project_of(design)))
        return twins[design]

    yield twin
    for each in twins.values():
        each.close()


def _sized(
    pes: int, index_bits: int, queue_depth: int, memory: str = "bram", **others: int
) -> Design:
    sizes = {"hidden_activations": 512, **others}
    return Design(
        pes=pes,
        index_bits=index_bits,
        queue_depth=queue_depth,
        memory=memory,
        entries_per_pe=max(16384 // pes, 2048),
        pointers_per_pe=768,
        rows_per_pe=max(1024 // pes, 32),
        biases_per_pe=max(2048 // pes, 64),
        layers=4,
        **sizes,
    )


#: Every number of PEs has trees of its own. Zero runs are of all widths, queues from 2 to 32 deep,
#: pointers plain and compact, results' queues shallower and deeper than a layer has rows. Between
#: layers there is room for one long vector, for two, or for more; accumulators are in LUTs, or in
#: block RAM: those of the lone PE as there are many, others to spare LUTs. Vectors go one by one,
#: and two or four abreast: with words of one PE, of several, and with blocks of more than one.
GRID = (
    _sized(1, 4, 2, hidden_activations=112),
    _sized(2, 3, 3, hidden_activations=512, abreast=4),
    _sized(4, 8, 8, "uram", result_depth=5, spare_luts=1),
    _sized(8, 4, 2, length_bits=8, abreast=2),
    _sized(16, 5, 32, "uram", result_depth=64, abreast=4, spare_luts=1),
    _sized(32, 6, 4, length_bits=6, result_depth=8, spare_luts=1),
    _sized(64, 7, 8, length_bits=6, result_depth=3, abreast=2),
)


@pytest.fixture(scope="session")
def sized_design() -> Callable[..., Design]:
    """Give sized_design(pes, index_bits, queue_depth): about the same capacity for any of them."""
    return _sized


@pytest.fixture(
    scope="session",
    params=GRID,
    ids=lambda each: (
        f"{each.pes}pe-z{each.index_bits}-q{each.queue_depth}-{each.memory}-l{each.length_bits}"
        f"-a{each.abreast}"
    ),
)
def grid_design(request: pytest.FixtureRequest) -> Design:
    """Each design of the grid."""
    return request.param


@pytest.fixture(scope="session")
def small() -> Design:
    """The design of tests that are about one thing: four PEs, everything small."""
    return Design(
        pes=4,
        index_bits=4,
        queue_depth=4,
        entries_per_pe=2048,
        pointers_per_pe=512,
        rows_per_pe=128,
        biases_per_pe=256,
        layers=4,
        hidden_activations=256,
    )


@pytest.fixture(scope="session")
def kinds() -> dict[str, int]:
    """The kinds of tokens, results and commands, as types.h numbers them."""
    text = files("eie.templates").joinpath("kernel", "types.h").read_text(encoding="utf-8")
    return {name: int(value) for name, value in re.findall(r"\bk(\w+) = (\d+),", text)}


@dataclass(frozen=True)
class ResultStreams:
    """What goes through the trees on the way back, as fields of 64 bits."""

    kinds: dict[str, int]

    @staticmethod
    def fields_of(value: int, bits: int) -> list[int]:
        """An integer as fields."""
        return [value >> low & (2**64 - 1) for low in range(0, bits, 64)]

    @staticmethod
    def value_of(fields: list[int]) -> int:
        """An integer from its fields."""
        return sum(field << 64 * place for place, field in enumerate(fields))

    def marked(self, values: list[int]) -> list[tuple[int, int]]:
        """The results of a layer: (kind, value), the last one marked."""
        last = len(values) - 1
        return [
            (self.kinds["Last" if place == last else "Value"], value)
            for place, value in enumerate(values)
        ]

    @staticmethod
    def stalls(data: st.DataObject, names: Sequence[str]) -> dict[str, Stall]:
        """A stall pattern for each of the streams called `names`."""
        return {name: data.draw(STALLS, name) for name in names}


@pytest.fixture(scope="session")
def results(kinds: dict[str, int]) -> ResultStreams:
    """Results on their way back from the PEs, as streams of fields."""
    return ResultStreams(kinds)


#: A stall pattern: seed, and the share of cycles in which a stream rests.
Stall = tuple[int, int, int]
#: None at all, and up to three cycles in four.
STALLS = st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 3), st.just(4))


@pytest.fixture(scope="session")
def stall_patterns() -> st.SearchStrategy[Stall]:
    """Any stall pattern, that without a stall first."""
    return STALLS


@pytest.fixture(scope="session")
def drive(build: Callable[..., Path]) -> Callable[..., dict[str, list[list[int]]]]:
    """Give drive(project, driver, elements, *arguments, stalls={}, runs=1): what a block gave.

    `elements` has the elements of each input stream, lists of fields; `stalls` a pattern for any
    stream; the block runs `runs` times on them. The result has the elements of each output
    stream, and the cycles of each run under "cycles".
    """

    def run(
        project: Path,
        driver: str,
        elements: Mapping[str, Sequence[Sequence[int]]],
        *arguments: object,
        stalls: Mapping[str, Stall] | None = None,
        runs: int = 1,
    ) -> dict[str, list[list[int]]]:
        lines = [f"stall {name} {' '.join(map(str, of))}" for name, of in (stalls or {}).items()]
        for name, stream in elements.items():
            lines += [f"{name} {' '.join(f'{field:x}' for field in each)}" for each in stream]
        done = subprocess.run(
            [str(build(project, [driver])), *map(str, arguments)],
            input="\n".join([*lines, *["run"] * runs, ""]),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        given: dict[str, list[list[int]]] = {}
        for line in done.stdout.splitlines():
            name, *fields = line.split()
            given.setdefault(name, []).append([int(field, 16) for field in fields])
        return given

    return run
