"""Vivado's ``report_timing_summary``: whether a design meets its clocks, and by how much."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.tools.reports.vivado import read_vivado

__all__ = ["Clock", "Slack", "Timing", "read_timing"]

_TITLE = "Timing Summary Report"
#: Columns of the Design Timing Summary by the fields of :class:`Timing`: worst, sum, endpoints.
_SLACKS = {
    "setup": ("WNS(ns)", "TNS(ns)", "TNS Failing Endpoints"),
    "hold": ("WHS(ns)", "THS(ns)", "THS Failing Endpoints"),
    "pulse_width": ("WPWS(ns)", "TPWS(ns)", "TPWS Failing Endpoints"),
}
_CLOCKS = ("Clock", "Period(ns)", "Frequency(MHz)")


@dataclass(frozen=True)
class Clock:
    """A clock of the design."""

    #: Name, such as ``clk_fpga_0``.
    name: str
    #: Period in ns.
    period_ns: float
    #: Frequency in MHz.
    frequency_mhz: float


@dataclass(frozen=True)
class Slack:
    """By how much one kind of constraint is met."""

    #: Of the worst path, in ns; negative if it is not met.
    worst_ns: float
    #: Sum of the slacks that are not met, in ns.
    total_ns: float
    #: Endpoints at which the constraint is not met.
    failing: int

    @property
    def met(self) -> bool:
        """Whether the constraint is met everywhere."""
        return self.worst_ns >= 0 and self.failing == 0


@dataclass(frozen=True)
class Timing:
    """Slacks of a whole design, over all its clocks."""

    #: The file that was read.
    path: Path
    #: Release of Vivado.
    version: str
    #: Device, without its speed grade.
    device: str
    #: Setup: WNS and TNS.
    setup: Slack
    #: Hold: WHS and THS.
    hold: Slack
    #: Pulse width: WPWS and TPWS.
    pulse_width: Slack
    #: Every clock.
    clocks: tuple[Clock, ...]

    @property
    def met(self) -> bool:
        """Whether every constraint is met."""
        return self.setup.met and self.hold.met and self.pulse_width.met


def read_timing(path: Path) -> Timing:
    """Read the text of a ``report_timing_summary``.

    Raises
    ------
    InputError
        If the file is missing, is cut short or is another report, if the design had no timing
        constraints, or if anything that is needed is missing, undefined or there twice; names the
        file and everything that is wrong.
    """
    problems = Problems(f"report {path}")
    text = read_vivado(path, _TITLE, "report_timing_summary", problems)
    columns = [column for triple in _SLACKS.values() for column in triple]
    summary = _rows(text.lines, "Design Timing Summary", columns, problems)
    clocks = _rows(text.lines, "Clock Summary", _CLOCKS, problems)
    problems.raise_as(InputError)
    problems.require(
        len(summary) == 1, f"Design Timing Summary must have one row, not {len(summary)}"
    )
    problems.require(len(clocks) > 0, "Clock Summary must have a clock")
    problems.raise_as(InputError)
    slacks = {
        field: Slack(
            _number(summary[0], worst, problems),
            _number(summary[0], total, problems),
            int(_number(summary[0], failing, problems, "[0-9]+")),
        )
        for field, (worst, total, failing) in _SLACKS.items()
    }
    periods = tuple(
        Clock(
            row["Clock"],
            _number(row, "Period(ns)", problems),
            _number(row, "Frequency(MHz)", problems),
        )
        for row in clocks
    )
    problems.raise_as(InputError)
    return Timing(
        path=path,
        version=text.version,
        device=text.device,
        setup=slacks["setup"],
        hold=slacks["hold"],
        pulse_width=slacks["pulse_width"],
        clocks=periods,
    )


def _number(
    row: dict[str, str], column: str, problems: Problems, pattern: str = r"-?[0-9]+\.[0-9]+"
) -> float:
    """Read a cell, which is ``NA`` or ``inf`` where no path is constrained."""
    holds = re.fullmatch(pattern, row[column]) is not None
    problems.require(holds, f"{column} must be a number, not {row[column]!r}")
    return float(row[column]) if holds else 0.0


def _rows(
    lines: Sequence[str], title: str, columns: Sequence[str], problems: Problems
) -> list[dict[str, str]]:
    """Rows of the table in the section `title`, each by the names of its columns."""
    headings = [index for index, line in enumerate(lines) if line == f"| {title}"]
    if not problems.require(
        len(headings) == 1, f"there must be one section {title!r}, not {len(headings)}"
    ):
        return []
    # The heading is underlined by a second line with a bar; the next section starts with another.
    body = list(lines[headings[0] + 2 :])
    body = body[: next((index for index, line in enumerate(body) if line.startswith("|")), None)]
    # Names of columns are underlined each.
    rule = next((i for i, line in enumerate(body) if re.fullmatch(r" *-+(  +-+)+", line)), 0)
    header = _cells(body[rule - 1]) if rule > 0 else []
    names = [name for name in columns if header.count(name) != 1]
    if not problems.require(
        not names, f"{title} must have the columns {', '.join(names)} once each"
    ):
        return []
    # An empty line ends the table; without it the file may have been cut within a number.
    end = next((i for i in range(rule, len(body)) if not body[i].strip()), None)
    if not problems.require(end is not None, f"the table of {title} must not be cut short"):
        return []
    rows = [_cells(line) for line in body[rule + 1 : end]]
    for cells in rows:
        problems.require(
            len(cells) == len(header),
            f"a row of {title} must have {len(header)} cells, not {len(cells)}",
        )
    return [dict(zip(header, cells, strict=False)) for cells in rows]


def _cells(line: str) -> list[str]:
    """Cells of a line: a single space may be inside one."""
    return re.split(r"  +", line.strip())
