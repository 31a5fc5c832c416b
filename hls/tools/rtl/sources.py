"""The files that a synthesis left: Verilog, contents of memories, and the ports of the top."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.spec.record import BEAT_BITS
from eie.hls.tools.rtl.verilog_text import Module, parse_modules

__all__ = ["PORTS", "TOP", "RtlSources", "rtl_folder"]

#: The top module: the name of the top function.
TOP = "eie"
_STREAM = ("TDATA", "TKEEP", "TSTRB", "TLAST", "TVALID", "TREADY")
_REGISTERS = (
    *("AWVALID", "AWREADY", "AWADDR", "WVALID", "WREADY", "WDATA", "WSTRB", "BVALID", "BREADY"),
    *("BRESP", "ARVALID", "ARREADY", "ARADDR", "RVALID", "RREADY", "RDATA", "RRESP"),
)
#: Every port that the bench drives or reads, as Vitis HLS names the arguments of ``eie``.
PORTS = (
    "ap_clk",
    "ap_rst_n",
    *(f"packets_in_{signal}" for signal in _STREAM),
    *(f"packets_out_{signal}" for signal in _STREAM),
    *(f"s_axi_control_{signal}" for signal in _REGISTERS),
)
_READMEM = re.compile(r"\$readmem[hb]\s*\(\s*\"([^\"]+)\"")


def rtl_folder(project: Path) -> Path:
    """Where the Verilog of a project is: run_hls.tcl's solution, or the unified flow's component.

    The first of the two where neither is there.
    """
    build = project.resolve() / "build"
    folders = (
        build / "hls" / "eie" / "solution" / "syn" / "verilog",
        build / "hls_component" / "hls" / "syn" / "verilog",
    )
    return next((folder for folder in folders if folder.is_dir()), folders[0])


@dataclass(frozen=True)
class RtlSources:
    """The Verilog of a kernel and what it reads."""

    #: Folder that has all of it.
    folder: Path
    #: Verilog files, by name.
    verilog: tuple[Path, ...]
    #: Contents of memories that the Verilog reads.
    memories: tuple[Path, ...]
    #: Every module by name.
    modules: dict[str, Module]

    @property
    def top(self) -> Module:
        """The top module."""
        return self.modules[TOP]

    @classmethod
    def load(cls, folder: Path) -> RtlSources:
        """Read the files in `folder`.

        Raises
        ------
        InputError
            If there is no Verilog, a file that it reads is missing, or its top has other ports than
            the bench; names everything that is missing.
        """
        verilog = tuple(sorted((*folder.glob("*.v"), *folder.glob("*.sv"))))
        if not verilog:
            raise InputError(
                f"the project must be synthesised first, by `eie build PROJECT --hls-only`: there "
                f"is no Verilog in {folder}"
            )
        try:
            texts = [path.read_text(encoding="utf-8", errors="replace") for path in verilog]
        except OSError as error:
            raise InputError(f"cannot read the RTL in {folder}: {error}") from error
        modules = {module.name: module for text in texts for module in parse_modules(text)}
        problems = Problems(f"RTL in {folder}")
        _check_ports(modules, problems)
        names = {Path(name).name for text in texts for name in _READMEM.findall(text)}
        memories = tuple(folder / name for name in sorted(names))
        for path in memories:
            problems.require(path.is_file(), f"{path.name}, which the Verilog reads, is missing")
        problems.raise_as(InputError)
        return cls(folder, verilog, memories, modules)

    def digest(self) -> str:
        """SHA-256 of all files and their names; hexadecimal."""
        total = hashlib.sha256()
        for path in (*self.verilog, *self.memories):
            total.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        return total.hexdigest()


def _check_ports(modules: dict[str, Module], problems: Problems) -> None:
    if not problems.require(TOP in modules, f"there must be a module {TOP!r}"):
        return
    ports = modules[TOP].ports
    missing = [name for name in PORTS if name not in ports]
    if len(missing) > len(PORTS) // 2:
        problems.require(
            False,
            f"module {TOP!r} must have AXI ports as kernel/eie.cpp asks for; it has "
            f"{', '.join(list(ports)[:8]) or 'none'}: RTL of another function, or of a tool that "
            "names ports otherwise",
        )
        return
    problems.require(
        not missing,
        f"module {TOP!r} must have the ports {', '.join(missing)}; it has "
        f"{', '.join(name for name in ports if name not in PORTS) or 'no others'}",
    )
    for name in ("packets_in_TDATA", "packets_out_TDATA"):
        bits = ports.get(name, BEAT_BITS)
        problems.require(
            bits in (None, BEAT_BITS), f"port {name} must have {BEAT_BITS} bits, not {bits}"
        )
