"""Clocks at the borders between eie, pynq and the emulated device: whose time a call is."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from unittest import mock

import pynq
from pynq.buffer import PynqBuffer

from eie.host.board_emulator.device import EmulatedDevice

__all__ = ["Borders", "Shares"]

#: What eie calls of pynq, directly or through numpy, and what pynq calls of a device.
_INTO_PYNQ = (
    (pynq.MMIO, "read"),
    (pynq.MMIO, "write_reg"),
    (pynq.Overlay, "is_loaded"),
    (PynqBuffer, "flush"),
    (PynqBuffer, "invalidate"),
    # A part of a buffer is a new object, made and given up by code of pynq.
    (PynqBuffer, "__array_finalize__"),
    (PynqBuffer, "__del__"),
)
_INTO_DEVICE = tuple(
    (EmulatedDevice, name) for name in ("read_registers", "write_registers", "flush", "invalidate")
)
#: Calls of a method that does nothing, to see what a clock takes.
_CALIBRATING = 20_000


@dataclass(frozen=True)
class Shares:
    """Microseconds of a call, without what the clocks took."""

    eie: float
    pynq: float
    device: float

    @property
    def total(self) -> float:
        """All of the call."""
        return self.eie + self.pynq + self.device


class _Clock:
    """Time spent in methods, calls from one into another included."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0

    def around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Give the method with this clock around it."""

        def timed(self_: Any, *arguments: Any) -> Any:
            start = perf_counter()
            result = method(self_, *arguments)
            self.seconds += perf_counter() - start
            self.calls += 1
            return result

        return timed


class Borders:
    """Clocks at both borders, while installed.

    ``pynq.MMIO`` binds its methods when it is made: what is to be measured has to be opened while
    the clocks are installed.
    """

    def __init__(self) -> None:
        self._pynq, self._device = _Clock(), _Clock()
        self._inside, self._outside = _cost_of_a_clock()
        self._found: list[Shares] = []
        self._installed = contextlib.ExitStack()

    def install(self) -> None:
        """Put the clocks in place."""
        for clock, methods in ((self._pynq, _INTO_PYNQ), (self._device, _INTO_DEVICE)):
            for owner, name in methods:
                timed = clock.around(getattr(owner, name))
                self._installed.enter_context(mock.patch.object(owner, name, timed))

    def remove(self) -> None:
        """Take the clocks away."""
        self._installed.close()

    def measure(self, call: Callable[[], object], times: int) -> None:
        """Make a call many times, and keep whose time it was."""
        for clock in (self._pynq, self._device):
            clock.seconds, clock.calls = 0.0, 0
        start = perf_counter()
        for _ in range(times):
            call()
        whole = perf_counter() - start
        pynqs, devices = self._pynq, self._device
        # A clock's own time is partly in what it measures, and partly in what is around that.
        device = devices.seconds - devices.calls * self._inside
        pynq = pynqs.seconds - pynqs.calls * self._inside
        pynq -= devices.seconds + devices.calls * self._outside
        eie = whole - pynqs.seconds - pynqs.calls * self._outside
        self._found.append(Shares(*(1e6 * share / times for share in (eie, pynq, device))))

    def median(self) -> Shares:
        """Medians of what was measured, each for itself."""
        return Shares(
            *(
                statistics.median(getattr(shares, name) for shares in self._found)
                for name in ("eie", "pynq", "device")
            )
        )

    def best(self) -> Shares:
        """Shares of the calls that took least."""
        return min(self._found, key=lambda shares: shares.total)

    def forget(self) -> None:
        """Begin anew."""
        self._found.clear()


def _cost_of_a_clock() -> tuple[float, float]:
    """Measure what a clock adds to a call, in seconds: in what it shows, and around that."""

    class Nothing:
        def plain(self, argument: int) -> None:
            pass

    clock, nothing = _Clock(), Nothing()
    Nothing.timed = clock.around(Nothing.plain)  # type: ignore[attr-defined]
    seconds = []
    for call in (nothing.plain, nothing.timed):  # type: ignore[attr-defined]
        start = perf_counter()
        for _ in range(_CALIBRATING):
            call(0)
        seconds.append((perf_counter() - start) / _CALIBRATING)
    plain, timed = seconds
    shown = clock.seconds / clock.calls
    return shown - plain, timed - shown
