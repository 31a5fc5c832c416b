"""How far long work is: told where it is done, to whoever listens.

A library does not print. What takes long calls :func:`tell` now and then, which costs next to
nothing while nobody listens; a command line, a notebook or a test does so with :func:`listening`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["Progress", "listening", "tell"]


@dataclass(frozen=True)
class Progress:
    """Where some work is."""

    #: What is being done, such as ``"counting cycles"``.
    what: str
    #: How many are done; `total` is 0 where there is nothing to count.
    done: int = 0
    #: How many there are.
    total: int = 0
    #: What is counted, such as ``"vectors"``.
    unit: str = ""

    def __str__(self) -> str:
        if not self.total:
            return self.what
        return f"{self.what}: {self.done} of {self.total} {self.unit}".rstrip()


_LISTENER: ContextVar[Callable[[Progress], None] | None] = ContextVar("listener", default=None)


def tell(what: str, done: int = 0, total: int = 0, unit: str = "") -> None:
    """Say where the work is; does nothing while nobody listens in this thread."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(Progress(what, done, total, unit))


@contextlib.contextmanager
def listening(listener: Callable[[Progress], None]) -> Iterator[None]:
    """Call `listener` with all that is told in this thread, inside the ``with`` statement."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)
