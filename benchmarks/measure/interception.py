"""Calls from eie into pynq, and from pynq into the emulated device: clocked, noted, or left out."""

from __future__ import annotations

import contextlib
import statistics
import timeit
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from time import perf_counter
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pynq
from pynq.buffer import PynqBuffer

from benchmarks.measure.timing import Action, Timing
from eie.host.board_emulator.device import EmulatedDevice

Method = Callable[..., Any]
Methods = Mapping[type[Any], tuple[str, ...]]
#: Owner, name, and what is put in the place of the method.
Replacement = tuple[Any, str, Method]

#: What eie calls of pynq, directly or through numpy. A part of a buffer is a new object, made and
#: given up by code of pynq.
INTO_PYNQ: Methods = {
    pynq.MMIO: ("read", "write_reg"),
    pynq.Overlay: ("is_loaded",),
    PynqBuffer: ("flush", "invalidate", "__array_finalize__", "__del__"),
}
#: What pynq calls of the device.
INTO_DEVICE: Methods = {
    EmulatedDevice: ("read_registers", "write_registers", "flush", "invalidate")
}
#: Whose time a call is.
SIDES = ("eie", "pynq", "device")


def wrapped(methods: Methods, wrap: Callable[[type[Any], str], Method]) -> Iterator[Replacement]:
    """Put what `wrap` makes of owner and name in the place of each method."""
    for owner, names in methods.items():
        for name in names:
            yield owner, name, wrap(owner, name)


@contextlib.contextmanager
def replaced(replacements: Iterable[Replacement]) -> Iterator[None]:
    """Put methods in the place of others inside of the ``with`` statement.

    ``pynq.MMIO`` binds its methods when it is made: what is to go through replacements of the class
    has to be opened inside.
    """
    with contextlib.ExitStack() as stack:
        for owner, name, method in replacements:
            stack.enter_context(mock.patch.object(owner, name, method))
        yield


class Call(NamedTuple):
    """A call that was noted."""

    owner: type[Any]
    name: str
    #: Makes it again.
    again: partial[Any]


def noting(calls: list[Call], methods: Methods) -> Iterator[Replacement]:
    """Give replacements that note calls before they make them."""

    def wrap(owner: type[Any], name: str) -> Method:
        method = getattr(owner, name)

        def finalized(part: Any, whole: Any) -> None:
            method(part, whole)
            if isinstance(whole, PynqBuffer):
                again = partial(whole.__getitem__, slice(0, part.size))
                calls.append(Call(owner, name, again))

        def noted(object_: Any, *arguments: Any) -> Any:
            calls.append(Call(owner, name, partial(method, object_, *arguments)))
            return method(object_, *arguments)

        # A part that was made again is given up by itself.
        return {"__array_finalize__": finalized, "__del__": method}.get(name, noted)

    return wrapped(methods, wrap)


def made_again(calls: Iterable[Call], owner: type[Any] = object) -> Action:
    """Give what makes calls of methods of `owner` again, one after another."""
    actions = [call.again for call in calls if issubclass(call.owner, owner)]

    def again() -> None:
        for action in actions:
            action()

    return again


def mapped(calls: Iterable[Call]) -> Action:
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
    accesses = [call for call in calls if call.owner is pynq.MMIO]
    return made_again(
        call._replace(again=partial(ways[call.name], *call.again.args[1:])) for call in accesses
    )


def without_pynq(calls: Iterable[Call]) -> list[Replacement]:
    """Let the calls that eie makes into pynq do nothing, and reads give what they give now.

    `calls` are those of a run; the same run can then be made again and again on the same board, if
    it has the same packet number, since the last answer stays where it is.
    """
    accesses = [call for call in calls if call.owner is pynq.MMIO]
    registers = accesses[0].again.args[0]
    offsets = {call.again.args[1] for call in accesses if call.name == "read"}
    values = {offset: registers.read(offset) for offset in offsets}
    return [
        (registers, "read", values.__getitem__),
        (registers, "write", lambda offset, value: None),
        (pynq.Overlay, "is_loaded", lambda overlay: True),
        *((PynqBuffer, name, lambda *_: None) for name in INTO_PYNQ[PynqBuffer]),
    ]


class Clock:
    """Time spent in methods, calls from one into another included."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0

    def around(self, owner: Any, name: str) -> Method:
        """Give the method with this clock around it."""
        method = getattr(owner, name)

        def timed(*arguments: Any) -> Any:
            start = perf_counter()
            result = method(*arguments)
            self.seconds += perf_counter() - start
            self.calls += 1
            return result

        return timed

    @classmethod
    def cost(cls, times: int = 20_000) -> tuple[float, float]:
        """Measure what a clock adds to a call, in seconds: in what it shows, and around that."""
        clock, nothing = cls(), SimpleNamespace(call=lambda self, argument: None)
        plain, whole = (
            timeit.timeit(partial(call, nothing, 0), number=times) / times
            for call in (nothing.call, clock.around(nothing, "call"))
        )
        shown = clock.seconds / clock.calls
        return shown - plain, whole - shown


class Attribution:
    """Whose time a call is, by clocks around all calls into pynq and into the device."""

    def __init__(self) -> None:
        self._pynq, self._device = Clock(), Clock()
        self._inside, self._outside = Clock.cost()
        #: Microseconds of a call by side, without what the clocks took, as often as measured.
        self.found: list[dict[str, float]] = []
        #: The clocks.
        self.clocks = [
            *wrapped(INTO_PYNQ, self._pynq.around),
            *wrapped(INTO_DEVICE, self._device.around),
        ]

    def measure(self, call: Action, times: int) -> None:
        """Make a call many times among the clocks, and keep whose time it was."""
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
