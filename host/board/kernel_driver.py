"""The kernel of an overlay, as pynq binds it: ``overlay.eie_0``.

pynq imports this module whenever it opens an overlay (entry point ``pynq.lib``), and gives every IP
whose type is :data:`eie.hls.spec.registers.VLNV` this driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynq import DefaultIP

from eie.hls.spec.registers import AUTO_RESTART, IDLE, PORTS, START, VLNV, offset_of

__all__ = ["EieKernel"]


class EieKernel(DefaultIP):  # type: ignore[misc]  # pynq has no type information
    """Registers of the accelerator.

    This is what can be read and done without packets. To load and run networks, give the overlay
    to :class:`eie.host.board.driver.Accelerator`.

    Parameters
    ----------
    description
        Entry of the overlay's ``ip_dict``.
    """

    #: Types that pynq gives this driver; of another version of the kernel it warns.
    bindto = [VLNV]  # noqa: RUF012  # pynq's name and type

    def __init__(self, description: Mapping[str, Any]) -> None:
        # Without its interrupt: pynq would look for the line in Linux and bind it to an event loop,
        # and fail in a thread that has none. That a packet is done is known from the DMA.
        super().__init__({**description, "interrupts": {}})

    def start(self) -> None:
        """Let the kernel answer packets, one after the other, for ever."""
        self.write(offset_of("CTRL"), START | AUTO_RESTART)

    @property
    def running(self) -> bool:
        """Whether the kernel works on a packet or waits for one."""
        return not self.read(offset_of("CTRL")) & IDLE

    @property
    def registers(self) -> Mapping[str, int]:
        """The kernel's own registers by name; valid once a packet was answered."""
        return {port.name: self.read(port.offset) for port in PORTS}
