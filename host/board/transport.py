"""The accelerator of a PYNQ board as an engine: kernel, DMA and buffers, packet by packet."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DeviceError, DeviceTimeoutError, InputError, Problems
from eie.hls.spec.packets import BEAT_BYTES
from eie.host.board.device_lock import DeviceLock
from eie.host.board.dma import Dma
from eie.host.board.overlay import EieOverlay

__all__ = ["BoardEngine"]

#: Room for an answer of unknown length.
_DEFAULT_ANSWER_BYTES = 1 << 20


class BoardEngine:
    """The accelerator on a PYNQ board; an :class:`~eie.host.protocol.engine.Engine`.

    Once opened it has loaded the bitstream and started the kernel, which from then on answers
    packets for ever. One packet is under way at a time, but there are two pairs of buffers, so that
    the next request can be written, and the last answer read, meanwhile::

        engine.request(0, size)[:] = ...
        engine.start(0, size, answer_bytes=...)
        engine.request(1, size)[:] = ...  # while the kernel works
        answer = engine.finish()

    Not safe for use by several threads. The device is locked against other processes, and a child
    of a fork cannot use it.

    Parameters
    ----------
    overlay
        The overlay. One that is loaded already is taken as it is.
    timeout
        Seconds that a packet may take to be answered.
    clock
        Seconds, rising; what deadlines are measured by.

    Raises
    ------
    InputError
        If the time-out is not positive.
    """

    def __init__(
        self,
        overlay: EieOverlay,
        *,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        problems = Problems("board")
        problems.require(timeout > 0, f"timeout must be more than 0 seconds, not {timeout!r}")
        problems.raise_as(InputError)
        self._overlay = overlay
        self._timeout = timeout
        self._dma = Dma(overlay.dma_registers, clock=clock)
        self._lock = DeviceLock(overlay.device.tag)
        self._closed = False
        self._buffers: dict[tuple[str, int], Any] = {}
        #: Slot of the packet under way.
        self._slot: int | None = None
        #: Longest packet that the DMA can move, in bytes; whole beats.
        self.max_transfer = overlay.max_transfer

    def open(self) -> None:
        """Lock the device, load the bitstream and start the kernel.

        Whatever comes of it, :meth:`close` gives everything back.

        Raises
        ------
        DeviceError
            If something else uses the device, or it does not start.
        """
        # Before anything is loaded: whoever uses the device must not lose its bitstream.
        self._lock.take()
        if self._overlay.to_be_loaded:
            self._overlay.download()
        self._start_kernel()

    @property
    def bitfile(self) -> Path:
        """The bitstream in the fabric."""
        return self._overlay.bitfile

    @property
    def clock_mhz(self) -> float | None:
        """Clock 0 of the fabric in MHz, None where it is not known."""
        return self._overlay.clock_mhz

    def process(self, packet: bytes, *, answer_bytes: int | None = None) -> bytes:
        """Send a packet and wait for its answer.

        Parameters
        ----------
        packet
            Whole 64-bit beats, at most :attr:`max_transfer` bytes.
        answer_bytes
            Bytes of the longest answer that may come; without it, room for 1 MiB.

        Raises
        ------
        DeviceError
            As :meth:`finish`.
        """
        if answer_bytes is None:
            answer_bytes = min(_DEFAULT_ANSWER_BYTES, self.max_transfer)
        self.request(0, len(packet))[:] = np.frombuffer(packet, np.uint8)
        self.start(0, len(packet), answer_bytes=answer_bytes)
        return bytes(self.finish())

    def request(self, slot: int, size: int) -> npt.NDArray[np.uint8]:
        """Give the memory that a request is sent from, to be written.

        Parameters
        ----------
        slot
            0 or 1; not that of a packet under way.
        size
            Bytes of the request.

        Returns
        -------
        ndarray of uint8, shape (size,)
            What it holds is undefined.
        """
        self.require_open()
        self._require_size("request", size)
        if slot == self._slot:
            raise DeviceError(f"the request of slot {slot} is under way: finish() it first")
        return np.asarray(self._buffer("request", slot, size))[:size]

    def start(self, slot: int, size: int, *, answer_bytes: int) -> None:
        """Send the request of a slot; its deadline begins.

        Parameters
        ----------
        slot
            Slot that :meth:`request` was asked for.
        size
            Bytes of the request.
        answer_bytes
            Bytes of the longest answer that may come.
        """
        self.require_open()
        self._require_size("answer", answer_bytes)
        self._require_loaded()
        if self._slot is not None:
            raise DeviceError(f"slot {self._slot} is under way: finish() it first")
        answer = self._buffer("answer", slot, answer_bytes)
        request = self._buffers["request", slot]
        # The processor's caches are not coherent with the DMA's port into memory.
        request[:size].flush()
        try:
            self._slot = slot
            self._dma.start(
                request.physical_address,
                size,
                answer.physical_address,
                # All the room there is: PG021 leaves a packet longer than this undefined.
                min(answer.nbytes, self.max_transfer),
                self._timeout,
            )
        except BaseException:  # an interrupt from the keyboard, too, must not leave it running
            self.abort()
            raise

    def finish(self) -> memoryview:
        """Wait for the answer to what was started.

        Returns
        -------
        memoryview of bytes
            The answer, in the memory it was received in: valid until the same slot is started
            again, or the buffers are released.

        Raises
        ------
        DeviceError
            If the DMA reports an error, or there is no answer in time
            (:class:`~eie.hls.boundary.errors.DeviceTimeoutError`). The accelerator may then be in
            the middle of a packet, and :meth:`restart` is needed before the next one.
        """
        if self._slot is None:
            raise DeviceError("no packet is under way: start() one first")
        try:
            received = self._dma.finish()
        except BaseException:
            self.abort()
            raise
        got = self._buffers["answer", self._slot][:received]
        self._slot = None
        got.invalidate()
        return np.asarray(got).data

    @property
    def busy(self) -> bool:
        """Whether a packet is under way."""
        return self._slot is not None

    def abort(self) -> None:
        """Stop what is under way. :meth:`restart` is needed before the next packet."""
        self._slot = None
        # Where our DMA was there may be anything now, or nothing, at which the bus would stand.
        if self._overlay.is_loaded:
            # It comes after an error, which is the one to report.
            with contextlib.suppress(DeviceTimeoutError):
                self._dma.reset(self._timeout)

    @property
    def registers(self) -> Mapping[str, int]:
        """The kernel's own registers by name; they are 0 until the first packet was answered."""
        self.require_open()
        self._require_loaded()
        return self._overlay.kernel.registers

    def restart(self) -> None:
        """Load the bitstream again: whatever was under way, and the network, is forgotten.

        A reset of the DMA alone is not enough: it fills a packet that it cuts short with invalid
        data (PG022, soft shutdown), and leaves the kernel in the middle of it.
        """
        self.require_open()
        self.abort()
        # pynq opens its memory anew with the bitstream; buffers from before are not to be trusted.
        self.release_buffers()
        self._overlay.download()
        self._start_kernel()

    def release_buffers(self) -> None:
        """Give the packets' buffers back; the next packet takes new ones.

        Contiguous memory is scarce on a board, and a load's buffer is much larger than a run's.
        """
        while self._buffers:
            # Forgotten before it is freed: an interrupt in between must not leave it to be used.
            _, buffer = self._buffers.popitem()
            buffer.freebuffer()

    def close(self) -> None:
        """Stop the DMA, free buffers and device; the bitstream stays.

        Again does nothing, or what is left of it after an interrupt. In a child of a fork it leaves
        the device to the parent.
        """
        self._closed = True
        try:
            if self._lock.held:
                self.abort()
                self.release_buffers()
        finally:
            self._lock.release()

    def _start_kernel(self) -> None:
        self._dma.reset(self._timeout)
        self._overlay.kernel.start()

    def require_open(self) -> None:
        """Refuse what is not to be had after :meth:`close`, or in another process."""
        if self._closed:
            raise DeviceError("the accelerator is closed: open it again")
        if not self._lock.held:
            raise DeviceError(
                "the accelerator belongs to the process that opened it, not to a fork of it: open "
                "one here once that process has closed its own"
            )

    def _require_loaded(self) -> None:
        """Refuse to touch registers that are not ours any more."""
        if self._overlay.to_be_loaded:
            raise DeviceError(f"{self.bitfile.name} is not loaded: the next call loads it")
        if not self._overlay.is_loaded:
            raise DeviceError(
                f"another bitstream was loaded over {self.bitfile.name}: do not use other overlays "
                "on this device, in whatever program, before close(). The next call loads this one "
                "again"
            )

    def _require_size(self, what: str, size: int) -> None:
        problems = Problems("packet")
        problems.require(
            0 < size <= self.max_transfer and size % BEAT_BYTES == 0,
            f"{what} must be whole beats of {BEAT_BYTES} bytes, at most {self.max_transfer} "
            f"bytes, not {size}",
        )
        problems.raise_as(InputError)

    def _buffer(self, name: str, slot: int, size: int) -> Any:
        """Take the buffer called `name` of a slot, grown to at least `size` bytes."""
        buffer = self._buffers.get((name, slot))
        if buffer is not None and buffer.nbytes >= size:
            return buffer
        if buffer is not None:
            self._buffers.pop((name, slot)).freebuffer()
        buffer = self._overlay.allocate(size)
        # A dirty line of the cache must not be written back over an answer later.
        buffer.flush()
        self._buffers[name, slot] = buffer
        return buffer
