"""The accelerator in a pynq overlay: its driver, overlays with other things in them, and names."""

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

from eie.hls.block_design import DMA, KERNEL
from eie.host.driver import Accelerator
from eie.host.errors import DeviceError, InputError
from eie.host.kernel_driver import EieKernel


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
assert not any(name.startswith("eie.host.kernel_driver") for name in sys.modules)
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
