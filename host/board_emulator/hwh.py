"""The hardware handoff (``.hwh``) of the block design: what pynq learns about a bitstream.

Vivado writes one beside every bitstream. This one holds what pynq's parser reads: the processing
system with its clocks and address map, the DMA's parameters, and the kernel's registers.
Interrupts are not emulated, so their controller and wires are left out, and pynq polls.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from eie.hls.block_design import DMA, DMA_LENGTH_BITS, KERNEL, BlockDesign, Cell, describe
from eie.hls.boards import Board
from eie.hls.registers import REGISTERS

__all__ = ["write_hwh"]

_AXI = "xilinx.com:interface:aximm:1.0"
#: Parameters of the processing system's clock {i} that pynq insists on, for each of the four:
#: whether it is on, its two dividers, and its source.
_CLOCKS = {
    "zynq7": (
        "PCW_FPGA_FCLK{i}_ENABLE",
        "PCW_FCLK{i}_PERIPHERAL_DIVISOR0",
        "PCW_FCLK{i}_PERIPHERAL_DIVISOR1",
        "PCW_FCLK{i}_PERIPHERAL_CLKSRC",
    ),
    "zynqmp": (
        "PSU__FPGA_PL{i}_ENABLE",
        "PSU__CRL_APB__PL{i}_REF_CTRL__DIVISOR0",
        "PSU__CRL_APB__PL{i}_REF_CTRL__DIVISOR1",
        "PSU__CRL_APB__PL{i}_REF_CTRL__SRCSEL",
    ),
}
#: Rate of the PLL that clocks are divided from, in MHz.
_PLL_MHZ = 1000


def write_hwh(
    board: Board, path: str | os.PathLike[str], *, dma_length_bits: int = DMA_LENGTH_BITS
) -> None:
    """Write the ``.hwh`` of the block design for `board`; it appears whole or not at all.

    Parameters
    ----------
    board
        Decides the processing system and the addresses.
    path
        File to write.
    dma_length_bits
        Width of the DMA's length registers.
    """
    design = describe(board, board.clock_mhz)
    settings = {
        instance.cell: {setting.name: setting.value for setting in instance.settings}
        for instance in design.instances
    }
    processor = design.processor
    system = Element("EDKSYSTEM")
    SubElement(system, "SYSTEMINFO", NAME="eie", BOARD=board.board_part, DEVICE=board.part)
    SubElement(system, "EXTERNALPORTS")
    SubElement(system, "EXTERNALINTERFACES")
    modules = SubElement(system, "MODULES")
    _add_addresses(
        _add_module(
            modules,
            processor.cell,
            _clock_parameters(board) | settings[processor.cell],
            (processor.control, "MASTER"),
            fabric=False,
        ),
        design,
    )
    _add_module(
        modules,
        DMA,
        settings[DMA] | {"c_sg_length_width": dma_length_bits},
        *((place.interface, "SLAVE") for place in design.addresses if place.cell == DMA),
    )
    _add_registers(
        _add_module(
            modules,
            KERNEL,
            settings[KERNEL],
            *((place.interface, "SLAVE") for place in design.addresses if place.cell == KERNEL),
        )
    )
    indent(system)
    target = Path(path)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        ElementTree(system).write(partial, encoding="utf-8", xml_declaration=True)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _clock_parameters(board: Board) -> dict[str, int | str]:
    """Give the clock of the fabric, and three that are off."""
    parameters: dict[str, int | str] = {}
    for i in range(4):
        values = (int(i == 0), _PLL_MHZ // board.clock_mhz, 1, "IOPLL")
        names = (name.format(i=i) for name in _CLOCKS[board.family])
        parameters.update(zip(names, values, strict=True))
    return parameters


def _add_module(
    modules: Element,
    cell: Cell,
    parameters: Mapping[str, int | str],
    *interfaces: tuple[str, str],
    fabric: bool = True,
) -> Element:
    """Add a cell with its parameters, and its AXI interfaces by name and role.

    pynqmetadata before 0.2 takes for a processing system only what is not in the `fabric`.
    """
    module = SubElement(
        modules,
        "MODULE",
        FULLNAME=f"/{cell.name}",
        INSTANCE=cell.name,
        IS_PL=str(fabric).upper(),
        MODTYPE=cell.vlnv.split(":")[2],
        VLNV=cell.vlnv,
    )
    listing = SubElement(module, "PARAMETERS")
    for name, value in parameters.items():
        SubElement(listing, "PARAMETER", NAME=name, VALUE=str(value))
    buses = SubElement(module, "BUSINTERFACES")
    for name, role in interfaces:
        SubElement(buses, "BUSINTERFACE", NAME=name, TYPE=role, VLNV=_AXI)
    return module


def _add_addresses(module: Element, design: BlockDesign) -> None:
    """Add to the processing system where it sees the registers."""
    ranges = SubElement(module, "MEMORYMAP")
    for place in design.addresses:
        if place.cell in (DMA, KERNEL):
            SubElement(
                ranges,
                "MEMRANGE",
                INSTANCE=place.cell.name,
                ADDRESSBLOCK="Reg",
                MEMTYPE="REGISTER",
                BASEVALUE=f"0x{place.base:08X}",
                HIGHVALUE=f"0x{place.base + place.size - 1:08X}",
                MASTERBUSINTERFACE=design.processor.control,
                SLAVEBUSINTERFACE=place.interface,
            )


def _add_registers(module: Element) -> None:
    """Add the kernel's register map; Vitis HLS gives each register one field of its name."""
    blocks = SubElement(module, "ADDRESSBLOCKS")
    block = SubElement(
        blocks, "ADDRESSBLOCK", INTERFACE="s_axi_control", NAME="Reg", USAGE="register"
    )
    registers = SubElement(block, "REGISTERS")
    for register in REGISTERS:
        element = SubElement(registers, "REGISTER", NAME=register.name)
        _add_properties(
            element,
            DESCRIPTION=register.text,
            ADDRESS_OFFSET=f"0x{register.offset:02X}",
            SIZE="32",
            ACCESS=register.access,
            IS_ENABLED="true",
        )
        field = SubElement(SubElement(element, "FIELDS"), "FIELD", NAME=register.name)
        _add_properties(
            field,
            DESCRIPTION=register.text,
            BIT_OFFSET="0",
            BIT_WIDTH="32",
            ACCESS=register.access,
        )


def _add_properties(element: Element, **properties: str) -> None:
    for name, value in properties.items():
        SubElement(element, "PROPERTY", NAME=name, VALUE=value)
