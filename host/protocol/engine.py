"""What takes packets and answers them: the emulator, the compiled C++, or a board behind a driver.

All engines take the same bytes and give the same bytes; whoever sends packets need not know which
one is behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

__all__ = ["Engine"]


@runtime_checkable
class Engine(Protocol):
    """An accelerator, real or not."""

    def process(self, packet: bytes) -> bytes:
        """Take the bytes of one packet, up to TLAST, and give those of its answer.

        A bad packet is answered with a status, as by the hardware; whatever may happen to it on
        its way raises nothing.
        """

    @property
    def registers(self) -> Mapping[str, int]:
        """The kernel's own AXI4-Lite registers by name (``eie.hls.spec.registers.PORTS``)."""

    def close(self) -> None:
        """Release what the engine holds; calling it again does nothing."""
