"""The kernel's IP around an engine: AXI4-Lite registers (``ap_ctrl_hs``) and two streams."""

from __future__ import annotations

from collections.abc import Callable

from eie.hls.spec.packets import BEAT_BYTES
from eie.hls.spec.registers import (
    AUTO_RESTART,
    DONE,
    IDLE,
    PORTS,
    READY,
    START,
    offset_of,
)
from eie.host.board_emulator.faults import Faults
from eie.host.protocol.engine import Engine

__all__ = ["EmulatedKernel"]

_CTRL, _GIER, _IP_IER, _IP_ISR = (offset_of(n) for n in ("CTRL", "GIER", "IP_IER", "IP_ISR"))
#: Interrupt bits: done and ready.
_INTERRUPTS = 0b11


class EmulatedKernel:
    """The kernel as the block design sees it; one call of it answers one packet.

    Parameters
    ----------
    engine
        What answers the packets.
    faults
        What goes wrong on the way.
    reset_fabric
        Called when a fault resets the fabric.
    """

    def __init__(self, engine: Engine, faults: Faults, reset_fabric: Callable[[], None]) -> None:
        self._engine = engine
        self._faults = faults
        self._reset_fabric = reset_fabric
        self._ports = {port.offset: port.name for port in PORTS}
        self._running = self._auto_restart = self._done = self._hung = False
        self._stored = {_GIER: 0, _IP_IER: 0, _IP_ISR: 0}
        self._answer = bytearray()
        #: The answer before, whole.
        self._last = b""
        self._tlast = True
        #: Whether the ports are valid, as they are once something was written to them.
        self._answered = False
        #: Reads until a request is taken, and until the answer comes as fast as it can.
        self._stall = self._slow = 0
        #: Bytes that may go out before the next read.
        self._credit = 0
        #: Bytes that may go out before the fabric is reset.
        self._until_reset: int | None = None

    def close(self) -> None:
        """Release the engine."""
        self._engine.close()

    # AXI4-Lite -----------------------------------------------------------------------------

    def read(self, offset: int) -> int:
        """Read a register; done is cleared by it (UG1399, S_AXILITE control register map)."""
        if offset == _CTRL:
            value = START * self._running | IDLE * (not self._running)
            value |= (DONE | READY) * self._done | AUTO_RESTART * self._auto_restart
            self._done = False
            return value
        if offset in self._ports:
            return self._engine.registers[self._ports[offset]] if self._answered else 0
        return self._stored.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        """Write a register; one that is read-only stays as it is."""
        if offset == _CTRL:
            self._auto_restart = bool(value & AUTO_RESTART)
            self._running = self._running or bool(value & START)
        elif offset == _IP_ISR:
            self._stored[_IP_ISR] ^= value & _INTERRUPTS
        elif offset in self._stored:
            self._stored[offset] = value & _INTERRUPTS

    @property
    def interrupt(self) -> bool:
        """Whether the interrupt pin is high."""
        return bool(self._stored[_GIER] & 1 and self._stored[_IP_ISR])

    def tick(self) -> None:
        """Let the time of one register access pass."""
        self._stall = max(0, self._stall - 1)
        self._slow = max(0, self._slow - 1)
        self._credit = BEAT_BYTES

    # Streams -------------------------------------------------------------------------------

    def accept(self, packet: bytes) -> bool:
        """Take a packet, up to TLAST; False while the kernel stands or its last answer waits."""
        self._stall = self._faults.take("stall") or self._stall
        if not self._running or self._hung or self._answer or self._stall:
            return False
        if self._faults.take("hang"):
            self._hung = True
            return True
        packet = _truncate(packet, self._faults.take("truncate_request"))
        packet = _flip(packet, self._faults.take("flip_request_bit"))
        answer = self._engine.process(packet)
        before, self._last = self._last or answer, answer
        if self._faults.take("stale_answer"):
            answer = before
        answer = _truncate(answer, self._faults.take("truncate_answer"))
        self._answer = bytearray(_flip(answer, self._faults.take("flip_answer_bit")))
        self._tlast = not self._faults.take("drop_tlast")
        self._slow, self._credit = self._faults.take("slow"), 0
        beats = self._faults.take("reset")
        if beats is not None:
            self._until_reset = min(beats * BEAT_BYTES, len(self._answer) - BEAT_BYTES)
        return True

    def deliver(self, most: int) -> tuple[bytes, bool]:
        """Give up to `most` bytes of the answer, and whether TLAST came with the last of them."""
        if self._until_reset == 0:
            self._reset_fabric()
            return b"", False
        if self._until_reset is not None:
            most = min(most, self._until_reset)
        if self._slow:
            most = min(most, self._credit, len(self._answer) - BEAT_BYTES)
        data = bytes(self._answer[:most])
        del self._answer[:most]
        self._credit -= len(data)
        if self._until_reset is not None:
            self._until_reset -= len(data)
        if not data or self._answer:
            return data, False
        self._done, self._answered, self._running = True, True, self._auto_restart
        self._stored[_IP_ISR] |= self._stored[_IP_IER]
        return data, self._tlast


def _truncate(packet: bytes, beats: int | None) -> bytes:
    """Keep so many beats of a packet: fewer than it has, if it has more than one."""
    if beats is None:
        return packet
    return packet[: min(beats * BEAT_BYTES, max(len(packet) - BEAT_BYTES, BEAT_BYTES))]


def _flip(data: bytes, bit: int | None) -> bytes:
    """Invert a bit of `data`, counted from its first byte's lowest, and again from there."""
    if bit is None or not data:
        return data
    flipped = bytearray(data)
    bit %= 8 * len(data)
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)
