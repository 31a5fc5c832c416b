"""The boards and parts that a design can be made for.

Resources are those of AMD's data sheets (DS190 for Zynq-7000, DS891 for Zynq UltraScale+,
DS889 for RFSoC, DS987 for the Kria K26).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from eie.hls.boundary.errors import InputError

__all__ = ["BOARDS", "Board", "find_board"]


@dataclass(frozen=True)
class Board:
    """A PYNQ board: its part, what the part holds, and how its processing system connects."""

    #: Name on the command line and in designs.
    name: str
    #: Name for people.
    title: str
    #: Vivado part.
    part: str
    #: ``"zynq7"`` (processing_system7) or ``"zynqmp"`` (zynq_ultra_ps_e).
    family: Literal["zynq7", "zynqmp"]
    #: Look-up tables.
    lut: int
    #: Flip-flops.
    ff: int
    #: Block RAMs of 36 Kib.
    bram36: int
    #: UltraRAMs of 4096 x 72.
    uram: int
    #: DSP slices.
    dsp: int
    #: Starting clock in MHz for the family and speed grade.
    clock_mhz: int
    #: Vivado board files to ask for when they are installed; a project builds without them.
    board_part: str


#: Share of the LUTs, and of memory and DSP, that a design may take: past it routing suffers.
LUT_BUDGET, MEMORY_BUDGET, DSP_BUDGET = 0.70, 0.80, 0.80

_ALL = (
    Board("pynq-z1", "PYNQ-Z1", "xc7z020clg400-1", "zynq7",
          53_200, 106_400, 140, 0, 220, 100, "www.digilentinc.com:pynq-z1:part0:1.0"),
    Board("pynq-z2", "PYNQ-Z2", "xc7z020clg400-1", "zynq7",
          53_200, 106_400, 140, 0, 220, 100, "tul.com.tw:pynq-z2:part0:1.0"),
    Board("ultra96-v2", "Ultra96-V2", "xczu3eg-sbva484-1-i", "zynqmp",
          70_560, 141_120, 216, 0, 360, 150, "avnet.com:ultra96v2:part0:1.2"),
    Board("aup-zu3", "AUP-ZU3", "xczu3eg-sfvc784-2-e", "zynqmp",
          70_560, 141_120, 216, 0, 360, 200, "realdigital.org:aup-zu3-8gb:part0:1.0"),
    # A -2LV part, which runs at 0.72 V: it starts as slow as a -1 part, not as fast as a -2.
    Board("kv260", "KV260", "xck26-sfvc784-2LV-c", "zynqmp",
          117_120, 234_240, 144, 64, 1_248, 150, "xilinx.com:kv260_som:part0:1.4"),
    Board("zcu104", "ZCU104", "xczu7ev-ffvc1156-2-e", "zynqmp",
          230_400, 460_800, 312, 96, 1_728, 200, "xilinx.com:zcu104:part0:1.1"),
    Board("rfsoc4x2", "RFSoC 4x2", "xczu48dr-ffvg1517-2-e", "zynqmp",
          425_280, 850_560, 1_080, 80, 4_272, 200, "realdigital.org:rfsoc4x2:part0:1.0"),
)  # fmt: skip

#: Every board by name, in order of size.
BOARDS: Mapping[str, Board] = MappingProxyType({board.name: board for board in _ALL})


def find_board(name: str) -> Board:
    """Look a board up by name or title, in any case; the error lists what there is."""

    def plain(text: str) -> str:
        return "".join(character for character in text.lower() if character.isalnum())

    for board in _ALL:
        if plain(name) in (plain(board.name), plain(board.title)):
            return board
    raise InputError(f"board must be one of {', '.join(BOARDS)}, not {name!r}")
