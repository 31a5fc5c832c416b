"""AXI DMA in direct register mode: one request out, one answer back, never waiting for ever.

Register map and behaviour are those of PG021 (AXI DMA v7.1). pynq has a driver for the same IP;
its ``wait()`` and ``stop()`` spin without a deadline, so this one drives the registers itself.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from eie.hls.boundary.errors import DeviceError, DeviceTimeoutError

__all__ = [
    "ADDRESS",
    "ADDRESS_MSB",
    "DMACR",
    "DMASR",
    "LENGTH",
    "MM2S",
    "RESET",
    "RUN_STOP",
    "S2MM",
    "Channel",
    "Dma",
    "DmaError",
    "DmaStatus",
    "RegisterAccess",
]

#: Offsets within a channel: control, status, address (low and high half), length in bytes.
DMACR, DMASR, ADDRESS, ADDRESS_MSB, LENGTH = 0x00, 0x04, 0x18, 0x1C, 0x28
#: Bits of DMACR. A reset of either channel resets both.
RUN_STOP, RESET = 1 << 0, 1 << 2


class DmaStatus(enum.IntFlag):
    """Bits of DMASR in direct register mode."""

    HALTED = 1 << 0  #: stopped; a write to LENGTH does nothing
    IDLE = 1 << 1  #: the transfer is complete; also 0 while halted and before the first one
    INTERNAL_ERROR = 1 << 4  #: DMAIntErr
    SLAVE_ERROR = 1 << 5  #: DMASlvErr
    DECODE_ERROR = 1 << 6  #: DMADecErr
    IOC_IRQ = 1 << 12  #: a transfer has completed; cleared by writing 1
    ERR_IRQ = 1 << 14  #: an error has happened; cleared by writing 1


#: A wait looks at the registers without pause for so long, since short answers are worth it. Then
#: it sleeps in between, for a share of what it has waited: other threads run, and the answer is
#: noticed too late by no more than that share.
_BUSY_SECONDS = 1e-3
_SLEEP_SHARE = 1 / 20
_LONGEST_SLEEP = 2e-3

_ERRORS = {
    DmaStatus.INTERNAL_ERROR: (
        "DMAIntErr: the packet is longer than its buffer, or writing it to memory failed"
    ),
    DmaStatus.SLAVE_ERROR: "DMASlvErr: memory refused the access",
    DmaStatus.DECODE_ERROR: "DMADecErr: there is no memory at the address",
    DmaStatus.HALTED: (
        "it was stopped or reset while it worked: see whether something else loads bitstreams or "
        "resets the fabric"
    ),
}


# Plain ints: operations on flags take microseconds, and these are done for every packet.
_ERROR_BITS = sum(int(bit) for bit in _ERRORS)
_COMPLETE = int(DmaStatus.IOC_IRQ)
_CLEAR = int(DmaStatus.IOC_IRQ | DmaStatus.ERR_IRQ)


@dataclass(frozen=True)
class Channel:
    """One direction of the DMA."""

    #: Name in PG021.
    name: str
    #: Offset of its registers.
    base: int
    #: What travels on it.
    carries: str


#: From memory to the kernel.
MM2S = Channel("MM2S", 0x00, "request")
#: From the kernel to memory.
S2MM = Channel("S2MM", 0x30, "answer")


class DmaError(DeviceError):
    """The DMA stopped with an error, or was stopped.

    Cure: call again; if it stays, look for another program that uses the DMA, and for its clock.
    """

    def __init__(self, channel: Channel, errors: DmaStatus) -> None:
        #: Channel that stopped.
        self.channel = channel
        #: Error bits of its DMASR; HALTED alone when it was stopped by somebody else.
        self.errors = errors
        meanings = "; ".join(text for bit, text in _ERRORS.items() if bit & errors)
        super().__init__(
            f"DMA error on {channel.name} ({channel.carries}): {meanings}. The next call loads the "
            "bitstream again"
        )


class RegisterAccess(Protocol):
    """32-bit registers by byte offset, as ``pynq.MMIO`` gives them."""

    def read(self, offset: int) -> int:
        """Read a register."""

    def write(self, offset: int, data: int) -> None:
        """Write a register."""


class Dma:
    """One AXI DMA without scatter-gather, polled.

    Parameters
    ----------
    registers
        Its AXI4-Lite registers.
    clock
        Seconds, rising; what deadlines are measured by.
    sleep
        Gives the processor away for some seconds.
    """

    def __init__(
        self,
        registers: RegisterAccess,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._registers = registers
        self._clock = clock
        self._sleep = sleep
        self._timeout = self._started = 0.0

    def reset(self, timeout: float) -> None:
        """Reset both channels, which abandons what is under way, and start them.

        Raises
        ------
        DeviceTimeoutError
            If that takes longer than `timeout` seconds.
        """
        deadline = self._clock() + timeout
        self._write(MM2S, DMACR, RESET)
        self._wait_clear(MM2S, DMACR, RESET, deadline)
        for channel in (MM2S, S2MM):
            self._write(channel, DMACR, RUN_STOP)
            self._wait_clear(channel, DMASR, DmaStatus.HALTED, deadline)

    def start(
        self,
        request_address: int,
        request_bytes: int,
        answer_address: int,
        answer_bytes: int,
        timeout: float,
    ) -> None:
        """Begin to send a request and to receive its answer, up to TLAST.

        Parameters
        ----------
        request_address, answer_address
            Physical addresses.
        request_bytes
            Bytes to send; TLAST goes with the last ones.
        answer_bytes
            Room for the answer; the DMA stops with DMAIntErr when it is longer.
        timeout
            Seconds from now on.
        """
        self._timeout, self._started = timeout, self._clock()
        # The answer's channel goes first: a kernel that answers while it still takes the
        # request would otherwise block, and the request with it.
        self._begin(S2MM, answer_address, answer_bytes)
        self._begin(MM2S, request_address, request_bytes)

    def finish(self) -> int:
        """Wait until both directions of what was started are complete.

        Returns
        -------
        int
            Bytes of the answer.

        Raises
        ------
        DmaError
            If a channel stops with an error.
        DeviceTimeoutError
            If either direction is not complete in time. After any error the DMA needs a
            :meth:`reset`.
        """
        waiting = [MM2S, S2MM]
        while True:
            # Asked before the registers are read, so that the last look is past the deadline.
            waited = self._clock() - self._started
            statuses = {channel: self._status(channel) for channel in (MM2S, S2MM)}
            # IOC_Irq and not Idle: Idle is also set from the transfer before.
            waiting = [c for c in waiting if not statuses[c] & _COMPLETE]
            if not waiting:
                return self._read(S2MM, LENGTH)
            if waited >= self._timeout:
                raise DeviceTimeoutError(_timeout_message(self._timeout, waiting, statuses))
            if waited >= _BUSY_SECONDS:
                self._sleep(min(waited * _SLEEP_SHARE, _LONGEST_SLEEP))

    def _begin(self, channel: Channel, address: int, length: int) -> None:
        self._write(channel, DMASR, _CLEAR)
        self._write(channel, ADDRESS, address & 0xFFFF_FFFF)
        self._write(channel, ADDRESS_MSB, address >> 32)
        self._write(channel, LENGTH, length)

    def _status(self, channel: Channel) -> int:
        status = self._read(channel, DMASR)
        if not status & _ERROR_BITS:
            return status
        errors = DmaStatus(status & _ERROR_BITS)
        # An error halts the channel, too; then the error is the news.
        raise DmaError(channel, errors & ~DmaStatus.HALTED or errors)

    def _wait_clear(self, channel: Channel, offset: int, bit: int, deadline: float) -> None:
        while True:
            late = self._clock() >= deadline
            value = self._read(channel, offset)
            if not value & bit:
                return
            if late:
                raise DeviceTimeoutError(
                    f"the DMA does not come out of reset ({channel.name} register {offset:#x} "
                    f"stays {value:#010x}): check that the fabric's clock runs"
                )

    def _read(self, channel: Channel, offset: int) -> int:
        return self._registers.read(channel.base + offset)

    def _write(self, channel: Channel, offset: int, value: int) -> None:
        # A plain int: pynq's MMIO refuses subclasses such as IntFlag.
        self._registers.write(channel.base + offset, int(value))


def _timeout_message(timeout: float, waiting: list[Channel], statuses: dict[Channel, int]) -> str:
    state = ", ".join(f"{c.name} DMASR {status:#010x}" for c, status in statuses.items())
    if MM2S in waiting:
        what = "the kernel did not take the whole request"
        check = "that it is started, that its clock runs, and that the .hwh is the bitstream's"
    else:
        what = "the kernel took the request, but its answer did not end"
        check = "that the bitstream met timing and sends TLAST; a large request may need more time"
    return (
        f"no answer within {timeout:g} s ({state}): {what}; check {check}. The next call loads the "
        "bitstream again"
    )
