"""The hardware handoff (``.hwh``) of the block design: what pynq learns about a bitstream.

Vivado writes one beside every bitstream. This one holds what pynq's parser reads of it: every cell
of the block design with its parameters, interfaces and wires, the address map, the clocks, and the
kernel's registers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from eie.hls.boundary.atomic import write_whole
from eie.hls.spec.block_design import (
    CONCAT,
    DMA,
    DMA_LENGTH_BITS,
    KERNEL,
    STREAM_BITS,
    BlockDesign,
    Cell,
    Instance,
    Pin,
    describe,
)
from eie.hls.spec.boards import Board
from eie.hls.spec.processing_system import ZYNQ7, ZYNQMP
from eie.hls.spec.registers import REGISTERS

__all__ = ["write_hwh"]

_AXI, _AXIS = "xilinx.com:interface:aximm:1.0", "xilinx.com:interface:axis:1.0"
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
    more: dict[Cell, dict[str, int | str]] = {
        design.processor.cell: _clock_parameters(board),
        DMA: {"c_sg_length_width": dma_length_bits},
    }
    system = Element("EDKSYSTEM")
    SubElement(system, "SYSTEMINFO", NAME="eie", BOARD=board.board_part, DEVICE=board.part)
    SubElement(system, "EXTERNALPORTS")
    SubElement(system, "EXTERNALINTERFACES")
    modules = SubElement(system, "MODULES")
    for instance in design.instances:
        module = _add_module(modules, instance, more.get(instance.cell, {}))
        _add_interfaces(module, instance.cell, design)
        _add_ports(module, instance.cell, design)
        if instance.cell == design.processor.cell:
            _add_addresses(module, design)
        if instance.cell == KERNEL:
            _add_registers(module)
    indent(system)
    write_whole(path, tostring(system, encoding="utf-8", xml_declaration=True))


def _clock_parameters(board: Board) -> dict[str, int | str]:
    """Give the clock of the fabric, and three that are off."""
    parameters: dict[str, int | str] = {}
    for i in range(4):
        values = (int(i == 0), _PLL_MHZ // board.clock_mhz, 1, "IOPLL")
        names = (name.format(i=i) for name in _CLOCKS[board.family])
        parameters.update(zip(names, values, strict=True))
    return parameters


def _add_module(modules: Element, instance: Instance, more: Mapping[str, int | str]) -> Element:
    """Add a cell with its parameters, of which `more` count before those of the block design.

    pynqmetadata before 0.2 takes for a processing system only what is not in the fabric (``PL``).
    """
    cell = instance.cell
    module = SubElement(
        modules,
        "MODULE",
        FULLNAME=f"/{cell.name}",
        INSTANCE=cell.name,
        IS_PL=str(cell not in (ZYNQ7.cell, ZYNQMP.cell)).upper(),
        MODTYPE=cell.vlnv.split(":")[2],
        VLNV=cell.vlnv,
    )
    listing = SubElement(module, "PARAMETERS")
    settings = {setting.name: setting.value for setting in instance.settings}
    for name, value in (settings | dict(more)).items():
        SubElement(listing, "PARAMETER", NAME=name, VALUE=str(value))
    return module


def _add_interfaces(module: Element, cell: Cell, design: BlockDesign) -> None:
    """Add the ends of its AXI4 and AXI4-Stream connections; both ends bear the master's name."""
    buses = SubElement(module, "BUSINTERFACES")
    for link in design.links:
        stream = {link.master.cell, link.slave.cell} == {DMA, KERNEL}
        roles = ("INITIATOR", "TARGET") if stream else ("MASTER", "SLAVE")
        for pin, role in zip((link.master, link.slave), roles, strict=True):
            if pin.cell == cell:
                bus = SubElement(
                    buses,
                    "BUSINTERFACE",
                    NAME=pin.name,
                    TYPE=role,
                    VLNV=_AXIS if stream else _AXI,
                    BUSNAME=_signal(link.master),
                )
                if stream:
                    bus.set("DATAWIDTH", str(STREAM_BITS))


def _add_ports(module: Element, cell: Cell, design: BlockDesign) -> None:
    """Add its clocks, resets and interrupts, and what they are connected to."""
    ports = SubElement(module, "PORTS")
    for kind, nets in (
        ("clk", (design.clock,)),
        ("rst", design.resets),
        ("INTERRUPT", design.interrupts),
    ):
        for net in nets:
            for pin in (net.driver, *net.loads):
                if pin.cell != cell:
                    continue
                drives = pin == net.driver
                port = SubElement(
                    ports,
                    "PORT",
                    NAME=pin.name,
                    DIR="O" if drives else "I",
                    SIGIS=kind,
                    SIGNAME=_signal(net.driver),
                )
                if pin == Pin(CONCAT, "dout"):
                    port.attrib |= {"LEFT": str(_interrupts(design) - 1), "RIGHT": "0"}
                connections = SubElement(port, "CONNECTIONS")
                for end in net.loads if drives else (net.driver,):
                    SubElement(connections, "CONNECTION", INSTANCE=end.cell.name, PORT=end.name)


def _signal(driver: Pin) -> str:
    """Name of a wire, as Vivado makes it of what drives it."""
    return f"{driver.cell.name}_{driver.name}"


def _interrupts(design: BlockDesign) -> int:
    """Count what is concatenated."""
    return sum(load.cell == CONCAT for net in design.interrupts for load in net.loads)


def _add_addresses(module: Element, design: BlockDesign) -> None:
    """Add to the processing system where it sees the registers."""
    ranges = SubElement(module, "MEMORYMAP")
    for place in design.addresses:
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
