"""Calls from eie into pynq, and from pynq into the emulated device, noted down to be made again."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pynq
from pynq.buffer import PynqBuffer

from eie.host.board_emulator.device import EmulatedDevice

__all__ = ["Calls", "device_calls", "made_again", "mapped", "pynq_calls"]

#: Methods of the device that pynq calls for registers and for buffers.
_DEVICE_METHODS = ("read_registers", "write_registers", "flush", "invalidate")

Action = Callable[[], object]


@dataclass
class Calls:
    """Calls in the order in which they were made; nothing is noted while :attr:`open` is False."""

    #: By kind: ``"registers"``, ``"buffers"`` or ``"overlay"``.
    actions: list[tuple[str, Action]] = field(default_factory=list)
    #: How many calls there were of each method.
    counts: Counter[str] = field(default_factory=Counter)
    open: bool = False

    def note(self, kind: str, name: str, action: Action) -> None:
        """Note a call, if it is to be noted."""
        if self.open:
            self.actions.append((kind, action))
            self.counts[name] += 1

    def of(self, kind: str) -> list[Action]:
        """Calls of a kind."""
        return [action for each, action in self.actions if each == kind]

    def all(self) -> list[Action]:
        """All calls."""
        return [action for _, action in self.actions]

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Note calls inside of the ``with`` statement."""
        self.open = True
        try:
            yield
        finally:
            self.open = False


def made_again(actions: list[Action]) -> Action:
    """Give what makes calls again, one after another."""

    def again() -> None:
        for action in actions:
            action()

    return again


def mapped(calls: Calls) -> list[Action]:
    """Give the register accesses of `calls`, as pynq makes them on a board: in mapped memory.

    The emulated device gets its registers through another way in ``pynq.MMIO``, so that it sees
    them. The memory here is ordinary: what an access over the bus takes is not in it.
    """
    device = SimpleNamespace(
        has_capability=lambda name: name == "MEMORY_MAPPED",
        mmap=lambda base, length: np.zeros(length // 4, np.uint32),
    )
    opened: dict[int, Any] = {}
    actions = []
    for kind, action in calls.actions:
        if kind == "registers":
            assert isinstance(action, partial)
            registers, *arguments = action.args
            if registers.base_addr not in opened:
                opened[registers.base_addr] = pynq.MMIO(
                    registers.base_addr, registers.length, device=device
                )
            of_board = opened[registers.base_addr]
            access = of_board.read if len(arguments) == 1 else of_board.write
            actions.append(partial(access, *arguments))
    return actions


@contextlib.contextmanager
def device_calls() -> Iterator[Calls]:
    """Note what pynq calls of an emulated device."""
    calls = Calls()
    with contextlib.ExitStack() as stack:
        for name in _DEVICE_METHODS:
            kind = "registers" if "registers" in name else "buffers"
            stack.enter_context(_noting(calls, kind, EmulatedDevice, name))
        yield calls


@contextlib.contextmanager
def pynq_calls() -> Iterator[Calls]:
    """Note what is called of pynq's registers and buffers.

    Only of registers that were opened inside of the ``with`` statement: ``pynq.MMIO`` binds its
    methods when it is made.
    """
    calls = Calls()
    finalize = PynqBuffer.__array_finalize__
    address = PynqBuffer.physical_address

    def finalized(self: Any, whole: Any) -> None:
        finalize(self, whole)
        if isinstance(whole, PynqBuffer):
            # A part of a buffer is a new object, made and given up by code of pynq.
            part = slice(0, self.nbytes // self.itemsize)
            calls.note("buffers", "part", partial(whole.__getitem__, part))

    def asked_for_address(self: Any) -> Any:
        calls.note("buffers", "address", partial(address.fget, self))
        return address.fget(self)

    with contextlib.ExitStack() as stack:
        for name in ("read", "write_reg"):
            stack.enter_context(_noting(calls, "registers", pynq.MMIO, name))
        for name in ("flush", "invalidate"):
            stack.enter_context(_noting(calls, "buffers", PynqBuffer, name))
        stack.enter_context(_noting(calls, "overlay", pynq.Overlay, "is_loaded"))
        stack.enter_context(mock.patch.object(PynqBuffer, "__array_finalize__", finalized))
        stack.enter_context(
            mock.patch.object(PynqBuffer, "physical_address", property(asked_for_address))
        )
        yield calls


def _noting(calls: Calls, kind: str, owner: type[Any], name: str) -> Any:
    """Patch a method so that its calls are noted before they are made."""
    method = getattr(owner, name)

    def noting(self: Any, *arguments: Any) -> Any:
        calls.note(kind, name, partial(method, self, *arguments))
        return method(self, *arguments)

    return mock.patch.object(owner, name, noting)
