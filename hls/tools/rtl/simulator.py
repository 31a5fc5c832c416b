"""Verilator, and the bench in it: is it there, is it new enough, build and run.

cocotb needs a simulator that calls back (VPI). Vivado's xsim has no such interface
(github.com/cocotb/cocotb, issue 2727), so it cannot stand in.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eie.hls.boundary.errors import ToolError
from eie.hls.boundary.installation import how_to_install
from eie.hls.compiler.processes import running
from eie.hls.tools.rtl.exchanges import Exchange
from eie.hls.tools.rtl.recording import JOB, SEEN, Pass, PassSeen
from eie.hls.tools.rtl.sources import PORTS, TOP, RtlSources

__all__ = ["Simulation", "Simulator", "SimulatorMissing"]

#: The oldest Verilator that cocotb 1.8 works with (its page on simulators).
_LEAST = (5, 6)
#: The bench's packages, and the module by which each is found.
_PACKAGES = {"cocotb": "cocotb", "cocotbext-axi": "cocotbext.axi"}
#: Releases of cocotb that the bench is written for; the second wants Verilator 5.022.
_COCOTB = ("1.8.", "1.9.")
_TAIL = 15


class SimulatorMissing(ToolError):
    """The simulator or the bench's packages are missing or too old: RTL cannot be simulated.

    Cure: install Verilator 5.006 or later, and `pip install '.[rtl]'` in a clone.
    """


@dataclass(frozen=True)
class Simulator:
    """A Verilator that the bench can use."""

    #: Program.
    program: str
    #: Name and version.
    name: str
    #: Names and versions of the bench's packages.
    bench: str

    @classmethod
    def find(cls, path: str | None = None) -> Simulator:
        """Look for Verilator on `path`, by default ``PATH``, and for the bench's packages.

        Raises
        ------
        SimulatorMissing
            Saying what is missing or too old, and how to get it.
        """
        wanted = _as_text(_LEAST)
        program = shutil.which("verilator", path=path)
        if program is None:
            raise SimulatorMissing(
                f"verilator missing: install Verilator {wanted} or later (Debian: apt install "
                "verilator), and g++ and make"
            )
        version = _version(program)
        # These sentences go into manifests, so they name no folder of this machine.
        if version < _LEAST:
            raise SimulatorMissing(
                f"verilator too old: it must be version {wanted} or later, not {_as_text(version)}"
            )
        missing = [name for name, module in _PACKAGES.items() if not _there(module)]
        if missing:
            raise SimulatorMissing(f"{' and '.join(missing)} missing: {how_to_install('rtl')}")
        cocotb = importlib.metadata.version("cocotb")
        if not cocotb.startswith(_COCOTB):
            raise SimulatorMissing(
                f"cocotb of another version: it must be {_COCOTB[0]}x or {_COCOTB[1]}x, not "
                f"{cocotb}: {how_to_install('rtl')}"
            )
        if _library_of_python() is None:
            raise SimulatorMissing(
                "libpython missing: this Python has no shared library, in which a simulator could "
                "run the bench; take one that has (Debian: apt install python3-dev)"
            )
        bench = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
        return cls(program, f"Verilator {_as_text(version)}", bench)

    def build(self, sources: RtlSources, folder: Path) -> Simulation:
        """Compile the Verilog to a program in `folder`, with a copy of the memories' contents.

        Raises
        ------
        ToolError
            If Verilator or the compiler refuses; ends with the log's last lines.
        """
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for memory in sources.memories:
            shutil.copyfile(memory, folder / memory.name)
        # Ports alone are public: with every signal public nothing is optimised.
        public = "\n".join(f'public_flat_rw -module "{TOP}" -var "{port}"' for port in PORTS)
        (folder / "ports.vlt").write_text(f"`verilator_config\n{public}\n", encoding="utf-8")
        libraries = _cocotb_folder() / "libs"
        command = [
            *(self.program, "--cc", "--exe", "--vpi", "--top-module", TOP, "--prefix", "Vtop"),
            *("-o", "simulation", "-Mdir", str(folder), "--no-timing", "--timescale", "1ns/1ps"),
            # The language in which Vivado reads these files: names may be words of a later one.
            "+1364-2005ext+v",
            # The tool's Verilog is full of what lint dislikes; only errors count.
            *("-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-BLKANDNBLK", "-Wno-STMTDLY"),
            "-Wno-SYMRSVDWORD",
            "-LDFLAGS",
            f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator",
            str(folder / "ports.vlt"),
            str(_cocotb_folder() / "share" / "lib" / "verilator" / "verilator.cpp"),
            *map(str, sources.verilog),
        ]
        log = folder / "build.log"
        _run(command, folder, log, {})
        jobs = str(os.cpu_count() or 1)
        make = ["make", "-C", str(folder), "-f", "Vtop.mk", "-j", jobs, "OPT_FAST=-O1"]
        _run(make, folder, log, {})
        return Simulation(folder)


@dataclass(frozen=True)
class Simulation:
    """A compiled simulation of a kernel with the bench."""

    folder: Path

    def play(
        self,
        exchanges: Sequence[Exchange],
        passes: Sequence[Pass],
        *,
        arguments: Sequence[str] = (),
    ) -> list[PassSeen]:
        """Play all packets, once in each pass, and return what was seen.

        Parameters
        ----------
        exchanges
            The packets.
        passes
            How often, and with which stalls.
        arguments
            More of them for the simulation, such as ``+name=value``.

        Raises
        ------
        ToolError
            If the simulation ended by itself.
        """
        job: dict[str, Any] = {
            "ports": PORTS,
            "passes": [asdict(each) for each in passes],
            "packets": [
                {
                    "name": each.name,
                    "request": each.request,
                    "answer": each.answer,
                    "patience": each.patience,
                    "packets": each.registers["packets"],
                }
                for each in exchanges
            ],
        }
        seen = self.folder / "seen.json"
        seen.unlink(missing_ok=True)
        (self.folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        variables = {
            JOB: str(self.folder / "job.json"),
            SEEN: str(seen),
            "MODULE": "eie.hls.tools.rtl.bench",
            "TOPLEVEL": TOP,
            "TOPLEVEL_LANG": "verilog",
            "COCOTB_RESULTS_FILE": str(self.folder / "results.xml"),
            "COCOTB_ANSI_OUTPUT": "0",
            "COCOTB_LOG_LEVEL": "WARNING",
            # What the bench draws is seeded by itself.
            "RANDOM_SEED": "1",
            "LIBPYTHON_LOC": _library_of_python() or "",
            # The Python within the simulator is this one, with what it has installed.
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONHOME": sys.base_prefix,
        }
        log = self.folder / "simulation.log"
        _run([str(self.folder / "simulation"), *arguments], self.folder, log, variables)
        if not seen.is_file():
            raise ToolError(f"the simulation ended without a result; {_end_of(log)}")
        documents = json.loads(seen.read_text(encoding="utf-8"))
        return [PassSeen.from_document(document) for document in documents]


def _version(program: str) -> tuple[int, int]:
    """Version of a Verilator; (0, 0) if it does not say."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise SimulatorMissing(f"verilator missing: it cannot be run ({error.strerror})") from error
    found = re.search(r"Verilator (\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _as_text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]:03}"


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _library_of_python() -> str | None:
    """Path of the shared library of this Python; None if there is none."""
    import find_libpython  # comes with cocotb

    found: str | None = find_libpython.find_libpython()
    return found


def _cocotb_folder() -> Path:
    spec = importlib.util.find_spec("cocotb")
    if spec is None or spec.origin is None:
        raise SimulatorMissing(f"cocotb missing: {how_to_install('rtl')}")
    return Path(spec.origin).parent


def _run(command: Sequence[str], folder: Path, log: Path, variables: Mapping[str, str]) -> None:
    environment = {**os.environ, **variables}
    try:
        with (
            log.open("wb") as output,
            running(command, cwd=folder, environment=environment, output=output) as process,
        ):
            status = process.wait()
    except OSError as error:
        raise ToolError(f"cannot run {command[0]}: {error}") from error
    if status != 0:
        raise ToolError(f"{Path(command[0]).name} ended with status {status}; {_end_of(log)}")


def _end_of(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return f"{log} ends with\n" + "\n".join(f"  {line}" for line in lines[-_TAIL:])
