"""What the text reports of Vivado have in common: a header, and a title that says which one it is.

UG835 describes the commands, UG906 the reports.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from eie.hls.boundary.errors import InputError, Problems

__all__ = ["VivadoText", "read_vivado"]


@dataclass(frozen=True)
class VivadoText:
    """A report of Vivado, before its tables are read."""

    #: Release of Vivado.
    version: str
    #: Device; ``report_timing_summary`` leaves the speed grade out.
    device: str
    #: How far the design was, such as ``Routed``; empty where the report does not say.
    state: str
    #: All lines of the file, without the spaces at their ends.
    lines: tuple[str, ...]


def read_vivado(path: Path, title: str, command: str, problems: Problems) -> VivadoText:
    """Read a report that has the line `title` below its header.

    Parameters
    ----------
    path
        File to read.
    title
        Line that reports of this kind have once.
    command
        Tcl command that makes such a report, for messages.
    problems
        Where to note what is missing in the header.

    Raises
    ------
    InputError
        If the file cannot be read or is another report, or several.
    """
    try:
        # Names of people and folders in the header may be in any encoding; nothing else is.
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"cannot read report {path}: {error}") from error
    # What follows the last end of a line is nothing, or a line cut short.
    lines = [line.rstrip() for line in text.split("\n")[:-1]]
    if lines.count(title) != 1:
        raise InputError(
            f"report {path}: must be one report of {command}, with the line {title!r} once, not "
            f"{lines.count(title)} times"
        )
    header = {}
    for line in lines[: lines.index(title)]:
        if match := re.fullmatch(r"\|\s*(\S[^:]*?)\s*:\s*(.*)", line):
            header[match[1]] = match[2]
    tool = re.match(r"Vivado v\.(\S+)", header.get("Tool Version", ""))
    problems.require(tool is not None, "the header must name its Tool Version: Vivado v.YEAR.N")
    device = header.get("Device", "")
    problems.require(bool(device), "the header must name the Device")
    return VivadoText(
        version=tool[1] if tool is not None else "",
        device=device,
        state=header.get("Design State", ""),
        lines=tuple(lines),
    )
