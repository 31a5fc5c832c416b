"""Vivado's ``report_utilization``: how much of the part a design takes.

The sections have other names for each family (``1. Slice Logic`` and ``3. Memory`` on Zynq-7000,
``1. CLB Logic`` and ``3. BLOCKRAM`` on UltraScale+) and other columns in each release
(``Prohibited`` by 2021.2), so rows and columns are found by their names in whatever table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.tools.reports.resources import Resources
from eie.hls.tools.reports.vivado import read_vivado

__all__ = ["Utilization", "read_utilization"]

_TITLE = "Utilization Design Information"
#: Names of a row by what it counts: Zynq-7000, then UltraScale+. A star points to a footnote.
_ROWS = {
    "LUTs": ("Slice LUTs", "CLB LUTs"),
    "registers": ("Slice Registers", "CLB Registers"),
    "block RAM tiles": ("Block RAM Tile",),
    "BRAM36": ("RAMB36/FIFO",),
    "BRAM18": ("RAMB18",),
    "DSP slices": ("DSPs",),
    "UltraRAMs": ("URAM",),
}
#: A part without UltraRAMs has no row for them.
_OPTIONAL = "UltraRAMs"


@dataclass(frozen=True)
class Utilization:
    """What Vivado counts of a whole design: kernel, DMA, interconnect and reset."""

    #: The file that was read.
    path: Path
    #: Release of Vivado.
    version: str
    #: Device.
    device: str
    #: How far the design was when it was counted: ``Synthesized``, ``Routed``.
    state: str
    #: What the design takes. Latches count as flip-flops.
    used: Resources
    #: What the part has.
    available: Resources
    #: Block RAMs of 36 Kib in use, half ones included; two BRAM18s need not share one.
    block_ram_tiles: float


def read_utilization(path: Path) -> Utilization:
    """Read the text of a ``report_utilization``.

    Raises
    ------
    InputError
        If the file is missing, is cut short or is another report, or if anything that is needed
        is missing, undefined or there twice; names the file and everything that is wrong.
    """
    problems = Problems(f"report {path}")
    text = read_vivado(path, _TITLE, "report_utilization", problems)
    rows = _site_rows(text.lines, problems)
    counts = {what: _find(rows, what, names, problems) for what, names in _ROWS.items()}
    problems.raise_as(InputError)
    used = {what: cells[0] for what, cells in counts.items()}
    available = {what: cells[1] for what, cells in counts.items()}
    tiles, bram36, bram18 = used["block RAM tiles"], used["BRAM36"], used["BRAM18"]
    problems.require(
        bram36 + bram18 / 2 <= tiles <= bram36 + bram18,
        f"{tiles:g} block RAM tiles must hold {bram36:g} BRAM36 and {bram18:g} BRAM18, two or one "
        "to a tile",
    )
    for what in used.keys() - {"block RAM tiles"}:
        problems.require(
            used[what].is_integer(), f"{what}: Used must be an integer, not {used[what]}"
        )
    problems.raise_as(InputError)
    return Utilization(
        path=path,
        version=text.version,
        device=text.device,
        state=text.state,
        used=_resources(used, round(2 * bram36 + bram18)),
        available=_resources(available, round(2 * available["block RAM tiles"])),
        block_ram_tiles=tiles,
    )


def _resources(counts: dict[str, float], bram18: int) -> Resources:
    return Resources(
        lut=int(counts["LUTs"]),
        ff=int(counts["registers"]),
        bram18=bram18,
        uram=int(counts["UltraRAMs"]),
        dsp=int(counts["DSP slices"]),
    )


def _find(
    rows: dict[str, set[tuple[str, str]]], what: str, names: Sequence[str], problems: Problems
) -> tuple[float, float]:
    """Return what is used and available in the row that has one of `names`."""
    found = [name for name in names if name in rows]
    if not found:
        label = " or ".join(repr(name) for name in names)
        problems.require(what == _OPTIONAL, f"{what}: there must be a row {label}")
        return 0.0, 0.0
    cells = {pair for name in found for pair in rows[name]}
    # Some rows are in two tables, with the same numbers.
    if not problems.require(
        len(cells) == 1,
        f"{what}: rows {', '.join(found)} must agree, not have {len(cells)} different contents",
    ):
        return 0.0, 0.0
    values = []
    for column, cell in zip(("Used", "Available"), cells.pop(), strict=True):
        holds = re.fullmatch(r"[0-9]+(\.[0-9]+)?", cell) is not None
        problems.require(holds, f"{what}: {column} must be a number, not {cell!r}")
        values.append(float(cell) if holds else 0.0)
    return values[0], values[1]


def _site_rows(lines: Sequence[str], problems: Problems) -> dict[str, set[tuple[str, str]]]:
    """Contents of Used and Available by Site Type, from all tables that have these columns."""
    rows: dict[str, set[tuple[str, str]]] = {}
    for number, header, body in _tables(lines, problems):
        if "Site Type" not in header:
            continue
        if not problems.require(
            all(header.count(name) == 1 for name in ("Site Type", "Used", "Available")),
            f"the table at line {number} must have the columns Site Type, Used and Available once "
            f"each, not {', '.join(header)}",
        ):
            continue
        names = []
        for row in body:
            cells = dict(zip(header, row, strict=True))
            name = cells["Site Type"].rstrip("*").rstrip()
            names.append(name)
            rows.setdefault(name, set()).add((cells["Used"], cells["Available"]))
        for name in sorted({name for name in names if names.count(name) > 1}):
            known = any(name in alternatives for alternatives in _ROWS.values())
            problems.require(not known, f"the table at line {number} has row {name!r} twice")
    return rows


def _tables(
    lines: Sequence[str], problems: Problems
) -> Iterator[tuple[int, tuple[str, ...], list[tuple[str, ...]]]]:
    """Line number, header and rows of each table: lines of cells between borders."""
    numbered = iter(enumerate(lines, start=1))
    for number, line in numbered:
        if not _is_border(line):
            continue
        header = _cells(next(numbered, (0, ""))[1])
        closed = _is_border(next(numbered, (0, ""))[1])
        body: list[tuple[str, ...]] = []
        for _, row in numbered:
            if not row.startswith("|"):
                # A table without rows ends with the border of its header.
                closed = closed and (not body or _is_border(row))
                break
            body.append(_cells(row))
        else:
            closed = closed and not body
        whole = closed and all(len(row) == len(header) for row in body)
        if problems.require(whole, f"the table at line {number} is cut short or damaged"):
            yield number, header, body


def _is_border(line: str) -> bool:
    return re.fullmatch(r"\+(-+\+)+", line) is not None


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip("|").split("|"))
