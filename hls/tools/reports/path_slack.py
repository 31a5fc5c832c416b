"""Slack of the worst paths after routing, by the part of the design that they lie in.

``report_timing_summary -max_paths N`` lists the worst paths of each clock under ``Max Delay Paths``
(UG906)::

    Slack (VIOLATED) :        -0.333ns  (required time - arrival time)
      Source:                 eie_i/eie_0/inst/broadcast_4_0_true_U0/token_reg[0]/C
                                (rising edge-triggered cell FDRE clocked by clk_pl_0  {...})
      Destination:            eie_i/eie_0/inst/queue_U/mOutPtr_reg[1]/D
      ...
      Path Type:              Setup (Max at Slow Process Corner)
      Data Path Delay:        5.325ns  (logic 3.776ns (70.911%)  route 1.549ns (29.089%))
      Logic Levels:           15  (CARRY8=2 LUT3=1)

Names of cells are those of the hierarchy, as long as synthesis rebuilds it, which is its default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eie.hls.boundary.errors import InputError
from eie.hls.spec.block_design import KERNEL

__all__ = ["ModulePaths", "TimingPath", "by_module", "read_paths"]

_FIELDS = re.compile(r"  (Source|Destination|Path Type|Data Path Delay|Logic Levels): +(.+)")
_SLACK = re.compile(r"Slack \((?:MET|VIOLATED)\) : +(-?[0-9.]+)ns")
_DELAY = re.compile(r"([0-9.]+)ns +\(logic ([0-9.]+)ns .*route ([0-9.]+)ns")


@dataclass(frozen=True)
class TimingPath:
    """A path that the report lists."""

    #: Time left, in ns; negative if it is too long.
    slack_ns: float
    #: Pins at which it starts and ends, with their hierarchy.
    source: str
    destination: str
    #: Of its delay, what is in logic and in wires, in ns.
    logic_ns: float
    route_ns: float
    #: Levels of logic.
    levels: int


@dataclass(frozen=True)
class ModulePaths:
    """The listed paths from one module to another, or within one."""

    #: Module of the source, and of the destination if it is another; digits are stars.
    modules: str
    #: How many paths are listed, and how many of them fail.
    paths: int
    failing: int
    #: The worst of them.
    worst: TimingPath


def read_paths(path: Path) -> tuple[TimingPath, ...]:
    """Read the paths of setup checks that a ``report_timing_summary`` lists, as they stand there.

    What the summary says of the whole is read elsewhere (:mod:`eie.hls.tools.reports.timing`); a
    report that lists no paths has none.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise InputError(f"cannot read report {path}: {error.strerror}") from error
    found = []
    for slack, fields in _listed(lines):
        delay = _DELAY.match(fields.get("Data Path Delay", ""))
        levels = re.match(r"\d+", fields.get("Logic Levels", ""))
        whole = (
            delay is not None and levels is not None and {"Source", "Destination"} <= set(fields)
        )
        if not whole or not fields.get("Path Type", "").startswith("Setup"):
            continue  # a path of another check, or the last one of a file cut short
        assert delay is not None and levels is not None
        found.append(
            TimingPath(
                slack,
                fields["Source"],
                fields["Destination"],
                float(delay[2]),
                float(delay[3]),
                int(levels[0]),
            )
        )
    return tuple(found)


def by_module(paths: Sequence[TimingPath]) -> tuple[ModulePaths, ...]:
    """Put paths together by the modules that they start and end in, the worst first."""
    groups: dict[str, list[TimingPath]] = {}
    for each in paths:
        start, end = module_of(each.source), module_of(each.destination)
        groups.setdefault(start if start == end else f"{start} to {end}", []).append(each)
    found = [
        ModulePaths(
            modules,
            len(group),
            sum(each.slack_ns < 0 for each in group),
            min(group, key=lambda each: each.slack_ns),
        )
        for modules, group in groups.items()
    ]
    return tuple(sorted(found, key=lambda each: each.worst.slack_ns))


def module_of(pin: str) -> str:
    """The process or stream of the kernel that a pin is in, or else the cell of the block design.

    ``eie_i/eie_0/inst/column_fetch_3_U0/bank_U/ram_reg/C`` is in ``column_fetch_*``.
    """
    parts = pin.split("/")
    if KERNEL.name in parts[:-1]:
        inside = [each for each in parts[parts.index(KERNEL.name) + 1 : -1] if each != "inst"]
        name = inside[0] if inside else KERNEL.name
    else:
        # The wrapper's instance of the block design comes first, then its cells.
        name = parts[1] if len(parts) > 2 else parts[0]
    return re.sub(r"\d+", "*", re.sub(r"_U\d*$", "", name))


def _listed(lines: Sequence[str]) -> Iterator[tuple[float, dict[str, str]]]:
    """Slack and fields of each path."""
    slack: float | None = None
    fields: dict[str, str] = {}
    for line in [*lines, "Slack (MET) : 0ns"]:
        if match := _SLACK.match(line):
            if slack is not None:
                yield slack, fields
            slack, fields = float(match[1]), {}
        elif match := _FIELDS.match(line):
            fields.setdefault(match[1], match[2].strip())
