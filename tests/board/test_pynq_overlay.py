"""The accelerator in a pynq overlay: its driver, overlays with other things in them, and names."""

import inspect
import os
import subprocess
import sys
import threading
from copy import deepcopy
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pynq
import pytest

from eie.hls.boundary.errors import DeviceError, InputError
from eie.hls.spec.block_design import DMA, KERNEL
from eie.host.board.driver import Accelerator
from eie.host.board.kernel_driver import EieKernel
from eie.host.board.overlay import state_files

PYNQ_4 = int(pynq.__version__.partition(".")[0]) >= 4


@pytest.fixture
def overlay(bench):
    return pynq.Overlay(str(bench.board.bitfile))


# The driver of the kernel ----------------------------------------------------------------------


def test_pynq_binds_the_driver_by_the_kernels_type(overlay):
    kernel = overlay.eie_0
    assert type(kernel) is EieKernel
    assert kernel.running is False
    kernel.start()
    assert kernel.running is True


def test_pynq_finds_the_driver_by_its_entry_point(bench):
    """In a program that has not imported anything of eie."""
    code = """
import warnings; warnings.simplefilter("ignore")
import pynq, sys
assert not any(name.startswith("eie.host.board.kernel_driver") for name in sys.modules)
from pynq.overlay import _ip_drivers, Overlay
Overlay._register_drivers(None)
assert _ip_drivers["xilinx.com:hls:eie:1.0"].__name__ == "EieKernel"
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_driver_can_be_made_in_a_thread_without_an_event_loop(overlay):
    made = []
    thread = threading.Thread(target=lambda: made.append(overlay.eie_0))
    thread.start()
    thread.join()
    assert made[0].registers["packets"] == 0


def test_a_kernel_of_another_version_is_refused_in_one_message(bench):
    hwh = bench.board.bitfile.with_suffix(".hwh")
    hwh.write_text(hwh.read_text().replace("hls:eie:1.0", "hls:eie:0.9"))
    with pytest.raises(InputError, match=r"one xilinx.com:hls:eie:1.0, not 0.*hls:eie:0.9"):
        bench.open()


# Overlays ----------------------------------------------------------------------------------------


def test_a_loaded_overlay_is_taken_as_it_is(bench, overlay, network):
    with Accelerator(overlay) as accelerator:
        accelerator.load(network)
        assert accelerator.verify() == len(network.golden_inputs)
        assert accelerator.info().bitfile == bench.board.bitfile
    assert len(bench.engines) == 1


def test_after_an_error_the_overlay_is_loaded_again_and_still_the_users(bench, overlay, network):
    with Accelerator(overlay, timeout=0.05) as accelerator:
        accelerator.load(network)
        bench.faults.hang = True
        with pytest.raises(DeviceError):
            accelerator.run(network.golden_inputs)
        assert accelerator.verify() == len(network.golden_inputs)
        assert overlay.is_loaded()
        assert overlay.eie_0.registers["design_id"] == bench.design.id
    assert len(bench.engines) == 2


def test_an_overlay_that_is_not_loaded_any_more_is_loaded(bench, overlay, network):
    pynq.Overlay(str(bench.board.bitfile))
    assert not overlay.is_loaded()
    with Accelerator(overlay) as accelerator:
        accelerator.load(network)
        assert accelerator.verify() == len(network.golden_inputs)
    assert overlay.is_loaded()


def test_an_overlay_without_the_accelerator_is_refused(bench):
    hwh = bench.board.bitfile.with_suffix(".hwh")
    hwh.write_text(hwh.read_text().replace("xilinx.com:hls:eie:1.0", "xilinx.com:hls:fir:1.0"))
    with pytest.raises(InputError, match=r"must be one xilinx.com:hls:eie:1.0, not 0; .*hls:fir"):
        Accelerator(pynq.Overlay(str(bench.board.bitfile)))


@pytest.fixture
def two_dmas(bench):
    """An overlay with a DMA of something else, before ours in the handoff."""
    hwh = bench.board.bitfile.with_suffix(".hwh")
    tree = ElementTree.parse(hwh)
    for parent, tag in ((tree.find("MODULES"), "MODULE"), (tree.find(".//MEMORYMAP"), "MEMRANGE")):
        copy = deepcopy(parent.find(f"{tag}[@INSTANCE='{DMA.name}']"))
        copy.set("INSTANCE", "other_dma")
        if tag == "MODULE":
            copy.set("FULLNAME", "/other_dma")
            # Not wired to anything.
            for ends in (copy.find("PORTS"), copy.find("BUSINTERFACES")):
                for end in [e for e in ends if e.get("NAME") != "S_AXI_LITE"]:
                    ends.remove(end)
        else:
            copy.set("BASEVALUE", "0xA0080000")
            copy.set("HIGHVALUE", "0xA008FFFF")
        parent.insert(0, copy)
    tree.write(hwh)
    return bench


def test_of_several_dmas_one_is_named(two_dmas, network):
    with pytest.raises(InputError, match=r"one xilinx.com:ip:axi_dma:7.1, not 2.*with dma="):
        two_dmas.open()
    with pytest.raises(InputError, match=r"called axi_dma_7, not 0; there are .*other_dma"):
        two_dmas.open(dma="axi_dma_7")
    with two_dmas.open(dma=DMA.name) as accelerator:
        accelerator.load(network)
        assert accelerator.verify() == len(network.golden_inputs)


def test_the_accelerator_may_lie_in_a_hierarchy(bench, network):
    """As when its cells were grouped in the block design."""
    hwh = bench.board.bitfile.with_suffix(".hwh")
    text = hwh.read_text()
    for cell in (DMA, KERNEL):
        for attribute in ("INSTANCE", "FULLNAME"):
            slash = "/" if attribute == "FULLNAME" else ""
            text = text.replace(
                f'{attribute}="{slash}{cell.name}"', f'{attribute}="{slash}group_{cell.name}"'
            )
        text = text.replace(f'FULLNAME="/group_{cell.name}"', f'FULLNAME="/group/{cell.name}"')
    hwh.write_text(text)
    with bench.open() as accelerator:
        accelerator.load(network)
        assert accelerator.verify() == len(network.golden_inputs)


def test_another_overlay_loaded_over_it_is_noticed_before_the_bus_is_touched(bench, network):
    with bench.open() as accelerator:
        accelerator.load(network)
        pynq.Overlay(str(bench.board.bitfile))
        touched = []
        device = pynq.Device.active_device
        device.read_registers = lambda *_: touched.append("read")
        device.write_registers = lambda *_: touched.append("write")
        with pytest.raises(DeviceError, match=r"another bitstream was loaded over eie\.bit"):
            accelerator.run(network.golden_inputs)
        with pytest.raises(DeviceError, match="another bitstream"):
            accelerator.info()
        assert touched == []
        del device.read_registers, device.write_registers
        assert np.array_equal(accelerator.run(network.golden_inputs), network.golden_outputs)


def test_an_overlay_that_another_process_loaded_is_noticed(bench, network, monkeypatch, tmp_path):
    """pynq notes on disk what it loads, whoever does it."""
    note = tmp_path / "global_pl_state_.json"
    monkeypatch.setattr(
        "eie.host.board.overlay.state_files", lambda pynq: (tmp_path / "other", note)
    )
    with bench.open() as accelerator:
        accelerator.load(network)
        assert accelerator.verify()
        note.write_text("{}")
        with pytest.raises(DeviceError, match=r"another bitstream was loaded over eie\.bit"):
            accelerator.run(network.golden_inputs)
        assert accelerator.verify()
        os.utime(note, ns=(1, 1))
        with pytest.raises(DeviceError, match="in whatever program"):
            accelerator.counters()
        assert accelerator.verify()


def test_the_notes_are_where_pynq_writes_them():
    from pynq.pl_server import global_state

    written = inspect.getsource(global_state)
    files = state_files(pynq)
    assert {file.parent for file in files} == {Path(global_state.STATE_DIR)}
    # With an empty tag, since version 3.1.
    assert any(
        file.name in written.replace("{device_tag}", "").replace("{STATE_DIR}/", "")
        for file in files
    )


def test_an_overlay_opened_without_loading_it_is_loaded(bench, network):
    """pynq takes it for loaded."""
    overlay = pynq.Overlay(str(bench.board.bitfile), download=False)
    assert overlay.is_loaded()
    with Accelerator(overlay) as accelerator:
        accelerator.load(network)
        assert accelerator.verify()
    assert len(bench.engines) == 1


def test_closing_leaves_an_overlay_that_came_later_alone(bench):
    accelerator = bench.open()
    later = pynq.Overlay(str(bench.board.bitfile))
    later.eie_0.start()
    accelerator.close()
    assert later.eie_0.running


# Names -------------------------------------------------------------------------------------------


def test_a_bitstream_is_found_by_name_where_pynq_finds_it(bench, network, monkeypatch, tmp_path):
    """In the folder that the entry point pynq.overlays names."""
    import eie.bitstreams

    installed = tmp_path / "bitstreams"
    monkeypatch.setattr(eie.bitstreams, "__path__", [str(installed)])
    built = installed / "zcu104-4pe"
    built.mkdir(parents=True)
    for suffix in (".bit", ".hwh"):
        source = bench.board.bitfile.with_suffix(suffix)
        (built / f"eie{suffix}").write_bytes(source.read_bytes())
    with bench.open(bitfile="zcu104-4pe/eie.bit") as accelerator:
        assert accelerator.info().bitfile == built / "eie.bit"
        accelerator.load(network)
        assert accelerator.verify() == len(network.golden_inputs)


def test_a_relative_path_is_one(bench, network, monkeypatch):
    monkeypatch.chdir(bench.board.bitfile.parent)
    with bench.open(bitfile=Path("eie.bit")) as accelerator:
        assert accelerator.info().bitfile == bench.board.bitfile
        os.chdir("/")  # it is not looked up again
        accelerator.load(network)
        bench.faults.hang = True
        with pytest.raises(DeviceError):
            accelerator.run(network.golden_inputs)
        assert accelerator.verify() == len(network.golden_inputs)


# What pynq raises --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "error", "message"),
    [
        ("Overlay", RuntimeError("xclbinutil"), "pynq cannot read .*xclbinutil.*tools on PATH"),
        ("MMIO", OSError("Root permissions required."), "registers .Root permissions.*as root"),
    ],
)
def test_what_pynq_raises_is_told_with_what_to_do(bench, monkeypatch, part, error, message):
    class Fails(getattr(pynq, part)):
        def __init__(self, *arguments, **options):
            raise error

    monkeypatch.setattr(pynq, part, Fails)
    with pytest.raises(DeviceError, match=message):
        bench.open()


# Clocks ------------------------------------------------------------------------------------------


@pytest.fixture
def clocked(bench, monkeypatch):
    """Set what pynq finds of clock 0 in the handoff, and what its dividers give."""

    def clocked(divided, **found):
        parse = type(pynq.Device.active_device).get_bitfile_metadata

        def with_clock(self, *arguments, **options):
            parser = parse(self, *arguments, **options)
            parser.clock_dict = {0: {"enable": 1, "divisor0": 10, "divisor1": 1, **found}}
            return parser

        clocks = type("Clocks", (), {"fclk0_mhz": divided, "set_device": lambda _: None})
        clocks.set_pl_clk = staticmethod(lambda *_, **__: None)
        monkeypatch.setattr(type(pynq.Device.active_device), "get_bitfile_metadata", with_clock)
        monkeypatch.setattr(pynq, "Clocks", clocks)
        monkeypatch.setattr(pynq.overlay, "Clocks", clocks)
        return bench

    return clocked


@pytest.mark.parametrize("divided", [99.999, 100.0, 100.01])
# pynq 4 gives the frequency, versions before only the dividers; each reads what it knows.
@pytest.mark.parametrize("found", [{"frequency": 100.0}] + [{}] * (not PYNQ_4))
def test_the_clock_is_told(clocked, divided, found):
    with clocked(divided, **found).open() as accelerator:
        assert accelerator.info().clock_mhz == divided


def test_a_fabric_that_is_too_fast_is_warned_of(clocked):
    bench = clocked(125.0, frequency=100.0)
    with pytest.warns(UserWarning, match=r"runs at 125\.000 MHz, .* built for 100 MHz"):
        bench.open().close()


def test_an_emulated_board_has_no_clock(bench):
    with bench.open() as accelerator:
        assert accelerator.info().clock_mhz is None


def test_a_clock_that_pynq_does_not_know_is_told_before_anything_is_loaded(clocked):
    """pynq 4 on Zynq-7000; its own answer is a TypeError."""
    bench = clocked(100.0, frequency=None)
    with pytest.raises(DeviceError, match=r"clock 0 .*Zynq-7000; pip install 'pynq<4'"):
        bench.open()
    assert bench.engines == []
