"""Interrupts of the emulated board: the controller of PG099, and pynq's own waiting on them."""

import asyncio

import numpy as np
import pynq
import pynq.interrupt
import pytest

from eie.hls.spec.block_design import DMA, INTERRUPTS, KERNEL
from eie.hls.spec.packets import DESIGN, Kind, build_packet, parse_packet
from eie.hls.spec.registers import offset_of
from eie.host.board_emulator import EmulatedBoard
from eie.host.board_emulator.interrupts import EmulatedInterruptController

#: Registers by their offsets in PG099.
ISR, IPR, IER, IAR, SIE, CIE, IVR, MER = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C
NOTHING = 0xFFFF_FFFF


class Inputs:
    """A controller with three inputs that tests set."""

    def __init__(self):
        self.high = [False, False, False]
        self.controller = EmulatedInterruptController(
            [lambda n=n: self.high[n] for n in range(len(self.high))]
        )

    def read(self, *offsets):
        return [self.controller.read(offset) for offset in offsets]

    def write(self, *writes):
        for offset, value in writes:
            self.controller.write(offset, value)


@pytest.fixture
def inputs():
    return Inputs()


# The controller ------------------------------------------------------------------------------


def test_nothing_happens_until_the_master_enable(inputs):
    inputs.high[1] = True
    inputs.write((IER, 0b111))
    assert inputs.read(ISR, IPR, IVR, MER) == [0, 0, NOTHING, 0]
    assert not inputs.controller.output
    inputs.write((MER, 0b11))
    assert inputs.read(ISR, IPR, IVR, MER) == [0b010, 0b010, 1, 0b11]
    assert inputs.controller.output


def test_a_disabled_input_is_seen_and_not_passed_on(inputs):
    inputs.write((MER, 3), (IER, 0b001))
    inputs.high[2] = True
    assert inputs.read(ISR, IPR, IVR) == [0b100, 0, NOTHING]
    assert not inputs.controller.output


def test_the_vector_is_the_lowest_that_is_pending(inputs):
    inputs.write((MER, 3), (IER, 0b110))
    inputs.high = [True, True, True]
    assert inputs.read(ISR, IPR, IVR) == [0b111, 0b110, 1]


def test_a_level_that_stays_comes_back_after_it_was_acknowledged(inputs):
    inputs.write((MER, 3), (IER, 0b001))
    inputs.high[0] = True
    inputs.write((IAR, 0b001))
    assert inputs.read(ISR) == [0b001]
    inputs.high[0] = False
    assert inputs.read(ISR) == [0b001], "what was captured stays until it is acknowledged"
    inputs.write((IAR, 0b001))
    assert inputs.read(ISR) == [0]


def test_enables_are_set_and_cleared_one_by_one(inputs):
    inputs.write((IER, 0b001), (SIE, 0b100), (CIE, 0b001), (SIE, 0b1000))
    assert inputs.read(IER) == [0b100]


def test_inputs_stay_enabled_once_they_are(inputs):
    inputs.write((MER, 0b11), (MER, 0b00))
    assert inputs.read(MER) == [0b10]
    inputs.high[0] = True
    assert inputs.read(ISR) == [0b001]
    assert not inputs.controller.output


def test_status_can_be_written_until_inputs_are_enabled(inputs):
    inputs.write((MER, 0b01), (IER, 0b010), (ISR, 0b010))
    assert inputs.controller.output
    inputs.write((IAR, 0b010), (MER, 0b11), (ISR, 0b010))
    assert not inputs.controller.output


@pytest.mark.parametrize("offset", [IAR, SIE, CIE, 0x20])
def test_what_is_write_only_or_reserved_reads_as_zero(inputs, offset):
    inputs.write((offset, 0b111))
    assert inputs.read(offset) == [0]


# pynq on it --------------------------------------------------------------------------------------


def test_pynq_finds_every_interrupt_pin(bench):
    overlay = pynq.Overlay(str(bench.board.bitfile))
    pins = {
        name: (pin["controller"], pin["index"])
        for name, pin in overlay.interrupt_pins.items()
        if name.split("/")[0] in (DMA.name, KERNEL.name)
    }
    assert pins == {
        f"{DMA.name}/mm2s_introut": (INTERRUPTS.name, 0),
        f"{DMA.name}/s2mm_introut": (INTERRUPTS.name, 1),
        f"{KERNEL.name}/interrupt": (INTERRUPTS.name, 2),
    }


async def ask(dma, sequence):
    """Send an identify request with pynq's DMA driver, and wait for interrupts."""
    packet = build_packet(Kind.IDENTIFY, sequence)
    request = pynq.allocate(len(packet), np.uint8)
    answer = pynq.allocate(1000, np.uint8)
    request[:] = np.frombuffer(packet, np.uint8)
    dma.recvchannel.transfer(answer)
    dma.sendchannel.transfer(request)
    await asyncio.gather(dma.recvchannel.wait_async(), dma.sendchannel.wait_async())
    return parse_packet(bytes(answer[: dma.recvchannel.transferred]))


def test_pynqs_dma_driver_waits_for_interrupts(bench, design):
    overlay = pynq.Overlay(str(bench.board.bitfile))
    overlay.eie_0.start()
    dma = overlay.axi_dma_0
    # In two event loops, one after the other: a line is not bound to the first.
    for sequence in (1, 2):
        received = asyncio.run(asyncio.wait_for(ask(dma, sequence), 10))
        assert received.sequence == sequence
        assert DESIGN.parse(received.payload) == design.record()


def test_who_waits_before_the_answer_is_woken_by_it(bench):
    overlay = pynq.Overlay(str(bench.board.bitfile))
    dma = overlay.axi_dma_0  # the kernel is not started yet

    async def both():
        waiting = asyncio.ensure_future(ask(dma, 7))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        overlay.eie_0.start()
        return await waiting

    assert asyncio.run(asyncio.wait_for(both(), 10)).sequence == 7


def test_the_kernels_interrupt_is_that_of_ap_ctrl_hs(bench):
    overlay = pynq.Overlay(str(bench.board.bitfile))
    gier, ier, isr = (offset_of(name) for name in ("GIER", "IP_IER", "IP_ISR"))
    overlay.eie_0.write(gier, 1)
    overlay.eie_0.write(ier, 1)

    async def wait():
        interrupt = pynq.Interrupt(f"{KERNEL.name}/interrupt")
        overlay.eie_0.start()
        dma = overlay.axi_dma_0
        await asyncio.gather(interrupt.wait(), ask(dma, 1))

    asyncio.run(asyncio.wait_for(wait(), 10))
    assert overlay.eie_0.read(isr) == 1
    overlay.eie_0.write(isr, 1)
    assert overlay.eie_0.read(isr) == 0


def test_pynq_is_as_before_afterwards():
    def parts():
        return (
            pynq.interrupt.get_uio_irq,
            pynq.interrupt.UioController,
            pynq.interrupt._InterruptController._uio_devices,
        )

    before = parts()
    with EmulatedBoard("kv260", lambda: None):
        assert parts()[:2] != before[:2]
    assert all(one is other for one, other in zip(parts(), before, strict=True))
