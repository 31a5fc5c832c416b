"""The library's warnings as the command line shows them: a line each on standard error."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import TextIO

from eie.hls.boundary.errors import EieWarning
from eie.host.cli.progress import clear_line

__all__ = ["warnings_as_lines"]


@contextlib.contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Show every ``EieWarning`` as one line, and others as Python does."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", EieWarning)
        shown_by_python = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, EieWarning):
                clear_line()
                print(f"eie: {message}", file=sys.stderr)
            else:
                shown_by_python(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield
