"""Calls from eie into pynq, and from pynq into the emulated device: clocked, noted, or left out."""

from __future__ import annotations

import contextlib
import statistics
import timeit
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
#: Owner, name, and what is put in the place of the method.
Replacement = tuple[Any, str, Method]
#: A call that was noted: owner, name, and what makes it again.
Call = tuple[type[Any], str, partial[Any]]

#: What eie calls of pynq; a part of a buffer is a new object, made and given up by code of pynq.
INTO_PYNQ: Methods = {
    pynq.MMIO: ("read", "write_reg"),
    pynq.Overlay: ("is_loaded",),
    PynqBuffer: ("flush", "invalidate", "__array_finalize__", "__del__"),
}
#: What pynq calls of the device.
INTO_DEVICE = {EmulatedDevice: ("read_registers", "write_registers", "flush", "invalidate")}


def wrapped(methods: Methods, wrap: Callable[[type[Any], str], Method]) -> list[Replacement]:
    """Put what `wrap` makes of owner and name in the place of each method."""
    return [(owner, name, wrap(owner, name)) for owner in methods for name in methods[owner]]


@contextlib.contextmanager
def replaced(replacements: Iterable[Replacement]) -> Iterator[None]:
    """Put methods in the place of others.

    ``pynq.MMIO`` binds its own when it is made: what is to go through others has to be opened here.
    """
    with contextlib.ExitStack() as stack:
        for each in replacements:
            stack.enter_context(mock.patch.object(*each))
        yield


def noting(calls: list[Call], methods: Methods) -> list[Replacement]:
    """Give replacements that note calls before they make them."""

    def wrap(owner: type[Any], name: str) -> Method:
        method = getattr(owner, name)

        def finalized(part: Any, whole: Any) -> None:
            method(part, whole)
            if isinstance(whole, PynqBuffer):
                calls.append((owner, name, partial(whole.__getitem__, slice(0, part.size))))

        def noted(*arguments: Any) -> Any:
            calls.append((owner, name, partial(method, *arguments)))
            return method(*arguments)

        # A part that was made again is given up by itself.
        return {"__array_finalize__": finalized, "__del__": method}.get(name, noted)

    return wrapped(methods, wrap)


def made_again(calls: Iterable[Call], owner: type[Any]) -> Action:
    """Give what makes calls of methods of `owner` again, one after another."""
    actions = [again for of, _, again in calls if of is owner]

    def make() -> None:
        for action in actions:
            action()

    return make


def mapped(calls: Iterable[Call]) -> Action:
    """Give the register accesses of `calls`, as pynq makes them on a board: in mapped memory.

    The emulated device gets them another way. The memory here is ordinary: no bus is in it.
    """
    device = SimpleNamespace(
        has_capability=lambda name: name == "MEMORY_MAPPED",
        mmap=lambda base, length: np.zeros(length // 4, np.uint32),
    )
    registers = pynq.MMIO(0, 1 << 16, device=device)
    ways = {"read": registers.read, "write_reg": registers.write}
    moved = [partial(ways[name], *again.args[1:]) for _, name, again in calls if name in ways]
    return made_again([(pynq.MMIO, "", access) for access in moved], pynq.MMIO)


def without_pynq(calls: Iterable[Call]) -> list[Replacement]:
    """Let the calls that eie makes into pynq do nothing, and reads give what they give now.

    `calls` are those of a run; the same run can then be made again and again on the same board, if
    it has the same packet number, since the last answer stays where it is.
    """
    reads = [again.args for _, name, again in calls if name == "read"]
    registers = reads[0][0]
    values = {offset: registers.read(offset) for _, offset in reads}
    return [
        (registers, "read", values.__getitem__),
        (registers, "write", lambda offset, value: None),
        (pynq.Overlay, "is_loaded", lambda overlay: True),
        *((PynqBuffer, name, lambda *_: None) for name in INTO_PYNQ[PynqBuffer]),
    ]


class Attribution:
    """Whose time a call is, by clocks around all calls into pynq and into the device."""

    def __init__(self) -> None:
        self._seconds, self._calls = Counter[str](), Counter[str]()
        self._inside, self._outside = self._cost_of_a_clock()
        #: Microseconds of a call by side, without what the clocks took, as often as measured.
        self.found: list[dict[str, float]] = []
        self.clocks = wrapped(INTO_PYNQ, partial(self._clock, "pynq"))
        self.clocks += wrapped(INTO_DEVICE, partial(self._clock, "device"))

    def _clock(self, side: str, owner: Any, name: str) -> Method:
        """Put a clock around a method, which goes on in calls from one into another."""
        method, seconds, calls = getattr(owner, name), self._seconds, self._calls

        def timed(*arguments: Any) -> Any:
            start = perf_counter()
            result = method(*arguments)
            seconds[side] += perf_counter() - start
            calls[side] += 1
            return result

        return timed

    def _cost_of_a_clock(self, calls: int = 200) -> Sequence[float]:
        """Measure what a clock adds to a call, in seconds: in what it shows, and around that."""
        nothing = SimpleNamespace(call=lambda self, argument: None)
        ways = nothing.call, self._clock("nothing", nothing, "call")
        costs = []
        for _ in range(100):
            self._seconds.clear()
            plain, whole = (timeit.timeit(partial(way, nothing, 0), number=calls) for way in ways)
            shown = self._seconds["nothing"]
            costs.append(((shown - plain) / calls, (whole - shown) / calls))
        return np.median(costs, axis=0).tolist()

    def measure(self, call: Action, times: int) -> None:
        """Make a call many times among the clocks, and keep whose time it was."""
        seconds, calls = self._seconds, self._calls
        seconds.clear()
        calls.clear()
        whole = timeit.timeit(call, timer=perf_counter, number=times)
        # A clock's own time is partly in what it measures, and partly in what is around that.
        shown = {side: seconds[side] - calls[side] * self._inside for side in ("pynq", "device")}
        around = {side: seconds[side] + calls[side] * self._outside for side in shown}
        shares = {"eie": whole - around["pynq"], "pynq": shown["pynq"] - around["device"]}
        shares["device"] = shown["device"]
        self.found.append({side: 1e6 * share / times for side, share in shares.items()})

    def timings(self) -> dict[str, Timing]:
        """Time by side: medians each for itself, and all of the call that took least."""
        best = min(self.found, key=lambda shares: sum(shares.values()))
        medians = {side: statistics.median(each[side] for each in self.found) for side in best}
        return {side: Timing(round(medians[side], 3), round(best[side], 3)) for side in best}
