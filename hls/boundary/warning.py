"""Warnings that name the user's line, however deep in eie they arise."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

from eie.hls.boundary.errors import EieWarning

__all__ = ["warn"]

#: The package whose own lines no warning names.
_PACKAGE = __name__.partition(".")[0]
#: Python's own modules that stand between a caller and what is called.
_BETWEEN = ("functools", "contextlib")


def warn(message: str | Warning, category: type[Warning] = EieWarning) -> None:
    """Warn at the line that called into eie.

    The same warning comes from calls of many depths (``emulate``, ``AcceleratedModel.predict``,
    ``convert``), with lines of torch or pynq in between, so that no fixed ``stacklevel`` is right.

    Parameters
    ----------
    message, category
        As for :func:`warnings.warn`.
    """
    warnings.warn(message, category, stacklevel=_caller_level())


def _caller_level() -> int:
    """``stacklevel``, as seen by :func:`warn`, of whoever called the outermost function of eie."""
    names = []
    frame: FrameType | None = sys._getframe(1)  # of warn itself, whose level is 1
    while frame is not None:
        names.append(str(frame.f_globals.get("__name__", "")))
        frame = frame.f_back
    outermost = max(place for place, name in enumerate(names) if name.partition(".")[0] == _PACKAGE)
    callers = range(outermost + 1, len(names))
    return 1 + next((place for place in callers if names[place] not in _BETWEEN), outermost)
