"""An interrupt from the keyboard, wherever it comes, leaves an accelerator that works.

Python acts on signals when a function is entered and when one written in C returns. A profiling
function is called at just these points, and raises at one after the other.
"""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.host.board import call_queue
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.network import Network
from eie.host.network.example_networks import plain_network
from eie.host.run.selftest import _inputs, _reference

DESIGN = Design(pes=4, board="zcu104")
#: Where the driver's own steps are; pynq and the emulated board are not ours to interrupt.
FILES = tuple(
    f"host/board/{name}.py"
    for name in (
        "call_queue",
        "driver",
        "recovery",
        "transport",
        "dma",
        "overlay",
        "device_lock",
    )
)
INPUTS = _inputs(33, 7, 1)
OUTPUTS, _ = _reference(plain_network((33, 17, 5), 1), INPUTS)
NETWORK = Network(plain_network((33, 17, 5), 1).layers, INPUTS, OUTPUTS)


class Interrupt:
    """Raises KeyboardInterrupt at the given point of what is called."""

    def __init__(self, point: int) -> None:
        self.left = point
        self.where = ""

    def __call__(self, frame, event, argument) -> None:
        path = frame.f_code.co_filename
        if event not in ("call", "c_return") or "board_emulator" in path:
            return
        if path.endswith(FILES):
            self.left -= 1
            if self.left < 0:
                sys.setprofile(None)
                self.where = f"{path}:{frame.f_lineno} ({event})"
                raise KeyboardInterrupt

    def interrupts(self, call) -> bool:
        sys.setprofile(self)
        try:
            call()
        except KeyboardInterrupt:
            return True
        finally:
            sys.setprofile(None)
        return False


def works(accelerator: Accelerator) -> str:
    """Load and run in another thread, which waits for whatever the interrupt left behind."""
    found: list[str] = []

    def use() -> None:
        try:
            accelerator.load(NETWORK)
            found.append("" if np.array_equal(accelerator.run(INPUTS), OUTPUTS) else "wrong")
        except BaseException as error:
            found.append(repr(error))

    thread = threading.Thread(target=use, daemon=True)
    thread.start()
    thread.join(20)
    return found[0] if found else "hangs"


@pytest.fixture
def board(monkeypatch):
    monkeypatch.setattr(call_queue, "_LOOK_SECONDS", 0.01)
    with EmulatedBoard("zcu104", lambda: Emulator(DESIGN)) as board:
        yield board


@pytest.mark.parametrize("name", ["run", "load", "counters", "info", "verify"])
def test_a_call_may_be_interrupted_anywhere(board, name):
    point, last = 0, False
    with Accelerator(board.bitfile, buffer_bytes=512) as accelerator:
        accelerator.load(NETWORK)
        arguments = {"run": [INPUTS], "load": [NETWORK]}.get(name, [])
        while not last:
            interrupt = Interrupt(point)
            last = not interrupt.interrupts(lambda: getattr(accelerator, name)(*arguments))
            assert works(accelerator) == "", interrupt.where
            assert board.memory.used < 100_000
            point += 1
    assert point > 20


def test_closing_may_be_interrupted_anywhere(board):
    point, last = 0, False
    while not last:
        accelerator = Accelerator(board.bitfile, buffer_bytes=512)
        accelerator.load(NETWORK)
        interrupt = Interrupt(point)
        last = not interrupt.interrupts(accelerator.close)
        accelerator.close()
        assert board.memory.used == 0, interrupt.where
        assert not accelerator._engine._lock.held, interrupt.where
        point += 1
    assert point > 10


def test_opening_may_be_interrupted_anywhere(board):
    point, last = 0, False
    kept = []
    while not last:
        interrupt = Interrupt(point)
        try:
            sys.setprofile(interrupt)
            accelerator = Accelerator(board.bitfile, buffer_bytes=512)
            last = True
        except KeyboardInterrupt as error:
            # As IPython does: what the traceback holds does not go away.
            kept.append(error)
        finally:
            sys.setprofile(None)
        with Accelerator(board.bitfile, buffer_bytes=512) as following:
            assert works(following) == "", interrupt.where
        assert board.memory.used == 0, interrupt.where
        point += 1
    assert point > 20
    accelerator.close()
