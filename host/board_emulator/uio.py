"""Where the fabric's interrupt reaches pynq: Linux's UIO, in place of ``/dev/uio``.

It is the one place where the emulated board stands in for a part of pynq, its ``UioController``:
interrupts, interrupt pins and their controller (``pynq.Interrupt``, ``wait_async`` of pynq's DMA)
are pynq's own code.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any, Protocol

import pynq.interrupt

__all__ = ["EmulatedUio", "connected"]


class _Event(Protocol):
    def set(self) -> None: ...


class EmulatedUio:
    """An interrupt line, as pynq waits for it in an event loop.

    As with Linux's UIO, whoever is told of an interrupt hears of no other until it asks again.
    Unlike pynq's own class it is not bound to the event loop that ran when it was made.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._high = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, _Event]] = []

    def add_event(self, event: _Event, number: int) -> None:
        """Set `event` in the running event loop once the line is high; pynq's name for it."""
        with self._lock:
            self._waiting.append((asyncio.get_running_loop(), event))
        self.drive(self._high)

    def drive(self, high: bool) -> None:
        """Tell everyone who waits if the line is high. May be called by any thread."""
        with self._lock:
            self._high = high
            told = self._waiting if high else []
            self._waiting = [] if high else self._waiting
        for loop, event in told:
            # A loop that has ended waits for nothing.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)


@contextlib.contextmanager
def connected(line: EmulatedUio) -> Iterator[None]:
    """Let pynq find `line` behind every interrupt of the processing system."""
    found: tuple[tuple[str, Any], ...] = (
        ("get_uio_irq", lambda irq: f"emulated-uio-{irq}"),
        ("UioController", lambda device: line),
    )
    before = {name: getattr(pynq.interrupt, name) for name, _ in found}
    controllers = pynq.interrupt._InterruptController
    devices = controllers._uio_devices
    for name, value in found:
        setattr(pynq.interrupt, name, value)
    controllers._uio_devices = {}
    controllers._controllers.clear()
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(pynq.interrupt, name, value)
        controllers._uio_devices = devices
        controllers._controllers.clear()
