"""The emulated hardware by itself: the registers of PG021 and ap_ctrl_hs, and the two memories."""

import pynq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eie.hls.spec.registers import AUTO_RESTART, DONE, IDLE, READY, START, offset_of
from eie.host.board_emulator.dma import EmulatedDma
from eie.host.board_emulator.faults import Faults
from eie.host.board_emulator.kernel import EmulatedKernel
from eie.host.board_emulator.memory import EmulatedMemory

CTRL, GIER, ISR = (offset_of(name) for name in ("CTRL", "GIER", "IP_ISR"))
#: MM2S and S2MM registers by their offsets in PG021.
MM2S_DMACR, MM2S_DMASR, MM2S_SA, MM2S_LENGTH = 0x00, 0x04, 0x18, 0x28
S2MM_DMACR, S2MM_DMASR, S2MM_DA, S2MM_LENGTH = 0x30, 0x34, 0x48, 0x58
HALTED, IDLE_BIT, INT_ERR, DEC_ERR, IOC, ERR = 1, 2, 0x10, 0x40, 0x1000, 0x4000


class Echo:
    """Answers every packet with its own bytes."""

    registers = {"design_id": 7}  # noqa: RUF012

    def process(self, packet):
        return packet

    def close(self):
        pass


class Hardware:
    """DMA, kernel and memory, wired as on the board."""

    def __init__(self, length_bits=26):
        self.faults = Faults()
        self.memory = EmulatedMemory(1 << 20)
        self.resets = 0
        self.kernel = EmulatedKernel(Echo(), self.faults, self._reset)
        self.dma = EmulatedDma(self.memory, self.kernel, self.faults, length_bits)

    def _reset(self):
        self.resets += 1
        self.dma.reset()

    def buffer(self, content):
        allocation = self.memory.allocate(len(content))
        allocation.device[:] = list(content)
        return allocation

    def write(self, *writes):
        for offset, value in writes:
            self.dma.write(offset, value)
            self.dma.advance()

    def send(self, content, room):
        """Start both channels, send, and give the buffer of the answer."""
        request, answer = self.buffer(content), self.memory.allocate(room)
        self.write((MM2S_DMACR, 1), (S2MM_DMACR, 1), (S2MM_DA, answer.address))
        self.write((S2MM_LENGTH, room), (MM2S_SA, request.address), (MM2S_LENGTH, len(content)))
        return answer


@pytest.fixture
def hardware():
    hardware = Hardware()
    hardware.kernel.write(CTRL, START | AUTO_RESTART)
    return hardware


# Memory --------------------------------------------------------------------------------------


def test_zeros_that_were_never_flushed_overwrite_what_the_device_wrote():
    memory = EmulatedMemory(1 << 20)
    for flushed, seen in ((True, b"abcd"), (False, bytes(4))):
        buffer = memory.allocate(4, cached=True)
        pointer = buffer.host.ctypes.data
        if flushed:
            memory.flush(buffer, pointer, 4)
        buffer.device[:] = list(b"abcd")
        memory.invalidate(buffer, pointer, 4)
        assert buffer.host.tobytes() == seen


def test_who_reads_a_buffer_that_was_freed_sees_that_it_was():
    memory = EmulatedMemory(1 << 20)
    buffer = memory.allocate(4)
    memory.return_pointer(buffer)
    assert buffer.host.tobytes() == b"\xdd" * 4
    assert memory.device_view(buffer.address, 4) is None


# DMA ---------------------------------------------------------------------------------------


def test_both_channels_are_halted_after_reset(hardware):
    assert [hardware.dma.read(o) for o in (MM2S_DMASR, S2MM_DMASR)] == [HALTED, HALTED]
    assert [hardware.dma.read(o) for o in (MM2S_DMACR, S2MM_DMACR)] == [0x10002, 0x10002]


def test_a_length_written_while_halted_does_nothing(hardware):
    hardware.write((MM2S_SA, hardware.buffer(b"abc").address), (MM2S_LENGTH, 3), (MM2S_DMACR, 1))
    assert hardware.dma.read(MM2S_DMASR) == 0


def test_idle_is_clear_before_the_first_transfer_and_set_after(hardware):
    hardware.write((MM2S_DMACR, 1))
    assert hardware.dma.read(MM2S_DMASR) == 0
    hardware.send(b"abcdefgh", 8)
    assert hardware.dma.read(MM2S_DMASR) == IDLE_BIT | IOC
    assert hardware.dma.read(S2MM_DMASR) == IDLE_BIT | IOC


def test_interrupt_bits_are_cleared_by_writing_one(hardware):
    hardware.send(b"abcdefgh", 8)
    hardware.write((MM2S_DMASR, 0))
    assert hardware.dma.read(MM2S_DMASR) & IOC
    hardware.write((MM2S_DMASR, IOC))
    assert hardware.dma.read(MM2S_DMASR) == IDLE_BIT


def test_a_length_of_zero_does_nothing(hardware):
    hardware.write((MM2S_DMACR, 1), (MM2S_LENGTH, 0))
    assert hardware.dma.read(MM2S_DMASR) == 0


def test_the_length_register_has_only_its_width():
    hardware = Hardware(length_bits=8)
    hardware.kernel.write(CTRL, START)
    hardware.send(b"x" * 256, 16)
    assert hardware.dma.read(MM2S_LENGTH) == 0


def test_addresses_are_read_back_in_halves(hardware):
    hardware.write((0x18, 0x89ABCDEF), (0x1C, 0x12))
    assert (hardware.dma.read(0x18), hardware.dma.read(0x1C)) == (0x89ABCDEF, 0x12)
    hardware.write((0x18, 0))
    assert hardware.dma.read(0x1C) == 0x12


def test_reserved_registers_read_as_zero(hardware):
    assert hardware.dma.read(0x08) == 0


@pytest.mark.parametrize("channel", [MM2S_DMACR, S2MM_DMACR])
def test_a_reset_of_either_channel_resets_both(hardware, channel):
    hardware.send(b"abcdefgh", 8)
    hardware.write((channel, 4))
    test_both_channels_are_halted_after_reset(hardware)


def test_stopping_halts_and_clears_idle(hardware):
    hardware.send(b"abcdefgh", 8)
    hardware.write((MM2S_DMACR, 0))
    assert hardware.dma.read(MM2S_DMASR) == HALTED | IOC


@given(st.binary(min_size=1, max_size=64), st.integers(1, 80))
def test_an_answer_arrives_unless_it_is_longer_than_the_buffer(content, room):
    hardware = Hardware()
    hardware.kernel.write(CTRL, START | AUTO_RESTART)
    answer = hardware.send(content, room)
    status = hardware.dma.read(S2MM_DMASR)
    if room >= len(content):
        assert status == IDLE_BIT | IOC
        assert hardware.dma.read(S2MM_LENGTH) == len(content)
        assert bytes(answer.device[: len(content)]) == content
        assert set(answer.device[len(content) :]) <= {0xA5}
    else:
        assert status == HALTED | INT_ERR | ERR
        assert hardware.dma.read(S2MM_DMACR) & 1 == 0
        assert bytes(answer.device) == content[:room]


def test_without_tlast_the_transfer_stays_open(hardware):
    hardware.faults.drop_tlast = True
    hardware.send(b"abcdefgh", 8)
    assert hardware.dma.read(S2MM_DMASR) == 0
    assert hardware.dma.read(MM2S_DMASR) == IDLE_BIT | IOC


@pytest.mark.parametrize(
    ("address", "status"), [(MM2S_SA, MM2S_DMASR), (S2MM_DA, S2MM_DMASR)], ids=["read", "write"]
)
def test_an_address_without_memory_is_a_decode_error(hardware, address, status):
    request, answer = hardware.buffer(b"abcdefgh"), hardware.memory.allocate(8)
    places = {MM2S_SA: request.address, S2MM_DA: answer.address, address: 0x4}
    hardware.write((MM2S_DMACR, 1), (S2MM_DMACR, 1), *places.items())
    hardware.write((S2MM_LENGTH, 8), (MM2S_LENGTH, 8))
    assert hardware.dma.read(status) == HALTED | DEC_ERR | ERR


def test_a_freed_buffer_is_a_decode_error(hardware):
    request = hardware.buffer(b"abcdefgh")
    hardware.memory.return_pointer(request)
    hardware.write((MM2S_DMACR, 1), (MM2S_SA, request.address), (MM2S_LENGTH, 8))
    assert hardware.dma.read(MM2S_DMASR) & DEC_ERR


# Kernel ------------------------------------------------------------------------------------


def test_a_kernel_that_is_not_started_takes_nothing():
    hardware = Hardware()
    hardware.send(b"abcdefgh", 8)
    assert hardware.dma.read(MM2S_DMASR) == 0
    assert hardware.kernel.read(CTRL) == IDLE
    hardware.kernel.write(CTRL, START)
    hardware.dma.advance()
    assert hardware.dma.read(MM2S_DMASR) == IDLE_BIT | IOC


def test_without_auto_restart_it_answers_one_packet():
    hardware = Hardware()
    hardware.kernel.write(CTRL, START)
    hardware.send(b"abcdefgh", 8)
    assert hardware.kernel.read(CTRL) == IDLE | DONE | READY
    assert hardware.kernel.read(CTRL) == IDLE, "done is cleared by reading it"
    hardware.send(b"abcdefgh", 8)
    assert hardware.dma.read(MM2S_DMASR) & IDLE_BIT == 0


def test_with_auto_restart_it_answers_for_ever(hardware):
    for _ in range(3):
        hardware.write((MM2S_DMASR, IOC), (S2MM_DMASR, IOC))
        hardware.send(b"abcdefgh", 8)
        assert hardware.dma.read(S2MM_DMASR) & IOC
    assert hardware.kernel.read(CTRL) == START | AUTO_RESTART | DONE | READY


def test_it_takes_no_packet_before_its_answer_is_gone(hardware):
    assert hardware.kernel.accept(b"first")
    assert not hardware.kernel.accept(b"second")
    assert hardware.kernel.deliver(3) == (b"fir", False)
    assert not hardware.kernel.accept(b"second")
    assert hardware.kernel.deliver(3) == (b"st", True)
    assert hardware.kernel.accept(b"second")


def test_ports_come_from_the_engine_and_cannot_be_written(hardware):
    assert hardware.kernel.read(offset_of("design_id")) == 0, "nothing was written to it yet"
    hardware.send(b"abcdefgh", 8)
    hardware.kernel.write(offset_of("design_id"), 1)
    assert hardware.kernel.read(offset_of("design_id")) == 7


def test_interrupt_status_is_toggled_by_writing_one(hardware):
    hardware.kernel.write(offset_of("IP_IER"), 1)
    hardware.send(b"abcdefgh", 8)
    assert hardware.kernel.read(ISR) == 1
    hardware.kernel.write(ISR, 1)
    assert hardware.kernel.read(ISR) == 0
    hardware.kernel.write(GIER, 1)
    assert hardware.kernel.read(GIER) == 1


# Memory ------------------------------------------------------------------------------------


def test_host_and_device_see_each_other_only_through_the_caches(bench):
    buffer = pynq.allocate(16, "u1")
    device = bench.board.memory.device_view(buffer.physical_address, 16)
    buffer[:] = 1
    assert set(device) == {0xA5}
    buffer[4:8].flush()
    assert device.tolist() == [0xA5] * 4 + [1] * 4 + [0xA5] * 8
    device[:] = 2
    buffer[:2].invalidate()
    assert buffer.tolist() == [2] * 2 + [1] * 14


def test_a_copy_is_no_buffer(bench):
    with pytest.raises(RuntimeError, match="a copy, not a view"):
        (pynq.allocate(16, "u1") * 2).flush()


def test_buffers_are_freed_with_their_arrays(bench):
    buffer = pynq.allocate((3, 4), "i2")
    assert bench.board.memory.used == 24
    buffer.freebuffer()
    assert bench.board.memory.used == 0
    buffer.freebuffer()
    other = pynq.allocate(8, "u1")
    assert bench.board.memory.used == 8
    del other
    assert bench.board.memory.used == 0


def test_memory_ends(make_bench):
    make_bench(memory_bytes=100)
    kept = pynq.allocate(60, "u1")
    with pytest.raises(RuntimeError, match="60 bytes asked for, 40 of 100 free"):
        pynq.allocate(60, "u1")
    kept.freebuffer()


def test_the_fabric_is_empty_until_a_bitstream_is_loaded(bench):
    overlay = pynq.Overlay(str(bench.board.bitfile), download=False)
    address = overlay.ip_dict["eie_0"]["phys_addr"]
    with pytest.raises(RuntimeError, match=f"bus error at {address:#x}: no bitstream is loaded"):
        pynq.MMIO(address, 0x100).read(0)
