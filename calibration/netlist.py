"""What a netlist of yosys takes of an FPGA."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from eie.hls.model.area.cost import Cost

__all__ = ["count"]

#: LUTs that a cell with memory in LUTs takes: UG474 (7 series), UG574 (UltraScale+).
_MEMORY_LUTS = {
    "SRL16E": 1,
    "SRLC16E": 1,
    "SRLC32E": 1,
    "RAM16X1S": 1,
    "RAM32X1S": 1,
    "RAM64X1S": 1,
    "RAM128X1S": 2,
    "RAM256X1S": 4,
    "RAM512X1S": 8,
    "RAM16X1D": 2,
    "RAM32X1D": 2,
    "RAM64X1D": 2,
    "RAM128X1D": 4,
    "RAM256X1D": 8,
    "RAM32M": 4,
    "RAM64M": 4,
    "RAM32M16": 8,
    "RAM64M8": 8,
    "RAM32X16DR8": 8,
    "RAM64X8SW": 8,
}
#: Cells that are no LUTs: wide multiplexers, buffers, constants.
_FREE = ("MUXF7", "MUXF8", "MUXF9", "BUFG", "IBUF", "OBUF", "VCC", "GND")


def count(module: Mapping[str, Any]) -> Cost:
    """Count what a module of ``write_json`` takes.

    LUTs are counted a cell each: two small ones that share a LUT6 count as two, as in the report of
    a synthesis by Vivado, which combines them later. A carry chain takes a bit from a LUT only, so
    a bit that comes from elsewhere takes one as a wire; yosys does not count that. The other
    operand of a chain's bit is the second output of the same LUT where both need five inputs or
    fewer.

    Raises
    ------
    ValueError
        If a cell is none that is known.
    """
    drivers: dict[int, Any] = {}
    uses: Counter[int] = Counter()
    for cell in module["cells"].values():
        for port, bits in cell["connections"].items():
            wires = [bit for bit in bits if isinstance(bit, int)]
            if cell["port_directions"].get(port) == "output":
                drivers.update(dict.fromkeys(wires, cell))
            else:
                uses.update(wires)
    lut = ff = bram18 = dsp = 0
    for cell in module["cells"].values():
        kind = cell["type"]
        if re.fullmatch("LUT[1-6]|INV", kind):
            lut += 1
        elif kind in _MEMORY_LUTS:
            lut += _MEMORY_LUTS[kind]
        elif kind in ("CARRY4", "CARRY8"):
            for operand, select in zip(
                cell["connections"]["DI"], cell["connections"]["S"], strict=True
            ):
                selecting = drivers.get(select)
                if isinstance(select, int) and not _is_lut(selecting):
                    lut += 1
                other = drivers.get(operand)
                if _is_lut(other) and _is_lut(selecting) and uses[operand] == 1:
                    lut -= other is not selecting and len(_inputs(other) | _inputs(selecting)) <= 5
        elif re.fullmatch("FD[RSCP]E(_1)?", kind):
            ff += 1
        elif kind.startswith("RAMB18"):
            bram18 += 1
        elif kind.startswith("RAMB36"):
            bram18 += 2
        elif kind.startswith("DSP48"):
            dsp += 1
        elif kind not in _FREE:
            raise ValueError(f"{kind} is no cell that can be counted")
    return Cost(lut, ff, bram18, dsp)


def _is_lut(cell: Any) -> bool:
    return cell is not None and re.fullmatch("LUT[1-6]|INV", cell["type"]) is not None


def _inputs(cell: Any) -> set[int]:
    """Wires that a cell reads."""
    return {
        bit
        for port, bits in cell["connections"].items()
        if cell["port_directions"].get(port) == "input"
        for bit in bits
        if isinstance(bit, int)
    }
