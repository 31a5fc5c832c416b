"""An overlay with the accelerator in it: what pynq knows of a bitstream, and whether it suits."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from eie.hls.block_design import DMA
from eie.hls.registers import REGISTERS, VLNV
from eie.host.dma import RegisterAccess
from eie.host.errors import DeviceError, InputError, Problems, ToolError
from eie.host.packets import BEAT_BYTES

if TYPE_CHECKING:
    import pynq

__all__ = ["EieOverlay", "import_pynq"]

#: Vendor, library and name of the kernel, of whatever version.
_KERNEL = VLNV.rpartition(":")[0]
#: What the DMA must have been built with: direct register mode, both directions.
_DMA_PARAMETERS = {"c_include_sg": 0, "c_include_mm2s": 1, "c_include_s2mm": 1}


class EieOverlay:
    """A pynq overlay, its kernel and the DMA that serves it.

    Nothing is loaded yet: see :meth:`download`.

    Parameters
    ----------
    bitstream
        Path of a ``.bit`` with its ``.hwh`` beside it, the name of one that is installed
        (entry point ``pynq.overlays``), or a ``pynq.Overlay``.
    dma
        Name of the DMA in the block design, for overlays that have several.

    Raises
    ------
    InputError
        If a file is missing, or the overlay holds no accelerator; names all that differs.
    ToolError
        If pynq is not installed.
    DeviceError
        If pynq finds no device.
    """

    def __init__(
        self, bitstream: str | os.PathLike[str] | pynq.Overlay, *, dma: str | None = None
    ) -> None:
        self._pynq = import_pynq()
        if isinstance(bitstream, self._pynq.Overlay):
            self._overlay: Any = bitstream
            #: Whether :meth:`download` has to come before anything else.
            self.to_be_loaded = not bitstream.is_loaded()
        else:
            file = _find_files(self._pynq, bitstream)
            device = _active_device(self._pynq)
            with warnings.catch_warnings():
                # Of a kernel of another version pynq warns, and advises to take it all the same.
                warnings.filterwarnings("ignore", message=f"IP .* is of type {_KERNEL}:")
                self._overlay = self._pynq.Overlay(str(file), device=device, download=False)
            self.to_be_loaded = True
        #: The ``.bit``.
        self.bitfile = Path(self._overlay.bitfile_name)
        #: pynq's device that it belongs to.
        self.device = self._overlay.device
        kernel, channel = _find_cells(self._overlay.ip_dict, dma, self.bitfile)
        parameters = channel["parameters"]
        #: Longest packet that the DMA can move, in bytes; whole beats.
        self.max_transfer = (1 << int(parameters["c_sg_length_width"])) - BEAT_BYTES
        #: Width of the addresses that the DMA can reach.
        self.address_bits = int(parameters.get("c_addr_width", 32))
        #: Registers of the DMA.
        self.dma_registers: RegisterAccess = self._pynq.MMIO(
            channel["phys_addr"], channel["addr_range"], device=self.device
        )
        from eie.host.kernel_driver import EieKernel

        #: As ``overlay.eie_0``; made here, because that one is not to be had before it is loaded.
        self.kernel = EieKernel({**kernel, "device": self.device})

    @property
    def is_loaded(self) -> bool:
        """Whether it is in the fabric, as far as this process knows."""
        return not self.to_be_loaded and bool(self._overlay.is_loaded())

    def download(self) -> None:
        """Load the bitstream: everything in the fabric starts anew.

        Raises
        ------
        DeviceError
            If it cannot be loaded.
        """
        try:
            self._overlay.download()
            self.to_be_loaded = False
        except (RuntimeError, OSError) as error:
            raise DeviceError(
                f"cannot load {self.bitfile} ({error}): see the kernel's log (dmesg)"
            ) from error

    def allocate(self, size: int) -> Any:
        """Give a contiguous buffer of `size` bytes that the DMA can reach, as pynq does.

        Raises
        ------
        DeviceError
            If there is no room, or only beyond the DMA's addresses.
        """
        try:
            buffer = self._pynq.allocate((size,), "u1", target=self.device)
        except (RuntimeError, MemoryError) as error:
            raise DeviceError(
                f"no contiguous memory for a buffer of {size} bytes ({error}): free other "
                "buffers, give the accelerator a smaller buffer_bytes, or boot with more CMA"
            ) from error
        end = buffer.physical_address + size
        if end > 1 << self.address_bits:
            buffer.freebuffer()
            raise DeviceError(
                f"a buffer ends at {end:#x}, beyond the {self.address_bits} address bits of the "
                "DMA: build the bitstream with a wider c_addr_width"
            )
        return buffer


def import_pynq() -> ModuleType:
    """Import pynq, or say how to install it."""
    try:
        import pynq
    except ImportError as error:
        raise ToolError(
            f"cannot import pynq ({error}): install it with pip install 'eie[pynq]'"
        ) from error
    module: ModuleType = pynq
    return module


def _active_device(pynq: ModuleType) -> Any:
    try:
        return pynq.Device.active_device
    except RuntimeError as error:
        raise DeviceError(
            f"pynq finds no device ({error}): run on the board, as root, in pynq's environment"
        ) from error


def _find_files(pynq: ModuleType, bitstream: str | os.PathLike[str]) -> Path:
    """Find a ``.bit`` by path, or by name among those that are installed, and its ``.hwh``."""
    path = Path(bitstream)
    if not path.is_file():
        # Only to look for it, which needs no device.
        with contextlib.suppress(OSError):
            path = Path(pynq.Bitstream(os.fspath(bitstream), device=object()).bitfile_name)
    path = path.resolve()
    problems = Problems("board")
    for file in (path, path.with_suffix(".hwh")):
        problems.require(file.is_file(), f"there is no file {file}")
    problems.raise_as(InputError)
    return path


def _find_cells(
    ip_dict: Mapping[str, Mapping[str, Any]], dma: str | None, bitfile: Path
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Find the kernel and its DMA among the overlay's IPs, and check both."""
    problems = Problems(f"overlay {bitfile} is no eie accelerator; is its .hwh the bitstream's?")
    kernels = {name: cell for name, cell in ip_dict.items() if cell.get("type") == VLNV}
    dmas = {
        name: cell
        for name, cell in ip_dict.items()
        if cell.get("type") == DMA.vlnv and dma in (None, name)
    }
    there = ", ".join(sorted(f"{name} ({cell.get('type')})" for name, cell in ip_dict.items()))
    problems.require(
        len(kernels) == 1, f"there must be one {VLNV}, not {len(kernels)}; there are {there}"
    )
    called = f" called {dma}" if dma is not None else ""
    choose = "; say which with dma=" if len(dmas) > 1 else ""
    problems.require(
        len(dmas) == 1,
        f"there must be one {DMA.vlnv}{called}, not {len(dmas)}; there are {there}{choose}",
    )
    for kernel in kernels.values():
        _check_registers(kernel.get("registers") or {}, problems)
    for cell in dmas.values():
        _check_dma(cell["parameters"], problems)
    problems.raise_as(InputError)
    return _only(kernels.values()), _only(dmas.values())


def _check_registers(registers: Mapping[str, Any], problems: Problems) -> None:
    for register in REGISTERS:
        found = registers.get(register.name)
        where = "missing" if found is None else f"{found['address_offset']:#x}"
        problems.require(
            where == f"{register.offset:#x}",
            f"register {register.name} must be at {register.offset:#x}, not {where}",
        )


def _check_dma(parameters: Mapping[str, Any], problems: Problems) -> None:
    for name, value in _DMA_PARAMETERS.items():
        got = parameters.get(name)
        problems.require(
            got is not None and int(got) == value, f"{name} must be {value}, not {got!r}"
        )
    problems.require("c_sg_length_width" in parameters, "c_sg_length_width must be given")


def _only(cells: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    (cell,) = cells
    return cell
