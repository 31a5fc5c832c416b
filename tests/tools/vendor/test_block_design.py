"""The description that the Vivado script and the emulated board share."""

from __future__ import annotations

import itertools

import pytest

from eie.hls.spec.block_design import (
    CONCAT,
    DMA,
    DMA_LENGTH_BITS,
    INTERRUPTS,
    KERNEL,
    BlockDesign,
    Pin,
    address_map,
    describe,
    processing_system,
)
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.registers import REGISTERS


@pytest.fixture(params=BOARDS)
def board(request):
    return BOARDS[request.param]


@pytest.fixture
def block_design(board) -> BlockDesign:
    return describe(board, board.clock_mhz)


def test_registers_lie_apart_and_aligned(board):
    addresses = address_map(board)
    assert [block.cell for block in addresses] == [DMA, KERNEL, INTERRUPTS]
    assert all(block.base % block.size == 0 for block in addresses)
    for block, following in itertools.pairwise(addresses):
        assert block.base + block.size <= following.base
    assert REGISTERS[-1].offset < addresses[1].size


@pytest.mark.parametrize(("family", "base"), [("zynq7", 0x4000_0000), ("zynqmp", 0xA000_0000)])
def test_addresses_are_those_that_the_docs_name(family, base):
    board = next(board for board in BOARDS.values() if board.family == family)
    assert [block.base for block in address_map(board)] == [base, base + 0x1_0000, base + 0x2_0000]
    assert [block.segment for block in address_map(board)] == [
        "axi_dma_0/S_AXI_LITE/Reg",
        "eie_0/s_axi_control/Reg",
        "axi_intc_0/S_AXI/Reg",
    ]


def test_cells_are_unique_and_begin_with_the_processing_system(board, block_design):
    names = [instance.cell.name for instance in block_design.instances]
    assert len(set(names)) == len(names)
    assert block_design.instances[0].cell == processing_system(board).cell
    assert block_design.control_space == f"{names[0]}/Data"


def test_no_pin_is_connected_twice(block_design):
    nets = (block_design.clock, *block_design.resets, *block_design.interrupts)
    loads = [pin for net in nets for pin in net.loads]
    ends = [end for link in block_design.links for end in (link.master, link.slave)]
    for pins in (loads, ends):
        assert len(set(pins)) == len(pins)
    known = {instance.cell for instance in block_design.instances}
    assert {pin.cell for pin in (*loads, *ends)} == known


def test_pynq_finds_the_interrupts_in_this_order(block_design):
    sources = {str(net.loads[0]): str(net.driver) for net in block_design.interrupts}
    assert [sources[str(Pin(CONCAT, f"In{index}"))] for index in range(3)] == [
        "axi_dma_0/mm2s_introut",
        "axi_dma_0/s2mm_introut",
        "eie_0/interrupt",
    ]


def settings_of(block_design: BlockDesign, cell) -> dict[str, int]:
    (instance,) = (each for each in block_design.instances if each.cell == cell)
    return {setting.name: setting.value for setting in instance.settings}


def test_the_dma_suits_the_packets_and_the_memory(board, block_design):
    dma = settings_of(block_design, DMA)
    assert dma["c_include_sg"] == 0
    assert dma["c_sg_length_width"] == DMA_LENGTH_BITS == 26
    assert dma["c_addr_width"] == (32 if board.family == "zynq7" else 40)
    widths = {name: value for name, value in dma.items() if name.endswith("data_width")}
    assert len(widths) == 4 and set(widths.values()) == {64}


def test_the_processing_system_is_asked_for_the_clock(board):
    processor = processing_system(board)
    assert settings_of(describe(board, 123), processor.cell)[processor.clock_setting] == 123


def test_descriptions_are_values(board):
    assert describe(board, 100) == describe(board, 100)
    assert hash(describe(board, 100)) == hash(describe(board, 100))
    assert describe(board, 100) != describe(board, 101)
