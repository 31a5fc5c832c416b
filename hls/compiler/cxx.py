"""Which C++ compiler there is, and what it says."""

from __future__ import annotations

import os
import shutil

__all__ = ["compiler_name", "find_compiler", "first_lines"]

#: Names another compiler.
_VARIABLE = "CXX"


def compiler_name() -> str:
    """Name of the compiler that is looked for: ``$CXX``, or g++."""
    return os.environ.get(_VARIABLE, "g++")


def find_compiler() -> str | None:
    """Path of the compiler, None if there is none."""
    return shutil.which(compiler_name())


def first_lines(text: str, lines: int = 30) -> str:
    """Give the first lines of a tool's output: the first error matters most."""
    parts = text.strip().splitlines()
    more = f"\n... {len(parts) - lines} more lines" if len(parts) > lines else ""
    return "\n".join(parts[:lines]) + more
