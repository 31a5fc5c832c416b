"""pynq's own way of loading a bitstream on a board, with Linux' files in a folder of the test's."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pynq
import pytest
from pynq.pl_server import embedded_device
from pynq.pl_server.embedded_device import EmbeddedDevice

from eie.hls.boundary.errors import DeviceError
from eie.host.board.driver import Accelerator


class Downloads(EmbeddedDevice):
    """Loads bitstreams as on a board, up to the FPGA manager; what else a board has is left out."""

    _probe_priority_ = -1

    def __init__(self) -> None:
        pass

    @staticmethod
    def _probe_() -> list[pynq.Device]:
        return []

    def _nothing(self, *_: object) -> None:
        pass

    name = "board"
    shutdown = gen_cache = set_axi_port_width = _xrt_download = _nothing


@pytest.fixture
def programmed(bench, monkeypatch, tmp_path) -> list[bytes]:
    """Contents of every bitstream that Linux is told to program, in order."""
    found: list[bytes] = []
    firmware = tmp_path / "firmware"
    firmware.mkdir()

    class Manager(io.StringIO):
        """The file by which Linux is told the name of a file in its firmware folder."""

        def close(self) -> None:
            found.append((firmware / self.getvalue()).read_bytes())
            super().close()

    def open_file(name: str, mode: str) -> contextlib.AbstractContextManager[io.StringIO]:
        assert (name, mode) in ((EmbeddedDevice.BS_FPGA_MAN_FLAGS, "w"), (managed, "w"))
        return Manager() if name == managed else io.StringIO()

    managed = EmbeddedDevice.BS_FPGA_MAN
    monkeypatch.setattr(
        embedded_device,
        "Path",
        lambda name: Path(str(name).replace("/lib/firmware", str(firmware))),
    )
    monkeypatch.setattr(embedded_device, "open", open_file, raising=False)
    emulated = type(pynq.Device.active_device)
    load = emulated.download

    def download(self, bitstream, parser=None) -> None:
        # In place of the handlers for the real formats.
        parser.bin_data, parser.xclbin_data = Path(bitstream.bitfile_name).read_bytes(), b""
        Downloads().download(bitstream, parser)
        load(self, bitstream, parser)

    monkeypatch.setattr(emulated, "download", download)
    return found


@pytest.fixture
def bitstreams(bench, tmp_path) -> list[Path]:
    """Two builds; as all of eie's they are called eie.bit."""
    made = []
    for name in ("4pe", "16pe"):
        made.append(tmp_path / name / "eie.bit")
        made[-1].parent.mkdir()
        made[-1].write_text(name)
        handoff = bench.board.bitfile.with_suffix(".hwh").read_text()
        made[-1].with_suffix(".hwh").write_text(handoff)
    return made


def test_recovery_programs_the_accelerators_bitstream(bench, bitstreams, programmed, network):
    """And not the last one that had the same file name, as pynq by itself would."""
    with Accelerator(bitstreams[0], timeout=0.1) as accelerator:
        accelerator.load(network)
        pynq.Overlay(str(bitstreams[1]))
        with pytest.raises(DeviceError, match="another bitstream was loaded"):
            accelerator.run(network.golden_inputs)
        assert accelerator.verify() == len(network.golden_inputs)
        bench.faults.hang = True
        with pytest.raises(DeviceError, match="no answer"):
            accelerator.run(network.golden_inputs)
        assert accelerator.verify() == len(network.golden_inputs)
    assert programmed == [b"4pe", b"16pe", b"4pe", b"4pe"]
