"""C++ of eie's own as a shared library: compiled once, kept, and loaded into this process."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from eie.hls.boundary.errors import ToolError
from eie.hls.boundary.partials import temporary_folder
from eie.hls.boundary.progress import tell
from eie.hls.compiler.cxx import compiler_name, find_compiler, first_lines
from eie.hls.compiler.processes import running
from eie.hls.compiler.program_store import find_program, keep_program, program_store

__all__ = ["load_library"]

#: As the kernel's own C++, and nothing that another processor of the same kind may lack: a home
#: folder, and what is kept in it, may be that of many machines.
_FLAGS = ("-std=c++14", "-O3", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror=return-type")


def load_library(
    name: str, sources: Mapping[str, str], main: str, *, flags: Sequence[str] = ()
) -> ctypes.CDLL:
    """Load a library, compiled now unless it is kept (:mod:`eie.hls.compiler.program_store`).

    Parameters
    ----------
    name
        Of the library: lower-case letters and underscores.
    sources
        The text of each file by its name.
    main
        The file that is compiled; it includes the others.
    flags
        More flags for the compiler.

    Raises
    ------
    ToolError
        If there is no compiler, or it cannot compile this, or the library cannot be loaded.
    """
    compiler = find_compiler()
    if compiler is None:
        raise ToolError(f"there is no C++ compiler called {compiler_name()}")
    given = (*_FLAGS, *flags)
    program = f"{name}-{_fingerprint(compiler, sources, main, given)}"
    store = program_store()
    if store is not None and (kept := find_program(store, program)) is not None:
        return _load(kept)
    with temporary_folder() as folder:
        tell(f"compiling the {name} with {compiler_name()}, once")
        made = _compile(compiler, sources, main, given, folder, program)
        # Once loaded it may be removed: it stays mapped.
        return _load(keep_program(store, made) if store is not None else made)


def _compile(
    compiler: str,
    sources: Mapping[str, str],
    main: str,
    flags: Sequence[str],
    folder: Path,
    program: str,
) -> Path:
    for file, text in sources.items():
        (folder / file).write_text(text, encoding="utf-8")
    command = [compiler, *flags, "-o", program, main]
    environment = os.environ | {"TMPDIR": str(folder)}
    try:
        with running(command, cwd=folder, environment=environment) as process:
            text = process.communicate()[0].decode(errors="replace")
    except OSError as error:
        raise ToolError(f"{compiler} cannot be run: {error.strerror}") from error
    made = folder / program
    if process.returncode != 0 or not made.is_file():
        raise ToolError(f"{compiler} could not compile {main}:\n{first_lines(text)}")
    return made


def _load(library: Path) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(library))
    except OSError as error:  # a folder from which nothing may be run, for one
        raise ToolError(f"cannot load {library}: {error}") from error


def _fingerprint(compiler: str, sources: Mapping[str, str], main: str, flags: Sequence[str]) -> str:
    """Hash all that a library is made of: sources, compiler, flags and kind of machine."""
    path = Path(compiler).resolve()
    status = path.stat()
    made_by = (str(path), status.st_size, status.st_mtime_ns, platform.machine(), *flags)
    return hashlib.sha256(repr((made_by, main, sorted(sources.items()))).encode()).hexdigest()
