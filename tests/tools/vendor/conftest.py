"""Generated projects, the mock of the tools, and stub executables."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import Design
from eie.host.project.generate import render

MOCK = Path(__file__).with_name("mock.tcl")
#: A design for each board and kind of memory that there is.
DESIGNS = tuple(
    Design(pes=64, board=board.name, memory=memory, clock_mhz=board.clock_mhz)
    for board in BOARDS.values()
    for memory in (("bram", "uram") if board.uram else ("bram",))
)


def name_of(design: Design) -> str:
    return f"{design.board}-{design.memory}"


@pytest.fixture(params=DESIGNS, ids=name_of)
def design(request: pytest.FixtureRequest) -> Design:
    """Each board with each kind of memory that it has."""
    return request.param


#: The generator's output, which the same design always has.
rendered = functools.cache(render)


def write(design: Design, project: Path) -> Path:
    """Write a project, and empty files in place of a test bench where there is none."""
    test_bench = {"testbench/testbench.cpp": "", "testbench/golden/input.bin": ""}
    for name, text in (test_bench | rendered(design)).items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    return project


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[[Design], Path]:
    """Generate the project of a design."""
    return lambda design: write(design, tmp_path / name_of(design))


@pytest.fixture
def project(design: Design, make_project: Callable[[Design], Path]) -> Path:
    return make_project(design)


RunMock = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def mock() -> RunMock:
    """Execute a script under the mock; options are those of mock.tcl without the dash."""
    if shutil.which("tclsh") is None:
        pytest.skip("tclsh is not installed")

    def run(script: Path, **options: object) -> subprocess.CompletedProcess[str]:
        arguments = [word for name, value in options.items() for word in (f"-{name}", str(value))]
        return subprocess.run(
            ["tclsh", str(MOCK), str(script), *arguments],
            capture_output=True,
            text=True,
            cwd=script.parent,
        )

    return run


@pytest.fixture
def packaged(project: Path, mock: RunMock) -> Path:
    """A project whose kernel the mock has packaged."""
    done = mock(project / "vitis" / "run_hls.tcl")
    assert done.returncode == 0, done.stderr
    return project


@dataclass(frozen=True)
class Tools:
    """Stub executables, found on :attr:`path` and nowhere else."""

    folder: Path

    @property
    def path(self) -> str:
        return f"{self.folder}:/usr/bin:/bin"

    def add(self, name: str, *lines: str) -> None:
        """Make a shell script called `name`; it notes its arguments in a file beside it first."""
        script = self.folder / name
        record = f'printf "%s\\n" "$0" "$@" > {self.folder}/{name}.called'
        script.write_text("\n".join(["#!/bin/sh", record, *lines]) + "\n")
        script.chmod(0o755)

    def arguments(self, name: str) -> list[str]:
        return (self.folder / f"{name}.called").read_text().splitlines()[1:]

    def add_mock(self, name: str, script: str, options: str = "") -> None:
        """Make `name` execute the script in its argument number `script` under the mock."""
        if shutil.which("tclsh") is None:
            pytest.skip("tclsh is not installed")
        self.add(name, f'exec tclsh {MOCK} "{script}" {options}')


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    folder = tmp_path / "tools"
    folder.mkdir()
    return Tools(folder)
