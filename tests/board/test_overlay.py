"""Bitstreams, hardware handoffs and devices: what pynq finds, and what the driver refuses."""

import subprocess
import sys
from copy import deepcopy
from xml.etree import ElementTree

import numpy as np
import pynq
import pytest

from eie.hls.boundary.errors import DeviceError, InputError
from eie.hls.spec.block_design import DMA, KERNEL, address_map
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.packets import DESIGN, Kind, build_packet, parse_packet
from eie.hls.spec.registers import REGISTERS, VLNV
from eie.host.board.driver import Accelerator
from eie.host.board.kernel_driver import EieKernel
from eie.host.board_emulator import EmulatedBoard


@pytest.mark.parametrize("board", BOARDS)
def test_pynq_finds_the_block_design_of_every_board(make_bench, board):
    bench = make_bench(board)
    overlay = pynq.Overlay(str(bench.board.bitfile))
    found = {
        name: (cell["phys_addr"], cell["addr_range"], cell["type"])
        for name, cell in overlay.ip_dict.items()
        if "phys_addr" in cell
    }
    assert found == {
        place.cell.name: (place.base, place.size, place.cell.vlnv)
        for place in address_map(BOARDS[board])
    }
    registers = overlay.ip_dict[KERNEL.name]["registers"]
    assert {name: register["address_offset"] for name, register in registers.items()} == {
        register.name: register.offset for register in REGISTERS
    }
    assert overlay.ip_dict[DMA.name]["parameters"]["c_sg_length_width"] == "26"


@pytest.mark.parametrize("board", BOARDS)
def test_the_driver_works_on_every_board(make_bench, network, board):
    with make_bench(board).open() as accelerator:
        accelerator.load(network)
        assert accelerator.verify() == len(network.golden_inputs)


def test_pynqs_own_drivers_work_on_the_board(bench, design):
    overlay = pynq.Overlay(str(bench.board.bitfile))
    kernel = getattr(overlay, KERNEL.name)
    assert isinstance(kernel, EieKernel)
    kernel.start()
    assert int(kernel.register_map.CTRL) & 0x81 == 0x81
    dma = getattr(overlay, DMA.name)
    for sequence in (1, 2):
        packet = build_packet(Kind.IDENTIFY, sequence)
        request = pynq.allocate(len(packet), np.uint8)
        answer = pynq.allocate(1000, np.uint8)
        request[:] = np.frombuffer(packet, np.uint8)
        dma.recvchannel.transfer(answer)
        dma.sendchannel.transfer(request)
        dma.sendchannel.wait()
        dma.recvchannel.wait()
        received = parse_packet(bytes(answer[: dma.recvchannel.transferred]))
        assert received.sequence == sequence
        assert DESIGN.parse(received.payload) == design.record()
    assert int(kernel.register_map.design_id) == kernel.registers["design_id"] == design.id


@pytest.mark.parametrize("before", [None, "another device"])
def test_the_board_is_active_only_inside(monkeypatch, before):
    def active():
        return vars(pynq.Device).get("_active_device")

    monkeypatch.delattr(pynq.Device, "_active_device", raising=False)
    if before:
        monkeypatch.setattr(pynq.Device, "_active_device", before, raising=False)
    with EmulatedBoard("kv260", lambda: None) as outer:
        first = active()
        assert first is not before
        with EmulatedBoard("pynq-z2", lambda: None) as inner:
            assert active() is not first
            inner_file = inner.bitfile
            assert inner_file.is_file()
        assert active() is first
        assert not inner_file.exists()
        outer_file = outer.bitfile
        assert outer_file.is_file()
    assert active() == before
    assert ("_active_device" in vars(pynq.Device)) == (before is not None)
    assert not outer_file.parent.exists()


def test_leaving_the_board_closes_the_engine(make_bench, design, bench):
    with EmulatedBoard("kv260", bench._make_engine) as board:
        Accelerator(board.bitfile)
        assert not bench.engine.closed
    assert bench.engine.closed


def test_an_unknown_board_is_refused():
    with pytest.raises(InputError, match=r"board must be one of pynq-z1, .*, not 'de10'"):
        EmulatedBoard("de10", lambda: None)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(InputError) as raised:
        Accelerator(tmp_path / "no.bit")
    assert str(tmp_path / "no.bit") in str(raised.value)
    assert str(tmp_path / "no.hwh") in str(raised.value)


@pytest.mark.parametrize(
    ("found", "instead", "message"),
    [
        (VLNV, "xilinx.com:hls:eie:0.9", "must be one xilinx.com:hls:eie:1.0, not 0; there are "),
        (VLNV, "xilinx.com:hls:other:1.0", "there are .*xilinx.com:hls:other:1.0"),
        (DMA.vlnv, "xilinx.com:ip:axi_mcdma:1.1", "must be one xilinx.com:ip:axi_dma:7.1, not 0"),
        ('"0x40"', '"0x44"', "register packets must be at 0x40, not 0x44"),
        ('"format_version"', '"version"', "register format_version must be at 0x20, not missing"),
        (
            'NAME="c_include_sg" VALUE="0"',
            'NAME="c_include_sg" VALUE="1"',
            "c_include_sg must be 0, not '1'",
        ),
        ("c_include_mm2s", "c_without_mm2s", "c_include_mm2s must be 1, not None"),
        ("c_sg_length_width", "c_length", "c_sg_length_width must be given"),
    ],
)
def test_a_stale_handoff_is_refused(bench, found, instead, message):
    rewrite(bench, found, instead)
    with pytest.raises(InputError, match=rf"(?s)is its .hwh the bitstream's\?.*{message}"):
        bench.open()


def test_everything_wrong_with_a_handoff_is_told_at_once(bench):
    rewrite(bench, '"0x40"', '"0x44"')
    rewrite(bench, '"0x10"', '"0x14"')
    with pytest.raises(InputError, match=r"(?s)2 problems.*design_id.*packets"):
        bench.open()


def test_two_dmas_are_one_too_many(bench):
    hwh = bench.board.bitfile.with_suffix(".hwh")
    tree = ElementTree.parse(hwh)
    copies = []
    for parent, tag in ((tree.find("MODULES"), "MODULE"), (tree.find(".//MEMORYMAP"), "MEMRANGE")):
        copy = deepcopy(parent.find(f"{tag}[@INSTANCE='axi_dma_0']"))
        copy.set("INSTANCE", "axi_dma_1")
        parent.append(copy)
        copies.append(copy)
    copies[0].set("FULLNAME", "/axi_dma_1")
    copies[1].set("BASEVALUE", "0xA0080000")
    copies[1].set("HIGHVALUE", "0xA008FFFF")
    tree.write(hwh)
    with pytest.raises(InputError, match=r"must be one xilinx.com:ip:axi_dma:7.1, not 2"):
        bench.open()


def test_a_handoff_with_other_addresses_is_a_bus_error(bench):
    rewrite(bench, "0xA001", "0xA00A")
    with pytest.raises(DeviceError, match="bus error: the fabric has no register at 0xa00a0000"):
        bench.open()


def rewrite(bench, found, instead):
    hwh = bench.board.bitfile.with_suffix(".hwh")
    text = hwh.read_text()
    assert found in text
    hwh.write_text(text.replace(found, instead))


@pytest.mark.parametrize(
    "modules",
    [
        "eie.host.board.driver, eie.host.packing.packer, eie.host.network, eie.host.board_emulator",
        "eie.host.board_emulator.device",
    ],
)
def test_the_boards_side_needs_numpy_and_pynq_alone(modules):
    code = f"""
import sys
for name in ("torch", "jinja2", "tomli", "tomllib", "sklearn", "hls4ml"):
    sys.modules[name] = None  # an import of it fails
import {modules}
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_without_pynq_the_error_says_how_to_install_it():
    code = """
import sys
sys.modules["pynq"] = None
import eie.host.board.driver
from eie.host.board_emulator import EmulatedBoard
from eie.hls.boundary.errors import ToolError
try:
    EmulatedBoard("kv260", lambda: None).__enter__()
except ToolError as error:
    assert "pip install '.[pynq]'" in str(error), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
