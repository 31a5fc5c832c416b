"""The block design around the kernel: cells, connections and addresses, defined once.

The Vivado script and the ``.hwh`` of the emulated board both come from here, so that a driver
tested on one finds the same names and addresses on the other::

    processing system --control--> SmartConnect ---> DMA, kernel, interrupt controller
    processing system <--memory--- SmartConnect <--- DMA (read and write)
    DMA --input--> kernel --output--> DMA
    DMA, kernel ---> concatenation ---> interrupt controller ---> processing system

One clock and one reset, both from the processing system, serve everything.
"""

from __future__ import annotations

from dataclasses import dataclass

from eie.hls.spec.boards import Board
from eie.hls.spec.processing_system import (
    STREAM_BITS,
    ZYNQ7,
    ZYNQMP,
    Cell,
    ProcessingSystem,
    Setting,
)
from eie.hls.spec.registers import VLNV

__all__ = [
    "CONCAT",
    "CONTROL_CONNECT",
    "DMA",
    "DMA_LENGTH_BITS",
    "INTERRUPTS",
    "KERNEL",
    "KERNEL_INPUT",
    "KERNEL_OUTPUT",
    "MEMORY_CONNECT",
    "RESET",
    "STREAM_BITS",
    "AddressRange",
    "BlockDesign",
    "Cell",
    "Instance",
    "Link",
    "Net",
    "Pin",
    "ProcessingSystem",
    "Setting",
    "address_map",
    "describe",
    "processing_system",
]

#: The AXI DMA in direct register mode (PG021): no scatter-gather.
DMA = Cell("axi_dma_0", "xilinx.com:ip:axi_dma:7.1")
#: The accelerator.
KERNEL = Cell("eie_0", VLNV)
#: Merges the interrupts into one (PG099); pynq's ``Interrupt`` needs such a cell.
INTERRUPTS = Cell("axi_intc_0", "xilinx.com:ip:axi_intc:4.1")
#: Makes a bus of the interrupts. Recent Vivado releases suggest inline HDL (``ilconcat``) in its
#: place (UG994), but pynq follows interrupts through cells called ``xlconcat`` only.
CONCAT = Cell("xlconcat_0", "xilinx.com:ip:xlconcat:2.1")
#: Synchronizes the reset to the clock (PG164).
RESET = Cell("proc_sys_reset_0", "xilinx.com:ip:proc_sys_reset:5.0")
#: From the processing system to registers (PG247).
CONTROL_CONNECT = Cell("control_connect", "xilinx.com:ip:smartconnect:1.0")
#: From the DMA to memory (PG247).
MEMORY_CONNECT = Cell("memory_connect", "xilinx.com:ip:smartconnect:1.0")

#: Width of the DMA's length register: transfers of up to 2**26 - 1 bytes (PG021).
DMA_LENGTH_BITS = 26
#: The kernel's streams, by the names of the top function's parameters.
KERNEL_INPUT, KERNEL_OUTPUT = "packets_in", "packets_out"


@dataclass(frozen=True)
class Instance:
    """A cell with its properties."""

    cell: Cell
    #: What it is for.
    purpose: str
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True)
class Pin:
    """A pin, or an interface, of a cell."""

    cell: Cell
    name: str

    def __str__(self) -> str:
        """Path in the block design: ``cell/pin``."""
        return f"{self.cell.name}/{self.name}"


@dataclass(frozen=True)
class Link:
    """A connection between two interfaces, AXI4 or AXI4-Stream."""

    master: Pin
    slave: Pin


@dataclass(frozen=True)
class Net:
    """A wire from one pin to others."""

    driver: Pin
    loads: tuple[Pin, ...]
    #: What it carries.
    purpose: str


@dataclass(frozen=True)
class AddressRange:
    """Where the processing system sees a cell's registers."""

    cell: Cell
    #: AXI4-Lite interface of the cell.
    interface: str
    #: First byte address.
    base: int
    #: Bytes.
    size: int
    #: Memory map behind the interface in the IP's description, where it is called otherwise.
    memory_map: str = ""

    @property
    def segment(self) -> str:
        """Path of the address segment in the block design."""
        return f"{self.cell.name}/{self.memory_map or self.interface}/Reg"


@dataclass(frozen=True)
class BlockDesign:
    """Everything that the Vivado script has to make."""

    #: The processing system, which is also the first of :attr:`instances`.
    processor: ProcessingSystem
    instances: tuple[Instance, ...]
    links: tuple[Link, ...]
    clock: Net
    #: Active low.
    resets: tuple[Net, ...]
    interrupts: tuple[Net, ...]
    #: Registers in :attr:`control_space`.
    addresses: tuple[AddressRange, ...]

    #: Name of the block design. pynq does not look at it.
    name = "system"
    #: Address spaces of the DMA, which see the processing system's memory.
    dma_spaces = (f"{DMA.name}/Data_MM2S", f"{DMA.name}/Data_S2MM")

    @property
    def control_space(self) -> str:
        """Address space of the processing system."""
        return f"{self.processor.cell.name}/Data"


def processing_system(board: Board) -> ProcessingSystem:
    """Return the processing system of `board`."""
    return ZYNQ7 if board.family == "zynq7" else ZYNQMP


def address_map(board: Board) -> tuple[AddressRange, ...]:
    """Return the registers that the processing system sees, by rising address."""
    base, size = processing_system(board).control_base, 0x1_0000
    return (
        AddressRange(DMA, "S_AXI_LITE", base, size),
        AddressRange(KERNEL, "s_axi_control", base + size, size),
        AddressRange(INTERRUPTS, "s_axi", base + 2 * size, size, memory_map="S_AXI"),
    )


def describe(board: Board, clock_mhz: int) -> BlockDesign:
    """Describe the block design for `board`.

    Parameters
    ----------
    board
        Decides the processing system, its ports, and the width of addresses.
    clock_mhz
        Clock of the fabric that the processing system is asked for, in MHz; it gives the nearest
        one that its dividers allow.
    """
    processor = processing_system(board)
    addresses = address_map(board)
    return BlockDesign(
        processor=processor,
        instances=_instances(processor, clock_mhz, len(addresses)),
        links=_links(processor, addresses),
        clock=_clock(processor),
        resets=_resets(processor),
        interrupts=_interrupts(processor),
        addresses=addresses,
    )


def _instances(processor: ProcessingSystem, clock_mhz: int, registers: int) -> tuple[Instance, ...]:
    """List the cells; `registers` counts the interfaces that the processing system controls."""
    one_clock = Setting("NUM_CLKS", 1, "everything runs on one clock")
    return (
        Instance(processor.cell, "the processing system", processor.settings(clock_mhz)),
        Instance(RESET, "reset, synchronous to the clock"),
        Instance(
            CONTROL_CONNECT,
            "from the processing system to registers",
            (
                Setting("NUM_SI", 1, "the processing system"),
                Setting("NUM_MI", registers, "DMA, kernel, interrupt controller"),
                one_clock,
            ),
        ),
        Instance(
            MEMORY_CONNECT,
            "from the DMA to memory",
            (
                Setting("NUM_SI", 2, "the DMA reads and writes"),
                Setting("NUM_MI", 1, "one memory port"),
                one_clock,
            ),
        ),
        Instance(
            DMA,
            "packets from memory to the kernel, and answers back",
            (
                Setting("c_include_sg", 0, "direct register mode: a packet is one buffer"),
                Setting("c_sg_include_stscntrl_strm", 0, "belongs to scatter-gather"),
                Setting("c_sg_length_width", DMA_LENGTH_BITS, "the longest transfer there is"),
                Setting("c_addr_width", processor.address_bits, processor.address_reason),
                Setting("c_include_mm2s", 1, "memory to stream"),
                Setting("c_m_axi_mm2s_data_width", STREAM_BITS, "as wide as the stream"),
                Setting("c_m_axis_mm2s_tdata_width", STREAM_BITS, "a beat of the packet format"),
                Setting("c_include_mm2s_dre", 0, "buffers are aligned, packets are whole beats"),
                Setting("c_include_s2mm", 1, "stream to memory"),
                Setting("c_m_axi_s2mm_data_width", STREAM_BITS, "as wide as the stream"),
                Setting("c_s_axis_s2mm_tdata_width", STREAM_BITS, "a beat of the packet format"),
                Setting("c_include_s2mm_dre", 0, "buffers are aligned, packets are whole beats"),
            ),
        ),
        Instance(KERNEL, "the accelerator"),
        Instance(
            CONCAT,
            "a bus of the interrupts",
            (Setting("NUM_PORTS", 3, "DMA read, DMA write, kernel"),),
        ),
        Instance(
            INTERRUPTS,
            "one interrupt for the processing system",
            (Setting("C_IRQ_CONNECTION", 1, "a single wire, not the bus of a MicroBlaze"),),
        ),
    )


def _links(processor: ProcessingSystem, addresses: tuple[AddressRange, ...]) -> tuple[Link, ...]:
    """List the interface connections."""
    return (
        Link(Pin(processor.cell, processor.control), Pin(CONTROL_CONNECT, "S00_AXI")),
        *(
            Link(Pin(CONTROL_CONNECT, f"M{index:02}_AXI"), Pin(block.cell, block.interface))
            for index, block in enumerate(addresses)
        ),
        Link(Pin(DMA, "M_AXI_MM2S"), Pin(MEMORY_CONNECT, "S00_AXI")),
        Link(Pin(DMA, "M_AXI_S2MM"), Pin(MEMORY_CONNECT, "S01_AXI")),
        Link(Pin(MEMORY_CONNECT, "M00_AXI"), Pin(processor.cell, processor.memory)),
        Link(Pin(DMA, "M_AXIS_MM2S"), Pin(KERNEL, KERNEL_INPUT)),
        Link(Pin(KERNEL, KERNEL_OUTPUT), Pin(DMA, "S_AXIS_S2MM")),
    )


def _clock(processor: ProcessingSystem) -> Net:
    return Net(
        Pin(processor.cell, processor.clock),
        (
            *(Pin(processor.cell, name) for name in processor.clock_inputs),
            Pin(RESET, "slowest_sync_clk"),
            Pin(CONTROL_CONNECT, "aclk"),
            Pin(MEMORY_CONNECT, "aclk"),
            Pin(DMA, "s_axi_lite_aclk"),
            Pin(DMA, "m_axi_mm2s_aclk"),
            Pin(DMA, "m_axi_s2mm_aclk"),
            Pin(KERNEL, "ap_clk"),
            Pin(INTERRUPTS, "s_axi_aclk"),
        ),
        "the clock of everything",
    )


def _resets(processor: ProcessingSystem) -> tuple[Net, ...]:
    """List the resets; proc_sys_reset releases the interconnects first (PG164)."""
    return (
        Net(
            Pin(processor.cell, processor.reset),
            (Pin(RESET, "ext_reset_in"),),
            "the reset of the processing system",
        ),
        Net(
            Pin(RESET, "interconnect_aresetn"),
            (Pin(CONTROL_CONNECT, "aresetn"), Pin(MEMORY_CONNECT, "aresetn")),
            "the interconnects, which come up first",
        ),
        Net(
            Pin(RESET, "peripheral_aresetn"),
            (Pin(DMA, "axi_resetn"), Pin(KERNEL, "ap_rst_n"), Pin(INTERRUPTS, "s_axi_aresetn")),
            "everything else",
        ),
    )


def _interrupts(processor: ProcessingSystem) -> tuple[Net, ...]:
    """List the interrupts; pynq numbers them by the inputs of the concatenation."""
    return (
        Net(Pin(DMA, "mm2s_introut"), (Pin(CONCAT, "In0"),), "a packet has been read"),
        Net(Pin(DMA, "s2mm_introut"), (Pin(CONCAT, "In1"),), "an answer has been written"),
        Net(Pin(KERNEL, "interrupt"), (Pin(CONCAT, "In2"),), "the kernel is done or ready"),
        Net(Pin(CONCAT, "dout"), (Pin(INTERRUPTS, "intr"),), "all of them"),
        Net(
            Pin(INTERRUPTS, "irq"),
            (Pin(processor.cell, processor.interrupt),),
            "one for the processing system",
        ),
    )
