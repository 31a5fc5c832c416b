"""Parts of the block design around the kernel, from published reports of others.

AMD publishes no figures for SmartConnect, and moved those of its DMA to pages that need a tool to
read. What is here is what a design with the same cells took after routing on an xc7z020 at
100 MHz, Vivado 2025.2 (PERFORMANCE_RESOURCES.md of "nanoGPT Zynq", QKT8, July 2026)::

    AXI DMA 1,129 LUTs, 1,634 flip-flops, 2 RAMB36
    SmartConnect to memory 3,677 LUTs, 4,639 flip-flops
    SmartConnect to registers 505 LUTs, 657 flip-flops

The last is what PG247 calls its low-area mode, which it takes by itself where all slaves are
AXI4-Lite of 32 bits, as ours are. The one to memory serves the core's own master there beside the
two of the DMA. With a single master and slave it takes 910 LUTs and 904 flip-flops
(analogdevicesinc/hdl, pull request 1054, Vivado 2023.1, Zynq-7000). Ours has two masters: half way
between. UltraScale+ is taken to be alike, as PG059 says of AXI Interconnect.
"""

from __future__ import annotations

from eie.hls.model.area.cost import Cost
from eie.hls.model.area.part import Block, fixed, part
from eie.hls.spec.block_design import CONTROL_CONNECT, DMA, INTERRUPTS, MEMORY_CONNECT, RESET

__all__ = ["block_design"]

#: Two registers for each of eight interrupts' worth of control: argued, as for the reset below.
_INTERRUPT_REGISTERS = 2


#: SmartConnect with one master and with three.
_ONE_MASTER, _THREE_MASTERS = Cost(lut=910, ff=904), Cost(lut=3677, ff=4639)
_MEMORY_CONNECT = Cost(
    lut=(_ONE_MASTER.lut + _THREE_MASTERS.lut) / 2, ff=(_ONE_MASTER.ff + _THREE_MASTERS.ff) / 2
)


def block_design() -> tuple[Block, ...]:
    """List the cells that take anything; the concatenation and the processing system do not."""
    return (
        # Its FIFOs may take block RAM, 2 BRAM36 in that design: left to what the budget leaves
        # free, as the kernel's count is exact.
        Block(DMA.name, 1, (fixed("published", Cost(lut=1129, ff=1634)),)),
        Block(MEMORY_CONNECT.name, 1, (fixed("between two published", _MEMORY_CONNECT),)),
        Block(CONTROL_CONNECT.name, 1, (fixed("published", Cost(lut=505, ff=657)),)),
        Block(
            INTERRUPTS.name,
            1,
            (part("registers, argued", "axilite", width=_INTERRUPT_REGISTERS),),
        ),
        # Two synchronizers and a counter of a few bits (PG164): argued.
        Block(RESET.name, 1, (fixed("argued", Cost(lut=20, ff=40)),)),
    )
