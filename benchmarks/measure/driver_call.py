"""What a call of the driver costs beside the kernel: eie's part, pynq's, and the emulation's."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
import pynq
from pynq.buffer import PynqBuffer

from benchmarks.measure import interception
from benchmarks.measure.interception import INTO_DEVICE, INTO_PYNQ, Call, made_again, replaced
from benchmarks.measure.timing import Action, Timing, side_by_side
from eie.hls.model.emulator import Emulator
from eie.hls.spec.block_design import DMA
from eie.hls.spec.design import Design
from eie.hls.spec.packets import BEAT_BYTES, HEADER, TRAILER, Kind, answer_kind, build_packet
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
#: Where a request says what it asks for, and its number (``eie.hls.spec.packets.HEADER``).
_KIND, _SEQUENCE = 5, slice(6, 8)
_PAYLOAD = slice(HEADER.beats * BEAT_BYTES, -TRAILER.beats * BEAT_BYTES)

Codes = npt.NDArray[np.int16]
#: Times by name; and for some names, how many registers are read and written.
Measured = tuple[dict[str, Timing], dict[str, tuple[int, int]]]


class PreparedEngine(Emulator):
    """An emulator whose kernel takes no time, for what the host takes alone.

    After the first run of each length the others get its outputs, without a look at their inputs.
    """

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self._payloads: dict[int, bytes] = {}

    def process(self, packet: bytes) -> bytes:
        """Give the answer to a packet."""
        if packet[_KIND] == Kind.RUN and len(packet) in self._payloads:
            sequence = int.from_bytes(packet[_SEQUENCE], "little")
            payload = np.frombuffer(self._payloads[len(packet)], "<u8")
            return build_packet(answer_kind(Kind.RUN), sequence, payload)
        answer = super().process(packet)
        if packet[_KIND] == Kind.RUN:
            self._payloads[len(packet)] = answer[_PAYLOAD]
        else:
            self._payloads.clear()
        return answer


def measure_call(packed: PackedNetwork, codes: Codes) -> Measured:
    """Measure ``Accelerator.run`` of one packet, and whose time it is, in two ways.

    ``"eie"``, ``"pynq"`` and ``"device"`` are by clocks around all that one calls of the next. What
    is ``"alone"`` is by itself: eie's is the same call with pynq left out, pynq's (``ALONE``) are
    the calls that eie made into it, noted and made again on a device that does nothing, and the
    device's are those that pynq made into it. ``"mapped registers"`` are the register accesses the
    way ``pynq.MMIO`` makes them on a board, onto ordinary memory.
    """
    reals = codes / np.float32(2.0**packed.network.input_frac)
    attribution = interception.Attribution()
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(opened(packed))
        with replaced(attribution.clocks):
            clocked = stack.enter_context(opened(packed))
            clocked.run(codes)
        noted, calls = stack.enter_context(run_noted(packed, codes))
        within = {"clocked": partial(replaced, attribution.clocks)}
        within["alone: eie"] = partial(replaced, interception.without_pynq(calls))
        # The device's calls that were noted are those of its class; what pynq finds is this.
        device = pynq.Device.active_device
        idle = ((device, name, lambda *_: b"\0\0\0\0") for name in INTO_DEVICE[EmulatedDevice])
        stack.enter_context(replaced(idle))
        contenders: dict[str, Action] = {
            "run": partial(plain.run, codes),
            "run, float32": partial(plain.run, reals),
            "clocked": partial(attribution.measure, partial(clocked.run, codes), 10),
            "alone: eie": same_again(noted, codes),
            "alone: registers": made_again(calls, pynq.MMIO),
            "alone: buffers": made_again(calls, PynqBuffer),
            "alone: overlay": made_again(calls, pynq.Overlay),
            "alone: mapped registers": interception.mapped(calls),
            "alone: device": made_again(calls, EmulatedDevice),
        }
        timings = side_by_side(contenders, within=within, seconds=4.0, short=True)
    del timings["clocked"]
    counts = Counter(name for _, name, _ in calls)
    return timings | attribution.timings(), {"run": (counts["read"], counts["write_reg"])}


@contextlib.contextmanager
def opened(packed: PackedNetwork) -> Iterator[Accelerator]:
    """Open a board of its own with the network loaded."""
    with (
        EmulatedBoard(BOARD, lambda: PreparedEngine(packed.design)) as board,
        Accelerator(board.bitfile) as accelerator,
    ):
        accelerator.load(packed.network)
        yield accelerator


@contextlib.contextmanager
def run_noted(packed: PackedNetwork, codes: Codes) -> Iterator[tuple[Accelerator, list[Call]]]:
    """Open a board; give it with the calls of a run into pynq, and of those into the device."""
    calls: list[Call] = []
    with contextlib.ExitStack() as stack:
        with replaced(interception.noting(calls, {**INTO_PYNQ, **INTO_DEVICE})):
            accelerator = stack.enter_context(opened(packed))
            accelerator.run(codes)
            calls.clear()
            accelerator.run(codes)
        yield accelerator, list(calls)


def same_again(accelerator: Accelerator, codes: Codes) -> Action:
    """Give the last run once more, with the packet number of the answer that is there."""
    before = accelerator._link._client._sequence - 1

    def run() -> Codes:
        accelerator._link._client._sequence = before
        return accelerator.run(codes)

    return run


def measure_transfer(packed: PackedNetwork, codes: Codes) -> Measured:
    """Measure the transfer of a request and its answer by our DMA driver and by pynq's.

    Both drive the same emulated DMA; ``"eie: device"`` and ``"pynq: device"`` are its part of it.
    """
    with (
        EmulatedBoard(BOARD, lambda: PreparedEngine(packed.design)) as board,
        contextlib.closing(BoardEngine(EieOverlay(board.bitfile))) as engine,
    ):
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

        contenders: dict[str, Action] = {"eie": by_eie, "pynq": by_pynq}
        accesses = {}
        for name, transfer in tuple(contenders.items()):
            transfer()
            calls: list[Call] = []
            with replaced(interception.noting(calls, INTO_DEVICE)):
                transfer()
            contenders[f"{name}: device"] = made_again(calls, EmulatedDevice)
            counts = Counter(name for _, name, _ in calls)
            accesses[name] = counts["read_registers"], counts["write_registers"]
        return side_by_side(contenders, seconds=4.0, short=True), accesses
