"""The processing systems of the boards: their ports to the fabric, and what each has to be told.

Ports and properties are those of the IP (PG082 for Zynq-7000, PG201 for Zynq UltraScale+),
addresses those of the technical reference manuals (UG585, UG1085).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["STREAM_BITS", "ZYNQ7", "ZYNQMP", "Cell", "ProcessingSystem", "Setting"]

#: Width of both AXI4-Streams and of the DMA's memory side: a beat of the packet format.
STREAM_BITS = 64


@dataclass(frozen=True)
class Cell:
    """A cell of the block design."""

    #: Instance name; also the name that pynq shows in ``Overlay.ip_dict``.
    name: str
    #: Vendor, library, name and version of the IP.
    vlnv: str

    @property
    def unversioned(self) -> str:
        """Vendor, library and name, which Vivado takes for "whichever version there is"."""
        return self.vlnv.rpartition(":")[0]


@dataclass(frozen=True)
class Setting:
    """A ``CONFIG`` property of a cell."""

    #: Without the leading ``CONFIG.``.
    name: str
    value: int
    #: Why it is set.
    reason: str


@dataclass(frozen=True)
class ProcessingSystem:
    """What differs between the processing systems."""

    cell: Cell
    #: Whether every Vivado release has a version of its own, so that none can be asked for.
    any_version: bool
    #: Vivado's automation that applies a board's preset.
    rule: str
    #: Interfaces that the automation connects to the device's pins.
    external: tuple[str, ...]
    #: Master through which registers are reached, and where its address range begins.
    control: str
    control_base: int
    #: Slave through which the DMA reaches memory.
    memory: str
    #: Segments behind :attr:`memory`: DDR; DDR above 2 GiB, which a board's preset may add ("" if
    #: there is none); and those that the DMA has no business with.
    ddr: str
    ddr_high: str
    excluded: tuple[str, ...]
    #: Width of the DMA's addresses, and why.
    address_bits: int
    address_reason: str
    #: Clock and reset that it gives to the fabric.
    clock: str
    reset: str
    #: Clocks that its own ports ask for.
    clock_inputs: tuple[str, ...]
    #: Interrupt input.
    interrupt: str
    #: Properties that hold with and without board files, but for the clock.
    enabled: tuple[Setting, ...]
    #: Property that takes the clock in MHz.
    clock_setting: str
    #: Properties for when no board files are installed: what the fabric's clock depends on. DDR
    #: timing and pins stay as they are, since a board's boot image sets them up, not a bitstream.
    fallback: tuple[Setting, ...]

    def settings(self, clock_mhz: int) -> tuple[Setting, ...]:
        """List the properties to set for a clock of `clock_mhz` MHz."""
        return (*self.enabled, Setting(self.clock_setting, clock_mhz, "MHz, of the fabric"))


#: Zynq-7000.
ZYNQ7 = ProcessingSystem(
    cell=Cell("processing_system7_0", "xilinx.com:ip:processing_system7:5.5"),
    any_version=False,
    rule="xilinx.com:bd_rule:processing_system7",
    external=("FIXED_IO", "DDR"),
    control="M_AXI_GP0",
    control_base=0x4000_0000,
    memory="S_AXI_HP0",
    ddr="S_AXI_HP0/HP0_DDR_LOWOCM",
    ddr_high="",
    excluded=(),
    address_bits=32,
    address_reason="as the Cortex-A9",
    clock="FCLK_CLK0",
    reset="FCLK_RESET0_N",
    clock_inputs=("M_AXI_GP0_ACLK", "S_AXI_HP0_ACLK"),
    interrupt="IRQ_F2P",
    enabled=(
        Setting("PCW_USE_M_AXI_GP0", 1, "registers"),
        Setting("PCW_USE_M_AXI_GP1", 0, "unused; if enabled it asks for a clock"),
        Setting("PCW_USE_S_AXI_HP0", 1, "memory for the DMA"),
        Setting("PCW_S_AXI_HP0_DATA_WIDTH", STREAM_BITS, "as wide as the DMA"),
        Setting("PCW_USE_FABRIC_INTERRUPT", 1, "interrupts from the fabric"),
        Setting("PCW_IRQ_F2P_INTR", 1, "on IRQ_F2P"),
        Setting("PCW_EN_CLK0_PORT", 1, "the clock"),
        Setting("PCW_EN_RST0_PORT", 1, "the reset"),
    ),
    clock_setting="PCW_FPGA0_PERIPHERAL_FREQMHZ",
    fallback=(
        Setting("PCW_CRYSTAL_PERIPHERAL_FREQMHZ", 50, "MHz, of PYNQ-Z1 and PYNQ-Z2"),
    ),
)  # fmt: skip

#: Zynq UltraScale+, with RFSoC and Kria. Vivado numbers ports by their place: M_AXI_GP0 is
#: HPM0_FPD, S_AXI_GP2 is HP0_FPD. The widths of these ports are also bits in the processing
#: system itself; pynq sets them from the ``.hwh`` when it loads a bitstream.
ZYNQMP = ProcessingSystem(
    cell=Cell("zynq_ultra_ps_e_0", "xilinx.com:ip:zynq_ultra_ps_e:3.5"),
    any_version=True,
    rule="xilinx.com:bd_rule:zynq_ultra_ps_e",
    external=(),
    control="M_AXI_HPM0_FPD",
    control_base=0xA000_0000,
    memory="S_AXI_HP0_FPD",
    ddr="SAXIGP2/HP0_DDR_LOW",
    ddr_high="SAXIGP2/HP0_DDR_HIGH",
    excluded=("SAXIGP2/HP0_QSPI", "SAXIGP2/HP0_LPS_OCM"),
    address_bits=40,
    address_reason="as the Cortex-A53: memory above 4 GiB too",
    clock="pl_clk0",
    reset="pl_resetn0",
    clock_inputs=("maxihpm0_fpd_aclk", "saxihp0_fpd_aclk"),
    interrupt="pl_ps_irq0",
    enabled=(
        Setting("PSU__USE__M_AXI_GP0", 1, "HPM0_FPD, for registers"),
        Setting("PSU__MAXIGP0__DATA_WIDTH", 32, "as wide as AXI4-Lite"),
        Setting("PSU__USE__M_AXI_GP1", 0, "HPM1_FPD, unused; if enabled it asks for a clock"),
        Setting("PSU__USE__M_AXI_GP2", 0, "HPM0_LPD, unused; if enabled it asks for a clock"),
        Setting("PSU__USE__S_AXI_GP2", 1, "HP0_FPD, memory for the DMA"),
        Setting("PSU__SAXIGP2__DATA_WIDTH", STREAM_BITS, "as wide as the DMA"),
        Setting("PSU__USE__IRQ0", 1, "interrupts from the fabric, on pl_ps_irq0"),
        Setting("PSU__FPGA_PL0_ENABLE", 1, "the clock"),
        Setting("PSU__USE__FABRIC__RST", 1, "the reset"),
    ),
    clock_setting="PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ",
    fallback=(),
)
