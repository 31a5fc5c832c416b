"""The AXI4-Lite register map of the kernel, defined once.

The generated C++ (ports and their offsets in ``eie.cpp``, and whatever passes the registers on),
the ``.hwh`` of the emulated board, the driver and the table in ``docs/reference/packets.md`` all
come from here. The first four registers are those that
Vitis HLS gives every ``ap_ctrl_hs`` kernel (UG1399, S_AXILITE control register map).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AUTO_RESTART", "CONTROL", "REGISTERS", "START", "VLNV", "Register", "offset_of"]

#: Vendor, library, name and version of the IP; the driver binds to it.
VLNV = "xilinx.com:hls:eie:1.0"
#: Bits of the control register.
START, DONE, IDLE, READY, AUTO_RESTART = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 7


@dataclass(frozen=True)
class Register:
    """A 32-bit register."""

    #: Name in C++ (the port), Python and the documentation.
    name: str
    #: Byte offset.
    offset: int
    #: ``"read-only"`` or ``"read-write"``.
    access: str
    #: Meaning, with units.
    text: str


#: What Vitis HLS adds for ``s_axilite port=return``.
CONTROL = (
    Register("CTRL", 0x00, "read-write", "start (bit 0), done, idle, ready, auto-restart (bit 7)"),
    Register("GIER", 0x04, "read-write", "global interrupt enable"),
    Register("IP_IER", 0x08, "read-write", "interrupt enable: done (bit 0), ready (bit 1)"),
    Register("IP_ISR", 0x0C, "read-write", "interrupt status, toggled by writing 1"),
)
#: The kernel's own, as its ports. An output takes 16 bytes: data, then a valid flag.
PORTS = (
    Register("design_id", 0x10, "read-only", "identity of the design"),
    Register("format_version", 0x20, "read-only", "version of the packet format"),
    Register("network_id", 0x30, "read-only", "resident network, 0 when none is valid"),
    Register("packets", 0x40, "read-only", "packets answered since reset"),
    Register("errors", 0x50, "read-only", "packets answered with a status other than OK"),
    Register("cycles", 0x60, "read-only", "cycles of the last run, low 32 bits"),
)
#: Every register, by rising offset.
REGISTERS = CONTROL + PORTS


def offset_of(name: str) -> int:
    """Byte offset of the register called `name`."""
    return {register.name: register.offset for register in REGISTERS}[name]
