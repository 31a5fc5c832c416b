"""The block design around the kernel: cells and addresses, defined once.

The Vivado script and the ``.hwh`` of the emulated board both come from here, so that a driver
tested on one finds the same names and addresses on the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from eie.hls.boards import Board
from eie.hls.registers import VLNV

__all__ = ["DMA", "DMA_LENGTH_BITS", "KERNEL", "AddressRange", "Cell", "address_map"]


@dataclass(frozen=True)
class Cell:
    """A cell of the block design."""

    #: Instance name; also the name that pynq shows in ``Overlay.ip_dict``.
    name: str
    #: Vendor, library, name and version of the IP.
    vlnv: str


#: The AXI DMA in direct register mode (PG021): no scatter-gather.
DMA = Cell("axi_dma_0", "xilinx.com:ip:axi_dma:7.1")
#: The accelerator.
KERNEL = Cell("eie_0", VLNV)
#: Width of the DMA's length register: transfers of up to 2**26 - 1 bytes (PG021).
DMA_LENGTH_BITS = 26


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


def address_map(board: Board) -> tuple[AddressRange, ...]:
    """Registers seen by the processing system, by rising address."""
    base = 0x4000_0000 if board.family == "zynq7" else 0xA000_0000
    return (
        AddressRange(DMA, "S_AXI_LITE", base, 0x1_0000),
        AddressRange(KERNEL, "s_axi_control", base + 0x1_0000, 0x1_0000),
    )
