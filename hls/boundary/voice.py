"""Advice in the words of whoever reads it: options on the command line, arguments in Python.

The library words its advice once, with :func:`argument` and :func:`either`; inside
:func:`as_command` both speak of options.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar

__all__ = ["argument", "as_command", "either"]

#: Options by the names of their arguments where they differ; None while Python is spoken.
_OPTIONS: ContextVar[Mapping[str, str] | None] = ContextVar("options", default=None)


@contextlib.contextmanager
def as_command(**options: str) -> Iterator[None]:
    """Speak of options inside the ``with`` statement.

    Parameters
    ----------
    **options
        Options of this command that are not the argument's name with dashes, by argument:
        ``calibration="--data"``.
    """
    token = _OPTIONS.set({**(_OPTIONS.get() or {}), **options})
    try:
        yield
    finally:
        _OPTIONS.reset(token)


def argument(name: str, value: object = None) -> str:
    """Write an argument: ``density=0.2``, or ``--density 0.2``.

    Parameters
    ----------
    name
        In Python.
    value
        What to give; None for the name alone, True for what is switched on.
    """
    options = _OPTIONS.get()
    if options is None:
        return name if value is None else f"{name}={value}"
    option = options.get(name) or f"--{name.replace('_', '-')}"
    return option if value is None or value is True else f"{option} {value}"


def either(python: str, command: str) -> str:
    """Give `python`, or `command` on the command line."""
    return python if _OPTIONS.get() is None else command
