"""Compile files of a generated project with g++, and keep the programs."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import ToolError
from eie.hls.boundary.installation import how_to_install
from eie.hls.boundary.partials import temporary_folder
from eie.hls.tools.processes import running
from eie.hls.tools.program_store import find_program, keep_program, program_store

__all__ = [
    "COMPILE_FLAGS",
    "ap_types_folder",
    "compile_program",
    "first_lines",
    "kept_program",
    "require_compiler",
]

#: What the generated C++ is compiled with. The vendor's arithmetic headers are full of pragmas and
#: of values that are used before they are set, so those two warnings say nothing about the kernel.
COMPILE_FLAGS = (
    "-std=c++14",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Wno-unknown-pragmas",
    "-Wno-unused-label",
    "-Wno-uninitialized",
    "-Wno-maybe-uninitialized",
)
#: Names another folder with ap_int.h, such as the include folder of Vitis HLS.
_HEADERS_VARIABLE = "EIE_AP_TYPES"


def ap_types_folder() -> Path:
    """Folder with the vendor's arithmetic headers: ``$EIE_AP_TYPES``, or that of hls4ml.

    Raises
    ------
    ToolError
        If there is none.
    """
    chosen = os.environ.get(_HEADERS_VARIABLE)
    if chosen:
        folder = Path(chosen)
    else:
        # find_spec reads no code of hls4ml, which would import a lot.
        spec = importlib.util.find_spec("hls4ml")
        if spec is None or spec.origin is None:
            raise ToolError(
                f"simulating needs the ap_int headers: set {_HEADERS_VARIABLE} to a folder with "
                f"ap_int.h, or {how_to_install('hls')}"
            )
        folder = Path(spec.origin).parent / "templates" / "vivado" / "ap_types"
    if not (folder / "ap_int.h").is_file():
        raise ToolError(
            f"there is no ap_int.h in {folder}; set {_HEADERS_VARIABLE} to a folder that has it"
        )
    return folder


def require_compiler() -> None:
    """Say what is missing for compiling a project, before anything else is done.

    Raises
    ------
    ToolError
        If there is no C++ compiler, or no folder of the vendor's headers.
    """
    _compiler()
    ap_types_folder()


def compile_program(
    project: Path, sources: Sequence[str], output: Path, *, flags: Sequence[str] = ()
) -> None:
    """Compile files of a generated project to a program.

    Each source is compiled by a g++ of its own, all at the same time.

    Parameters
    ----------
    project
        Folder of the generated project.
    sources
        Files to compile, relative to it.
    output
        The program; it appears whole or not at all.
    flags
        More flags for compiler and linker.

    Raises
    ------
    ToolError
        If there is no g++, or it fails; the message has the compiler's first errors.
    """
    compiler = _compiler()
    includes = ["-Isimulation", "-Ikernel", "-isystem", str(ap_types_folder())]
    with temporary_folder() as temporary:
        # What g++ keeps for itself is gone with the folder, too, however it ends.
        environment = {**os.environ, "TMPDIR": str(temporary)}
        objects = [str(temporary / f"{number}.o") for number in range(len(sources))]
        with contextlib.ExitStack() as stack:
            processes = [
                stack.enter_context(
                    running(
                        [compiler, *COMPILE_FLAGS, *flags, *includes, "-c", source, "-o", target],
                        cwd=project,
                        environment=environment,
                    )
                )
                for source, target in zip(sources, objects, strict=True)
            ]
            for source, process in zip(sources, processes, strict=True):
                _finish(process, f"{compiler} could not compile {source}")
        program = temporary / "program"
        link = [compiler, *flags, *objects, "-o", str(program)]
        with running(link, environment=environment) as process:
            _finish(process, f"{compiler} could not link {output.name}")
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            write_whole(output, program.read_bytes(), executable=True)
        except OSError as error:
            raise ToolError(f"cannot write program {output}: {error.strerror}") from error


@contextlib.contextmanager
def kept_program(
    project: Path, sources: Sequence[str], *, flags: Sequence[str] = ()
) -> Iterator[Path]:
    """Give the program that files of a project make, compiled now if it has to be.

    It is kept among the user's own files (:mod:`eie.hls.tools.program_store`), as what lies in a
    project may be somebody else's. Where nothing can be kept, it is gone with the ``with``
    statement.

    Parameters
    ----------
    project, sources, flags
        As for :func:`compile_program`.

    Raises
    ------
    ToolError
        As :func:`compile_program`.
    """
    key = _fingerprint(project, sources, flags)
    name = f"{Path(sources[-1]).stem}-{key}"
    store = program_store()
    if store is not None and (program := find_program(store, name)) is not None:
        yield program
        return
    with temporary_folder() as temporary:
        made = temporary / name
        compile_program(project, sources, made, flags=flags)
        # Not kept when a source changed while it was compiled: the name would be another one's.
        if store is not None and _fingerprint(project, sources, flags) == key:
            made = keep_program(store, made)
        yield made


def first_lines(text: str, lines: int = 30) -> str:
    """Give the first lines of a tool's output: the first error matters most."""
    parts = text.strip().splitlines()
    more = f"\n... {len(parts) - lines} more lines" if len(parts) > lines else ""
    return "\n".join(parts[:lines]) + more


def _compiler() -> str:
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        raise ToolError(
            "simulating needs a C++ compiler: install g++ (on Debian and Ubuntu: "
            "apt install g++), or set CXX"
        )
    return compiler


def _finish(process: subprocess.Popen[bytes], failure: str) -> None:
    """Wait for a compiler; raise ToolError if it failed."""
    text = process.communicate()[0].decode(errors="replace")
    if process.returncode != 0:
        raise ToolError(f"{failure}:\n{first_lines(text)}")


def _fingerprint(project: Path, sources: Sequence[str], flags: Sequence[str]) -> str:
    """Hash all that a program is made of: sources, headers, compiler and flags.

    The project's place is part of it, since an edited source may include what lies beside.
    """
    compiler, headers = _compiler(), ap_types_folder()
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    made_by = (compiler, version.stdout, COMPILE_FLAGS, *flags)
    digest = hashlib.sha256(repr((made_by, str(project.resolve()), *sources)).encode())
    for folder in (project / "kernel", project / "simulation", headers):
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(f"{file.relative_to(folder)} {file.stat().st_size}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
