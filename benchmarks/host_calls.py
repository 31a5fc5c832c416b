"""What a call of the driver costs beside the kernel: eie's part, pynq's, and the emulation's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import MethodType

import numpy as np
import numpy.typing as npt
import pynq

from benchmarks.borders import Borders
from benchmarks.measuring import Timing, each_side_by_side
from benchmarks.null_engine import NullEngine
from benchmarks.recording import Calls, device_calls, made_again, mapped, pynq_calls
from benchmarks.still_overlay import StillOverlay
from eie.hls.spec.block_design import DMA
from eie.host.board.driver import Accelerator
from eie.host.board.overlay import EieOverlay
from eie.host.board.transport import BoardEngine
from eie.host.board_emulator import EmulatedBoard
from eie.host.packing.packed_network import PackedNetwork
from eie.host.protocol.responses import answer_bytes

__all__ = ["BOARD", "MADE_AGAIN", "SIDES", "Measured", "measure_call", "measure_transfer"]

#: The board that is emulated.
BOARD = "pynq-z2"
#: Whose time a call is.
SIDES = ("eie", "pynq", "device")
#: What is measured alone, for each of them.
MADE_AGAIN = {
    "eie": ("eie",),
    "pynq": ("registers", "buffers", "overlay"),
    "device": ("device",),
}
#: Calls in a row with clocks at the borders.
_CLOCKED = 25

Codes = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Measured:
    """One thing that was measured."""

    timing: Timing
    #: Registers read and written, where they were counted.
    reads: int = 0
    writes: int = 0


def measure_call(packed: PackedNetwork, codes: Codes) -> dict[str, Measured]:
    """Measure ``Accelerator.run`` of one packet, and whose time it is, in two ways.

    ``"run"`` is the whole call. ``"eie"``, ``"pynq"`` and ``"device"`` are its parts, by clocks
    at the borders while it runs.

    The other way is by themselves: ``"alone: eie"`` is the same call on a :class:`StillOverlay`;
    ``"alone: registers"``, ``"alone: buffers"`` and ``"alone: overlay"`` are the calls that eie
    makes into pynq, noted in a run and made again on a device that does nothing;
    ``"alone: device"`` are those that pynq makes into the emulated device, made again on it.
    ``"alone: mapped registers"`` are the register accesses once more, the way ``pynq.MMIO`` makes
    them on a board, onto ordinary memory.
    """
    network = packed.network
    reals = codes.astype(np.float32) / np.float32(2.0**network.input_frac)
    borders = Borders()
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        plain = enter(_opened(packed))
        borders.install()
        stack.callback(borders.remove)
        clocked = enter(_opened(packed))
        clocked.run(codes)
        borders.remove()
        noted = enter(_Noted(packed, codes))
        still = enter(_on_still_overlay(packed, codes))
        timings = each_side_by_side(
            {
                "run": partial(plain.run, codes),
                "run, float32": partial(plain.run, reals),
                "clocked": partial(borders.measure, partial(clocked.run, codes), _CLOCKED),
                "alone: eie": still,
                "alone: registers": made_again(noted.into_pynq.of("registers")),
                "alone: buffers": made_again(noted.into_pynq.of("buffers")),
                "alone: overlay": made_again(noted.into_pynq.of("overlay")),
                "alone: mapped registers": made_again(mapped(noted.into_pynq)),
                "alone: device": made_again(noted.into_device.all()),
            },
            prepare={
                "run": borders.remove,
                "clocked": borders.install,
                "alone: eie": borders.remove,
            },
            begin=borders.forget,
        )
    del timings["clocked"]
    counts = noted.into_pynq.counts
    measured = {
        "run": Measured(timings.pop("run"), counts["read"], counts["write_reg"]),
        **{name: Measured(timing) for name, timing in timings.items()},
    }
    for name in SIDES:
        median, best = (round(getattr(of, name), 3) for of in (borders.median(), borders.best()))
        measured[name] = Measured(Timing(median, best))
    return measured


@contextlib.contextmanager
def _opened(packed: PackedNetwork) -> Iterator[Accelerator]:
    """Open a board of its own with the network loaded."""
    with (
        EmulatedBoard(BOARD, lambda: NullEngine(packed.design)) as board,
        Accelerator(board.bitfile) as accelerator,
    ):
        accelerator.load(packed.network)
        yield accelerator


def measure_transfer(packed: PackedNetwork, codes: Codes) -> dict[str, Measured]:
    """Measure the transfer of a request and its answer by our DMA driver and by pynq's.

    Both drive the same emulated DMA, in turn. ``"eie: device"`` and ``"pynq: device"`` are what
    of it is the emulated device.
    """
    with EmulatedBoard(BOARD, lambda: NullEngine(packed.design)) as board:
        engine = BoardEngine(EieOverlay(board.bitfile))
        try:
            engine.open()
            engine.process(packed.load_packet())
            packet = np.frombuffer(packed.run_packet(codes), np.uint8)
            room = answer_bytes(packed.answer_beats(len(codes)))
            # The same fabric once more, with the driver that pynq binds to its DMA.
            dma = getattr(pynq.Overlay(str(board.bitfile), download=False), DMA.name)
            request, answer = (pynq.allocate((size,), np.uint8) for size in (len(packet), room))
            request[:] = packet
            engine.request(0, len(packet))[:] = packet

            def by_eie() -> None:
                engine.start(0, len(packet), answer_bytes=room)
                engine.finish()

            def by_pynq() -> None:
                dma.recvchannel.transfer(answer)
                dma.sendchannel.transfer(request)
                dma.sendchannel.wait()
                dma.recvchannel.wait()

            contenders: dict[str, Callable[[], object]] = {"eie": by_eie, "pynq": by_pynq}
            counts = {}
            for name, transfer in tuple(contenders.items()):
                transfer()
                with device_calls() as calls, calls.noted():
                    transfer()
                contenders[f"{name}: device"] = made_again(calls.all())
                counts[name] = calls.counts
            timings = each_side_by_side(contenders)
        finally:
            engine.close()
    return {
        name: Measured(timing, counts[name]["read_registers"], counts[name]["write_registers"])
        if name in counts
        else Measured(timing)
        for name, timing in timings.items()
    }


class _Noted:
    """A board on which one run was noted; its device does nothing for pynq afterwards."""

    def __init__(self, packed: PackedNetwork, codes: Codes) -> None:
        self._board = EmulatedBoard(BOARD, lambda: NullEngine(packed.design))
        self._packed = packed
        self._codes = codes
        self.into_pynq = self.into_device = Calls()

    def __enter__(self) -> _Noted:
        self._board.__enter__()
        with pynq_calls() as self.into_pynq, device_calls() as self.into_device:
            self._accelerator = Accelerator(self._board.bitfile)
            self._accelerator.load(self._packed.network)
            self._accelerator.run(self._codes)
            with self.into_pynq.noted(), self.into_device.noted():
                self._accelerator.run(self._codes)
        device = pynq.Device.active_device
        # The device's calls that were noted are those of its class; what pynq finds is this.
        device.read_registers = MethodType(_read_nothing, device)
        for name in ("write_registers", "flush", "invalidate"):
            setattr(device, name, MethodType(_do_nothing, device))
        return self

    def __exit__(self, *_: object) -> None:
        device = pynq.Device.active_device
        for name in ("read_registers", "write_registers", "flush", "invalidate"):
            delattr(device, name)
        self._accelerator.close()
        self._board.__exit__(None, None, None)


def _read_nothing(device: object, address: int, length: int) -> bytes:
    return b"\0\0\0\0"


def _do_nothing(device: object, *_: object) -> None:
    pass


@contextlib.contextmanager
def _on_still_overlay(packed: PackedNetwork, codes: Codes) -> Iterator[Callable[[], object]]:
    """Give a run in which pynq and the device take no time."""
    still = StillOverlay(NullEngine(packed.design))
    with still.installed(), Accelerator(still.bitfile) as accelerator:
        accelerator.load(packed.network)
        accelerator.run(codes)
        still.keep_still()
        link = accelerator._link
        before = link._sequence - 1

        def run() -> Codes:
            # The answer that is there has this number.
            link._sequence = before
            return accelerator.run(codes)

        yield run
