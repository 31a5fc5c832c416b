"""What a call of the driver costs beside the kernel: eie's part, pynq's, and the emulation's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from unittest import mock

import numpy as np
import numpy.typing as npt
import pynq
from pynq.buffer import PynqBuffer

from benchmarks.measure.interception import (
    INTO_DEVICE,
    INTO_PYNQ,
    Clocks,
    Interception,
    Notes,
    mapped,
    without_pynq,
)
from benchmarks.measure.prepared_engine import PreparedEngine
from benchmarks.measure.timing import Action, Timing, short_side_by_side
from eie.hls.spec.block_design import DMA
from eie.host.board.driver import Accelerator
from eie.host.board.overlay import EieOverlay
from eie.host.board.transport import BoardEngine
from eie.host.board_emulator import EmulatedBoard
from eie.host.board_emulator.device import EmulatedDevice
from eie.host.packing.packed_network import PackedNetwork
from eie.host.protocol.responses import answer_bytes

#: The board that is emulated.
BOARD = "pynq-z2"
#: What is measured alone, for each side of a call.
ALONE = {"eie": ("eie",), "pynq": ("registers", "buffers", "overlay"), "device": ("device",)}
#: Calls in a row with clocks.
_CLOCKED = 25

Codes = npt.NDArray[np.int16]
#: Registers read and written.
Accesses = tuple[int, int]


def measure_call(packed: PackedNetwork, codes: Codes) -> tuple[dict[str, Timing], Accesses]:
    """Measure ``Accelerator.run`` of one packet, and whose time it is, in two ways.

    ``"run"`` is the whole call. ``"eie"``, ``"pynq"`` and ``"device"`` are its parts, by clocks
    around all that one calls of the next.

    The other way is by themselves: ``"alone: eie"`` is the same call with pynq left out;
    ``"alone: registers"``, ``"alone: buffers"`` and ``"alone: overlay"`` are the calls that eie
    makes into pynq, noted in a run and made again on a device that does nothing;
    ``"alone: device"`` are those that pynq makes into the emulated device, made again on it.
    ``"alone: mapped registers"`` are the register accesses once more, the way ``pynq.MMIO`` makes
    them on a board, onto ordinary memory.

    Returns
    -------
    timings
        By these names.
    accesses
        Registers read and written by a call.
    """
    reals = codes / np.float32(2.0**packed.network.input_frac)
    clocks, into_pynq, into_device = Clocks(), Notes(), Notes()
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(_opened(packed))
        with clocks:
            clocked = stack.enter_context(_opened(packed))
            clocked.run(codes)
        with into_pynq.taken(INTO_PYNQ), into_device.taken(INTO_DEVICE):
            noted = stack.enter_context(_opened(packed))
            noted.run(codes)
            into_pynq.clear()
            into_device.clear()
            noted.run(codes)
            into_pynq, into_device = Notes(into_pynq), Notes(into_device)
        no_pynq = without_pynq(into_pynq)
        # The device's calls that were noted are those of its class; what pynq finds is this.
        device = pynq.Device.active_device
        idle = dict.fromkeys(INTO_DEVICE[EmulatedDevice], lambda *_: b"\0\0\0\0")
        stack.enter_context(mock.patch.multiple(device, **idle))
        contenders = {
            "run": partial(plain.run, codes),
            "run, float32": partial(plain.run, reals),
            "clocked": partial(clocks.measure, partial(clocked.run, codes), _CLOCKED),
            "alone: eie": same_again(noted, codes),
            "alone: registers": into_pynq.of(pynq.MMIO).again(),
            "alone: buffers": into_pynq.of(PynqBuffer).again(),
            "alone: overlay": into_pynq.of(pynq.Overlay).again(),
            "alone: mapped registers": mapped(into_pynq),
            "alone: device": into_device.again(),
        }
        installed = stack.enter_context(contextlib.ExitStack())
        wanted = {"clocked": clocks, "alone: eie": no_pynq}

        def install(interception: Interception | None) -> None:
            installed.close()
            if interception:
                installed.enter_context(interception)

        prepare = {name: partial(install, wanted.get(name)) for name in contenders}
        timings = short_side_by_side(contenders, prepare=prepare)
    del timings["clocked"]
    counts = into_pynq.counts
    return timings | clocks.timings(), (counts["read"], counts["write_reg"])


@contextlib.contextmanager
def _opened(packed: PackedNetwork) -> Iterator[Accelerator]:
    """Open a board of its own with the network loaded."""
    with (
        EmulatedBoard(BOARD, lambda: PreparedEngine(packed.design)) as board,
        Accelerator(board.bitfile) as accelerator,
    ):
        accelerator.load(packed.network)
        yield accelerator


def same_again(accelerator: Accelerator, codes: Codes) -> Action:
    """Give the last run once more, with the packet number of the answer that is there."""
    link = accelerator._link
    before = link._sequence - 1

    def run() -> Codes:
        link._sequence = before
        return accelerator.run(codes)

    return run


def measure_transfer(
    packed: PackedNetwork, codes: Codes
) -> tuple[dict[str, Timing], dict[str, Accesses]]:
    """Measure the transfer of a request and its answer by our DMA driver and by pynq's.

    Both drive the same emulated DMA, in turn. ``"eie: device"`` and ``"pynq: device"`` are what
    of it is the emulated device.

    Returns
    -------
    timings
        By these names, and ``"eie"`` and ``"pynq"`` for the whole.
    accesses
        Registers read and written by ``"eie"`` and by ``"pynq"``.
    """
    with (
        EmulatedBoard(BOARD, lambda: PreparedEngine(packed.design)) as board,
        contextlib.closing(BoardEngine(EieOverlay(board.bitfile))) as engine,
    ):
        engine.open()
        engine.process(packed.load_packet())
        packet = np.frombuffer(packed.run_packet(codes), np.uint8)
        room = answer_bytes(len(codes) * packed.output_beats)
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

        contenders: dict[str, Action] = {"eie": by_eie, "pynq": by_pynq}
        accesses = {}
        for name, transfer in tuple(contenders.items()):
            transfer()
            calls = Notes()
            with calls.taken(INTO_DEVICE):
                transfer()
            contenders[f"{name}: device"] = calls.again()
            accesses[name] = calls.counts["read_registers"], calls.counts["write_registers"]
        return short_side_by_side(contenders), accesses
