"""The library's warnings as the command line prints them: one line each on standard error."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from eie.host.errors import EieWarning

__all__ = ["warnings_as_lines"]


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Print each :class:`EieWarning` as a line that begins with ``eie:``; others as ever."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", EieWarning)
        others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, EieWarning):
                print(f"eie: warning: {message}", file=sys.stderr)
            else:
                others(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield
