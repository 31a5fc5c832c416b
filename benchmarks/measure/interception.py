"""Calls from eie into pynq, and from pynq into the emulated device: clocked, noted, or left out."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pynq
from pynq.buffer import PynqBuffer

from benchmarks.measure.timing import Action, Timing
from eie.host.board_emulator.device import EmulatedDevice

Method = Callable[..., Any]
Methods = Mapping[type[Any], tuple[str, ...]]
#: Owner, name and new method.
Replacement = tuple[Any, str, Method]

#: What eie calls of pynq, directly or through numpy.
INTO_PYNQ: Methods = {
    pynq.MMIO: ("read", "write_reg"),
    pynq.Overlay: ("is_loaded",),
    # A part of a buffer is a new object, made and given up by code of pynq.
    PynqBuffer: ("flush", "invalidate", "__array_finalize__", "__del__"),
}
#: What pynq calls of the device.
INTO_DEVICE: Methods = {
    EmulatedDevice: ("read_registers", "write_registers", "flush", "invalidate")
}
#: Whose time a call is.
SIDES = ("eie", "pynq", "device")
#: Calls of a method that does nothing, to see what a clock takes.
_CALIBRATING = 20_000


class Interception:
    """Methods in the place of others while installed, again and again if need be.

    ``pynq.MMIO`` binds its methods when it is made: what is to go through replacements of the class
    has to be opened while they are installed.

    Parameters
    ----------
    replacements
        What to put in place.
    """

    def __init__(self, replacements: Iterable[Replacement]) -> None:
        self._patches = [mock.patch.object(*each) for each in replacements]

    def __enter__(self) -> Interception:
        for patch in self._patches:
            patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        for patch in self._patches:
            patch.stop()


def wrapped(methods: Methods, wrap: Callable[[type[Any], str], Method]) -> Iterator[Replacement]:
    """Give what `wrap` makes of owner and name in the place of each method."""
    for owner, names in methods.items():
        for name in names:
            yield owner, name, wrap(owner, name)


@dataclass(frozen=True)
class Call:
    """A call that was noted."""

    owner: type[Any]
    name: str
    #: Makes it again.
    again: partial[Any]


class Notes(list[Call]):
    """Calls in the order in which they were made, inside of ``with notes.taken(methods)``."""

    def taken(self, methods: Methods) -> Interception:
        """Give the interception that notes calls."""
        return Interception(wrapped(methods, self._noting))

    def of(self, owner: type[Any]) -> Notes:
        """Calls of methods of one class."""
        return Notes(call for call in self if call.owner is owner)

    @property
    def counts(self) -> Counter[str]:
        """How many calls there were of each method."""
        return Counter(call.name for call in self)

    def again(self) -> Action:
        """Give what makes all calls again, one after another."""
        actions = [call.again for call in self]

        def make() -> None:
            for action in actions:
                action()

        return make

    def _noting(self, owner: type[Any], name: str) -> Method:
        method = getattr(owner, name)

        def finalized(part: Any, whole: Any) -> None:
            method(part, whole)
            if isinstance(whole, PynqBuffer):
                again = partial(whole.__getitem__, slice(0, part.size))
                self.append(Call(owner, name, again))

        def noted(object_: Any, *arguments: Any) -> Any:
            self.append(Call(owner, name, partial(method, object_, *arguments)))
            return method(object_, *arguments)

        if name == "__del__":  # comes by itself when a part that was made again is given up
            return method  # type: ignore[no-any-return]
        return finalized if name == "__array_finalize__" else noted


def mapped(calls: Notes) -> Action:
    """Give the register accesses of `calls`, as pynq makes them on a board: in mapped memory.

    The emulated device gets its registers through another way in ``pynq.MMIO``, so that it sees
    them. The memory here is ordinary: what an access over the bus takes is not in it.
    """
    device = SimpleNamespace(
        has_capability=lambda name: name == "MEMORY_MAPPED",
        mmap=lambda base, length: np.zeros(length // 4, np.uint32),
    )
    registers = pynq.MMIO(0, 1 << 16, device=device)
    ways = {"read": registers.read, "write_reg": registers.write}
    return Notes(
        Call(call.owner, call.name, partial(ways[call.name], *call.again.args[1:]))
        for call in calls.of(pynq.MMIO)
    ).again()


def without_pynq(calls: Notes) -> Interception:
    """Let the calls that eie makes into pynq do nothing, and reads give what they give now.

    `calls` are those of a run; the same run can then be made again and again on the same board, if
    it has the same packet number, since the last answer stays where it is.
    """
    registers: Any = calls.of(pynq.MMIO)[0].again.args[0]
    offsets = {call.again.args[1] for call in calls.of(pynq.MMIO) if call.name == "read"}
    values = {offset: registers.read(offset) for offset in offsets}
    return Interception(
        (
            (registers, "read", values.__getitem__),
            (registers, "write", lambda offset, value: None),
            (pynq.Overlay, "is_loaded", lambda overlay: True),
            *((PynqBuffer, name, lambda *_: None) for name in INTO_PYNQ[PynqBuffer]),
        )
    )


class _Clock:
    """Time spent in methods, calls from one into another included."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0

    def around(self, owner: type[Any], name: str) -> Method:
        """Give the method with this clock around it."""
        method = getattr(owner, name)

        def timed(object_: Any, *arguments: Any) -> Any:
            start = perf_counter()
            result = method(object_, *arguments)
            self.seconds += perf_counter() - start
            self.calls += 1
            return result

        return timed


class Clocks(Interception):
    """Clocks around all calls into pynq and into the device, and whose time a call was by them."""

    def __init__(self) -> None:
        self._pynq, self._device = _Clock(), _Clock()
        self._inside, self._outside = _cost_of_a_clock()
        #: Microseconds of a call by side, without what the clocks took, as often as measured.
        self.found: list[dict[str, float]] = []
        into_pynq = wrapped(INTO_PYNQ, self._pynq.around)
        super().__init__([*into_pynq, *wrapped(INTO_DEVICE, self._device.around)])

    def measure(self, call: Action, times: int) -> None:
        """Make a call many times, and keep whose time it was."""
        pynqs, devices = self._pynq, self._device
        for clock in (pynqs, devices):
            clock.seconds, clock.calls = 0.0, 0
        start = perf_counter()
        for _ in range(times):
            call()
        whole = perf_counter() - start
        # A clock's own time is partly in what it measures, and partly in what is around that.
        device = devices.seconds - devices.calls * self._inside
        pynq = pynqs.seconds - pynqs.calls * self._inside
        pynq -= devices.seconds + devices.calls * self._outside
        eie = whole - pynqs.seconds - pynqs.calls * self._outside
        shares = (1e6 * share / times for share in (eie, pynq, device))
        self.found.append(dict(zip(SIDES, shares, strict=True)))

    def timings(self) -> dict[str, Timing]:
        """Time by side: medians each for itself, and all of the call that took least."""
        best = min(self.found, key=lambda shares: sum(shares.values()))
        medians = {side: statistics.median(each[side] for each in self.found) for side in SIDES}
        return {side: Timing(round(medians[side], 3), round(best[side], 3)) for side in SIDES}


def _cost_of_a_clock() -> tuple[float, float]:
    """Measure what a clock adds to a call, in seconds: in what it shows, and around that."""

    class Nothing:
        def plain(self, argument: int) -> None:
            pass

    clock, nothing = _Clock(), Nothing()
    timed = partial(clock.around(Nothing, "plain"), nothing)
    seconds = []
    for call in (nothing.plain, timed):
        start = perf_counter()
        for _ in range(_CALIBRATING):
            call(0)
        seconds.append((perf_counter() - start) / _CALIBRATING)
    shown = clock.seconds / clock.calls
    return shown - seconds[0], seconds[1] - shown
