"""The handoff of the emulated board is that of the block design which the Tcl script makes.

The script is executed under the mock, which writes a handoff of what it was told to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from eie.hls.spec.block_design import DMA, INTERRUPTS, KERNEL, describe
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import Design
from eie.host.board_emulator import write_hwh


@dataclass(frozen=True)
class Module:
    """A cell of a handoff."""

    vlnv: str
    parameters: dict[str, str]
    #: Role, kind and width, and the connection's name, by interface.
    interfaces: dict[str, tuple[str | None, ...]]
    #: Direction and kind, wire, and what is at its other ends, by pin.
    ports: dict[str, tuple[str | None, str | None, str | None, frozenset[tuple[str, str]]]]
    #: Cell, interfaces at both ends, block, first and last address.
    addresses: frozenset[tuple[str | None, ...]]


def read(path: Path) -> dict[str, Module]:
    return {
        element.attrib["INSTANCE"]: Module(
            element.attrib["VLNV"],
            {p.attrib["NAME"]: p.attrib["VALUE"] for p in element.iter("PARAMETER")},
            {
                bus.attrib["NAME"]: tuple(map(bus.get, ("TYPE", "VLNV", "DATAWIDTH", "BUSNAME")))
                for bus in element.iter("BUSINTERFACE")
            },
            {
                port.attrib["NAME"]: (
                    port.get("DIR"),
                    port.get("SIGIS"),
                    port.get("SIGNAME"),
                    frozenset(
                        (end.attrib["INSTANCE"], end.attrib["PORT"])
                        for end in port.iter("CONNECTION")
                    ),
                )
                for port in element.iter("PORT")
            },
            frozenset(
                tuple(
                    place.get(name)
                    for name in (
                        "INSTANCE",
                        "MASTERBUSINTERFACE",
                        "SLAVEBUSINTERFACE",
                        "ADDRESSBLOCK",
                        "BASEVALUE",
                        "HIGHVALUE",
                    )
                )
                for place in element.iter("MEMRANGE")
            ),
        )
        for element in ElementTree.parse(path).getroot().iter("MODULE")
    }


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_the_emulated_boards_handoff_is_that_of_the_scripts(board, make_project, mock, tmp_path):
    write_hwh(board, tmp_path / "emulated.hwh")
    emulated = read(tmp_path / "emulated.hwh")
    project = make_project(Design(pes=4, board=board.name, clock_mhz=board.clock_mhz))
    for script in ("vitis/run_hls.tcl", "vivado/build.tcl"):
        done = mock(project / script)
        assert done.returncode == 0, done.stderr
    built = read(project / "build/vivado/result/eie.hwh")

    assert emulated.keys() == built.keys() > {DMA.name, KERNEL.name, INTERRUPTS.name}
    for name, module in emulated.items():
        assert module.vlnv == built[name].vlnv
        assert module.interfaces == built[name].interfaces, name
        assert module.ports == built[name].ports, name
        assert module.addresses == built[name].addresses, name
    # Of parameters the mock knows what can be set; of clocks the emulated one knows more.
    for instance in describe(board, board.clock_mhz).instances:
        for setting in instance.settings:
            name = setting.name
            cell = instance.cell.name
            assert emulated[cell].parameters[name] == built[cell].parameters[name], (cell, name)

    # So that two empty files do not pass for equal.
    assert built[DMA.name].interfaces["M_AXIS_MM2S"][2] == "64"
    assert built[KERNEL.name].ports["interrupt"][3] == {("xlconcat_0", "In2")}
    (addresses,) = (module.addresses for module in built.values() if module.addresses)
    assert {place[0] for place in addresses} == {DMA.name, KERNEL.name, INTERRUPTS.name}
