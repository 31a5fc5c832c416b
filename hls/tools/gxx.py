"""Compile a generated project with g++, by its own Makefile, and keep the programs."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import ToolError
from eie.hls.boundary.installation import how_to_install
from eie.hls.boundary.partials import temporary_folder
from eie.hls.compiler.cxx import find_compiler, first_lines
from eie.hls.compiler.processes import running
from eie.hls.compiler.program_store import find_program, keep_program, program_store

__all__ = [
    "ap_types_folder",
    "compile_program",
    "kept_program",
    "make_command",
    "make_folder",
    "require_compiler",
]

#: What is compiled, and what a project compiles it with.
_COMPILED = ("Makefile", "kernel", "simulation", "blocks", "testbench")
#: Names another folder with ap_int.h, such as the include folder of Vitis HLS.
_HEADERS_VARIABLE = "EIE_AP_TYPES"
#: Variables by which a make tells its settings to those that it starts.
_OF_MAKE = ("GNUMAKEFLAGS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")


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
        If there is no C++ compiler, no make, or no folder of the vendor's headers.
    """
    make_command("")
    ap_types_folder()


@contextlib.contextmanager
def make_folder(project: Path, **more: Path) -> Iterator[Path]:
    """Give a folder to compile a project in, for a ``with`` statement: nothing of it is kept.

    It holds links to the project, so that nothing is written there, and make, which knows no spaces
    in names, meets none. `more` are links to other folders.
    """
    links = {name: project / name for name in _COMPILED} | {"ap_types": ap_types_folder(), **more}
    with temporary_folder() as temporary:
        for name, path in links.items():
            (temporary / name).symlink_to(path.resolve())
        yield temporary


def make_command(target: str, flags: Sequence[str] = ()) -> list[str]:
    """Give the command that makes `target` in a :func:`make_folder`: an object or a program.

    Parameters
    ----------
    target
        Such as ``kernel/eie.o`` or ``bin/server``; it is below ``made/`` then.
    flags
        More flags for compiler and linker.

    Raises
    ------
    ToolError
        If there is no g++ or no make.
    """
    compiler, make = _compiler(), shutil.which("make")
    if make is None:
        raise ToolError(
            "simulating needs make, which reads the project's Makefile: install it (on Debian and "
            "Ubuntu: apt install make)"
        )
    settings = {"BUILD": "made", "AP_TYPES": "ap_types", "CXX": shlex.quote(compiler)}
    settings["FLAGS"] = shlex.join(flags)
    given = [f"{name}={value.replace('$', '$$')}" for name, value in settings.items()]
    return [make, "--silent", "--no-print-directory", *given, f"made/{target}"]


def compile_program(
    project: Path, sources: Sequence[str], output: Path, *, flags: Sequence[str] = ()
) -> None:
    """Compile a program of a generated project, as its Makefile says.

    Each source is compiled by a g++ of its own, all at the same time.

    Parameters
    ----------
    project
        Folder of the generated project.
    sources
        Files to compile, relative to it; the program is named as the last one.
    output
        Where the program goes; it appears whole or not at all.
    flags
        More flags for compiler and linker.

    Raises
    ------
    ToolError
        If there is no g++ or no make, or one fails; the message has the compiler's first errors.
    """
    name = Path(sources[-1]).stem
    objects = [make_command(f"{Path(source).with_suffix('.o')}", flags) for source in sources]
    with make_folder(project) as folder:
        # What g++ keeps for itself is gone with the folder, too, however it ends. An outer make's
        # own settings are not for this one.
        environment = {key: value for key, value in os.environ.items() if key not in _OF_MAKE}
        environment["TMPDIR"] = str(folder)
        with contextlib.ExitStack() as stack:
            processes = [
                stack.enter_context(running(command, cwd=folder, environment=environment))
                for command in objects
            ]
            for source, process in zip(sources, processes, strict=True):
                _finish(process, f"{_compiler()} could not compile {source}")
        with running(
            make_command(f"bin/{name}", flags), cwd=folder, environment=environment
        ) as process:
            _finish(process, f"{_compiler()} could not link {name}")
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            write_whole(output, (folder / "made" / "bin" / name).read_bytes(), executable=True)
        except OSError as error:
            raise ToolError(f"cannot write program {output}: {error.strerror}") from error


@contextlib.contextmanager
def kept_program(
    project: Path, sources: Sequence[str], *, flags: Sequence[str] = ()
) -> Iterator[Path]:
    """Give the program that files of a project make, compiled now if it has to be.

    It is kept among the user's own files (:mod:`eie.hls.compiler.program_store`), as what lies in a
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


def _compiler() -> str:
    compiler = find_compiler()
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
    """Hash all that a program is made of: Makefile, sources, headers, compiler and flags.

    The project's place is part of it, since an edited source may include what lies beside.
    """
    compiler, headers = _compiler(), ap_types_folder()
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    made_by = (compiler, version.stdout, *flags)
    digest = hashlib.sha256(repr((made_by, str(project.resolve()), *sources)).encode())
    with contextlib.suppress(FileNotFoundError):  # said where it is missed
        digest.update((project / "Makefile").read_bytes())
    for folder in (project / "kernel", project / "simulation", headers):
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(f"{file.relative_to(folder)} {file.stat().st_size}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
