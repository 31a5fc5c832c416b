"""The overlay that eie's driver works on, doing nothing: what is left of a call is eie's own."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import numpy.typing as npt
import pynq

from eie.host.board import driver
from eie.host.board.dma import ADDRESS, DMASR, LENGTH, MM2S, S2MM, DmaStatus
from eie.host.board.overlay import EieOverlay, state_files
from eie.host.protocol.engine import Engine

__all__ = ["StillOverlay"]

_DONE = int(DmaStatus.IDLE | DmaStatus.IOC_IRQ)


class StillOverlay(EieOverlay):
    """An overlay without pynq, on a board of which nothing is emulated.

    Registers are entries of a dict and buffers are plain arrays. Transfers are answered by an
    engine until :meth:`keep_still` is called. From then on writes do nothing, reads give what they
    gave last, and the last answer stays where it is: the same call can be made again and again,
    if it has the same packet number.

    Parameters
    ----------
    engine
        What answers.
    """

    def __init__(self, engine: Engine) -> None:
        # In place of what EieOverlay's own __init__ finds with pynq.
        self._engine = engine
        self._buffers: dict[int, _Buffer] = {}
        self._pynq = SimpleNamespace(allocate=self._allocate)
        self._overlay = SimpleNamespace(
            download=lambda: None, is_loaded=lambda: True, clock_dict={}
        )
        self._state_files = state_files(pynq)
        self._state = ()
        self._registers = _Registers(self._answer)
        self.to_be_loaded = True
        self.bitfile = Path("still.bit")
        self.device = SimpleNamespace(tag=f"still-{id(self)}")
        self.max_transfer = (1 << 26) - 8
        self.address_bits = 64
        self.dma_registers = self._registers
        self.kernel = _Kernel(engine)

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Let the driver open this in place of any bitstream."""
        with mock.patch.object(driver, "EieOverlay", lambda *_, **__: self):
            yield

    def keep_still(self) -> None:
        """Answer nothing from now on."""
        self._registers.keep_still()

    def _allocate(
        self, shape: tuple[int], dtype: npt.DTypeLike, target: object, cacheable: int
    ) -> _Buffer:
        buffer = np.zeros(shape, dtype).view(_Buffer)
        buffer.physical_address = (len(self._buffers) + 1) << 24
        self._buffers[buffer.physical_address] = buffer
        return buffer

    def _answer(self, values: dict[int, int]) -> None:
        """Do what the DMA and the kernel would do with a transfer."""
        request = self._buffers[values[MM2S.base + ADDRESS]]
        data = self._engine.process(request[: values[MM2S.base + LENGTH]].tobytes())
        received = self._buffers[values[S2MM.base + ADDRESS]]
        received[: len(data)] = np.frombuffer(data, np.uint8)
        values[S2MM.base + LENGTH] = len(data)


class _Kernel:
    """Stands for the driver that pynq binds to the kernel."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start(self) -> None:
        """Do nothing: it runs."""

    @property
    def registers(self) -> Mapping[str, int]:
        """The engine's."""
        return self._engine.registers


class _Registers:
    """Stands for ``pynq.MMIO``."""

    def __init__(self, answer: Callable[[dict[int, int]], None]) -> None:
        self._answer = answer
        self.values: defaultdict[int, int] = defaultdict(int)
        self.values.update({channel.base + DMASR: _DONE for channel in (MM2S, S2MM)})
        self.read: Callable[[int], int] = self.values.__getitem__
        self.write: Callable[[int, int], None] = self._write

    def keep_still(self) -> None:
        """Let writes do nothing."""
        self.write = _nothing

    def _write(self, offset: int, value: int) -> None:
        # Statuses and controls stay as they are: a transfer is complete as soon as it begins.
        if offset % S2MM.base >= ADDRESS:
            self.values[offset] = value
        if offset == MM2S.base + LENGTH:
            self._answer(self.values)


def _nothing(offset: int, value: int) -> None:
    """Write nothing."""


class _Buffer(np.ndarray):  # type: ignore[type-arg]
    """Stands for ``pynq.buffer.PynqBuffer``."""

    physical_address = 0

    def flush(self) -> None:
        """Do nothing."""

    def invalidate(self) -> None:
        """Do nothing."""

    def freebuffer(self) -> None:
        """Do nothing."""
