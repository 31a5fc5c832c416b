"""An overlay with the accelerator in it: what pynq knows of a bitstream, and whether it suits."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from eie.hls.boundary.errors import DeviceError, EieError, InputError, Problems, ToolError
from eie.hls.boundary.installation import how_to_install
from eie.hls.spec.block_design import DMA
from eie.hls.spec.packets import BEAT_BYTES
from eie.hls.spec.registers import REGISTERS, VLNV
from eie.host.board.dma import RegisterAccess

if TYPE_CHECKING:
    import pynq

__all__ = ["CLOCK_TOLERANCE", "EieOverlay", "import_pynq", "state_files"]

#: Vendor, library and name of the kernel, of whatever version.
_KERNEL = VLNV.rpartition(":")[0]
#: What the processing system's dividers may add to a clock that was asked for is less than that.
CLOCK_TOLERANCE = 1.001
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
            # pynq takes one for loaded that was opened with download=False; it has no time stamp.
            loaded = bool(bitstream.timestamp) and bitstream.is_loaded()
        else:
            file = _find_files(self._pynq, bitstream)
            self._overlay = _open_overlay(self._pynq, file, _active_device(self._pynq))
            loaded = False
        #: Whether :meth:`download` has to come before anything else.
        self.to_be_loaded = not loaded
        #: The ``.bit``.
        self.bitfile = Path(self._overlay.bitfile_name)
        #: pynq's device that it belongs to.
        self.device = self._overlay.device
        self._state_files = state_files(self._pynq)
        self._state = _fabric_state(self._state_files)
        kernel, channel = _find_cells(self._overlay.ip_dict, dma, self.bitfile)
        parameters = channel["parameters"]
        #: Longest packet that the DMA can move, in bytes; whole beats.
        self.max_transfer = (1 << int(parameters["c_sg_length_width"])) - BEAT_BYTES
        #: Width of the addresses that the DMA can reach.
        self.address_bits = int(parameters.get("c_addr_width", 32))
        from eie.host.board.kernel_driver import EieKernel

        try:
            #: Registers of the DMA.
            self.dma_registers: RegisterAccess = self._pynq.MMIO(
                channel["phys_addr"], channel["addr_range"], device=self.device
            )
            #: As ``overlay.eie_0``; made here, because that one is not to be had before it is
            #: loaded.
            self.kernel = EieKernel({**kernel, "device": self.device})
        except OSError as error:
            raise DeviceError(
                f"cannot reach the fabric's registers ({error}): run as root"
            ) from error

    @property
    def is_loaded(self) -> bool:
        """Whether it is in the fabric: neither this program nor another one loaded one since.

        Of other programs it is known as far as they use pynq, which notes on disk what it loads.
        """
        return (
            not self.to_be_loaded
            and bool(self._overlay.is_loaded())
            and self._state == _fabric_state(self._state_files)
        )

    @property
    def clock_mhz(self) -> float | None:
        """Clock 0 of the fabric in MHz, as the processing system divides it.

        None where pynq knows of no clocks, as on an emulated board.
        """
        return float(self._pynq.Clocks.fclk0_mhz) if self._overlay.clock_dict else None

    def download(self) -> None:
        """Load the bitstream: everything in the fabric starts anew.

        Raises
        ------
        DeviceError
            If it cannot be loaded; then it is not :attr:`is_loaded` any more.
        """
        for name, clock in self._overlay.clock_dict.items():
            # Before version 4 there are dividers in its place.
            if clock.get("enable") and clock.get("frequency", clock) is None:
                raise DeviceError(
                    f"pynq {self._pynq.__version__} does not know the rate of clock {name} of this "
                    "board: pynq 4 has no support for Zynq-7000; pip install 'pynq<4'"
                )
        # Of a fabric that is half configured no register must be touched.
        self.to_be_loaded = True
        # pynq writes the bitstream to where Linux takes it from only once, under its file's name,
        # which another one may have taken since.
        self._overlay.binfile_name = ""
        try:
            self._overlay.download()
        except EieError:  # of an emulated board's engine: it says what it is
            raise
        except (RuntimeError, OSError) as error:
            raise DeviceError(
                f"cannot load {self.bitfile} ({error}): run as root, in a folder that can be "
                "written; see the kernel's log (dmesg)"
            ) from error
        self._state = _fabric_state(self._state_files)
        self.to_be_loaded = False

    def allocate(self, size: int) -> Any:
        """Give a contiguous buffer of `size` bytes that the DMA can reach, as pynq does.

        It is cached: to be flushed before the DMA reads it, and invalidated after it has written.

        Raises
        ------
        DeviceError
            If there is no room, or only beyond the DMA's addresses.
        """
        try:
            buffer = self._pynq.allocate((size,), "u1", target=self.device, cacheable=1)
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
        raise ToolError(f"cannot import pynq ({error}): {how_to_install('pynq')}") from error
    module: ModuleType = pynq
    return module


def _active_device(pynq: ModuleType) -> Any:
    try:
        return pynq.Device.active_device
    except RuntimeError as error:
        raise DeviceError(
            f"pynq finds no device ({error}): run on the board, as root, in pynq's environment, "
            "and the first time in the program's main thread"
        ) from error


def _open_overlay(pynq: ModuleType, file: Path, device: Any) -> Any:
    """Let pynq read what a bitstream holds; nothing is loaded."""
    try:
        with warnings.catch_warnings():
            # Of a kernel of another version pynq warns, and advises to take it all the same.
            warnings.filterwarnings("ignore", message=f"IP .* is of type {_KERNEL}:")
            return pynq.Overlay(str(file), device=device, download=False)
    except (RuntimeError, OSError) as error:
        raise DeviceError(
            f"pynq cannot read {file} ({error}): run in pynq's environment, with its tools on PATH"
        ) from error


def state_files(pynq: ModuleType) -> tuple[Path, ...]:
    """Give where pynq notes what is in the fabric: before version 3.1, and since."""
    folder = Path(pynq.pl_server.__file__).parent
    return folder / "global_pl_state.json", folder / "global_pl_state_.json"


def _fabric_state(files: Iterable[Path]) -> tuple[tuple[int, int], ...]:
    """Give what tells whether one of pynq's notes was written anew."""
    found = []
    for file in files:
        with contextlib.suppress(OSError):
            status = file.stat()
            found.append((status.st_ino, status.st_mtime_ns))
    return tuple(found)


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
