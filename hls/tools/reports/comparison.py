"""An estimate and what the tools count, side by side."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.text import counted
from eie.hls.model.area import Range, estimate
from eie.hls.spec.boards import Board
from eie.hls.spec.design import Design, target_board
from eie.hls.tools.reports.clock_findings import (
    clock_findings,
    latency_findings,
    timing_findings,
)
from eie.hls.tools.reports.csynth import TARGET_II, CsynthReport, HlsLoop, loops_above_one
from eie.hls.tools.reports.messages import HlsLog
from eie.hls.tools.reports.path_slack import TimingPath
from eie.hls.tools.reports.resources import Resources
from eie.hls.tools.reports.slack_lines import path_lines, slack_lines
from eie.hls.tools.reports.timing import Timing
from eie.hls.tools.reports.utilization import Utilization

__all__ = ["Comparison", "Row", "compare"]

#: The kernel's top function.
_TOP = "eie"
#: DSP slices that products of 32 bits may take fewer than are counted: one for each of three.
_SPARED_DSP = 3


@dataclass(frozen=True)
class Row:
    """One resource: what was estimated, what the tools count, what there is."""

    #: Name; its unit is one of the resource.
    resource: str
    #: Least and most that the estimate expects; the same where it is a count.
    estimated: tuple[int, int]
    #: What it expects most.
    expected: int
    #: Whether the estimate is a count, not a range.
    exact: bool
    #: What Vitis HLS expects the kernel to take; None without its report.
    hls: int | None
    #: What Vivado counts for the whole block design; None without its report.
    vivado: int | None
    #: What the part has.
    available: int

    def ratio(self, count: int | None) -> float | None:
        """Return `count` over what is expected; None where there is nothing to divide."""
        return None if count is None or self.expected == 0 else count / self.expected


@dataclass(frozen=True)
class Comparison:
    """Reports of the tools beside the estimate of the design that they are about."""

    #: The design.
    design: Design
    #: The board, or the one that stands in for none.
    board: Board
    #: Block RAMs, UltraRAMs, DSP slices, LUTs, flip-flops.
    rows: tuple[Row, ...]
    #: Synthesis by Vitis HLS, if reported.
    csynth: CsynthReport | None
    #: Utilization by Vivado, if reported.
    utilization: Utilization | None
    #: Timing by Vivado, if reported.
    timing: Timing | None
    #: What Vitis HLS said while it worked, if its log is there.
    log: HlsLog | None = None
    #: The worst paths after routing, as far as Vivado listed any.
    paths: tuple[TimingPath, ...] = ()

    def findings(self) -> tuple[str, ...]:
        """Say in a sentence each what the numbers mean, slow loops first."""
        return (
            *_loop_findings(self.csynth, self.log),
            *(finding for row in self.rows for finding in _row_findings(row)),
            *clock_findings(self.design, self.csynth),
            *timing_findings(self.timing),
            *latency_findings(self.design, self.csynth),
            *_part_findings(self.board, self.csynth, self.utilization),
        )

    def as_text(self) -> str:
        """Lay the tables out for a terminal, with the findings below."""
        cells = self._cells()
        widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
        lines = [self._title(), ""]
        for line in cells:
            first, *rest = (
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            lines.append("  ".join([first, *rest]))
        lines += ["", *(f"- {finding}" for finding in self.findings())]
        if self.csynth is not None:
            lines += slack_lines(self.csynth, self.log)
        return "\n".join([*lines, *path_lines(self.paths)])

    def _title(self) -> str:
        tools = []
        if self.csynth is not None:
            tools.append(f"Vitis HLS {self.csynth.version}")
        vivado = self.utilization or self.timing
        if vivado is not None:
            state = f" ({self.utilization.state.lower()})" if self.utilization else ""
            tools.append(f"Vivado {vivado.version}{state}")
        return (
            f"{counted(self.design.pes, 'PE')} at {self.design.clock_mhz} MHz on "
            f"{self.board.part}: the estimate and {', '.join(tools)}"
        )

    def _cells(self) -> list[list[str]]:
        """Header and rows of the table."""
        header = ["resource", "estimate", "Vitis HLS", "ratio", "Vivado", "ratio", "part has"]
        return [header, *(_cells_of(row) for row in self.rows)]


def compare(
    design: Design,
    csynth: CsynthReport | None = None,
    utilization: Utilization | None = None,
    timing: Timing | None = None,
    *,
    log: HlsLog | None = None,
    paths: Sequence[TimingPath] = (),
) -> Comparison:
    """Lay reports of the tools beside the estimate of `design`.

    Parameters
    ----------
    design
        What was built.
    csynth, utilization, timing
        What the tools reported; at least one of them.
    log
        Of the synthesis: it has the reasons.
    paths
        Of the timing report: they have the places.

    Raises
    ------
    InputError
        If there is no report, or one is about another kernel, part or number of PEs than the
        design's.
    """
    board = target_board(design)
    problems = Problems("comparison")
    problems.require(
        csynth is not None or utilization is not None or timing is not None,
        "at least one report must be given",
    )
    if csynth is not None:
        problems.require(
            csynth.top == _TOP, f"{csynth.path} must be about {_TOP!r}, not {csynth.top!r}"
        )
        problems.require(
            _spelling(csynth.part) == _spelling(board.part),
            f"{csynth.path} must be about {board.part}, not {csynth.part}",
        )
        pes = _pes_in(csynth)
        problems.require(
            pes <= design.pes,
            f"{csynth.path} must be about {counted(design.pes, 'PE')}, not {pes} or more: it has "
            f"modules of PE {pes - 1}",
        )
    for report in (utilization, timing):
        if report is not None:
            problems.require(
                _spelling(board.part).startswith(_spelling(report.device)),
                f"{report.path} must be about {board.part}, not {report.device}",
            )
    if utilization is not None:
        problems.require(
            board.uram == 0 or utilization.available.uram > 0,
            f"{utilization.path} must have a row for the UltraRAMs that {board.part} has",
        )
    problems.raise_as(InputError)
    return Comparison(
        design=design,
        board=board,
        rows=_rows(
            design,
            board,
            csynth.used if csynth is not None else None,
            utilization.used if utilization is not None else None,
        ),
        csynth=csynth,
        utilization=utilization,
        timing=timing,
        log=log,
        paths=tuple(paths),
    )


def _pes_in(csynth: CsynthReport) -> int:
    """PEs of which a report has modules: one more than the highest number among them."""
    named = (re.match(r"multiply_accumulate_(\d+)(?:_|$)", name) for name in csynth.modules)
    return max((int(match[1]) + 1 for match in named if match is not None), default=0)


def _spelling(part: str) -> str:
    """Bring a part's name to one form: the tools differ in dashes, and in the leading ``xc``."""
    return part.lower().replace("-", "").removeprefix("xc")


def _rows(
    design: Design, board: Board, hls: Resources | None, vivado: Resources | None
) -> tuple[Row, ...]:
    needed = estimate(design)

    def row(name: str, field: str, estimated: int | Range, available: int) -> Row:
        exact = isinstance(estimated, int)
        low, expected, high = (
            (estimated,) * 3
            if isinstance(estimated, int)
            else (estimated.low, estimated.expected, estimated.high)
        )
        return Row(
            resource=name,
            estimated=(low, high),
            expected=expected,
            exact=exact,
            hls=getattr(hls, field) if hls is not None else None,
            vivado=getattr(vivado, field) if vivado is not None else None,
            available=available,
        )

    return (
        row("BRAM18", "bram18", needed.bram18, 2 * board.bram36),
        row("UltraRAM", "uram", needed.uram, board.uram),
        row("DSP", "dsp", needed.dsp, board.dsp),
        row("LUT", "lut", needed.lut, board.lut),
        row("flip-flop", "ff", needed.ff, board.ff),
    )


def _cells_of(row: Row) -> list[str]:
    low, high = row.estimated
    cells = [row.resource, f"{low:,}" if row.exact else f"{low:,} to {high:,}"]
    for count in (row.hls, row.vivado):
        ratio = row.ratio(count)
        cells += ["-" if count is None else f"{count:,}", "-" if ratio is None else f"{ratio:.2f}"]
    return [*cells, f"{row.available:,}"]


def _row_findings(row: Row) -> Iterator[str]:
    for tool, count in (("Vitis HLS", row.hls), ("Vivado", row.vivado)):
        if count is not None:
            judge = _judge_count if row.exact else _judge_range
            yield f"{row.resource}: {tool} {judge(row, tool, count)}"


def _judge_count(row: Row, tool: str, count: int) -> str:
    expected = row.estimated[0]
    if count == expected:
        return f"agrees with the exact count of {expected:,}."
    difference = f"{abs(count - expected):,} {'more' if count > expected else 'fewer'}"
    if tool == "Vivado" and row.resource == "BRAM18" and count > expected:
        return (
            f"has {count:,}, {difference} than the kernel's exact count of {expected:,}: "
            "the DMA's, if it has any, are among them."
        )
    if row.resource == "DSP" and expected - _SPARED_DSP <= count < expected:
        return (
            f"has {count:,}, {difference} than the {expected:,} counted: four for each product of "
            "32 bits, of which a tool may need three."
        )
    return f"DISAGREES with the exact count: {count:,}, {difference} than {expected:,}."


def _judge_range(row: Row, tool: str, count: int) -> str:
    low, high = row.estimated
    place = "in"
    if count < low:
        place = f"BELOW, {count / low:.2f} times the low end of,"
    elif count > high:
        place = f"ABOVE, {count / high:.2f} times the high end of,"
    whole = " for the whole block design" if tool == "Vivado" else ""
    return f"has {count:,}{whole}: {place} the estimated range of {low:,} to {high:,}."


def _loop_findings(csynth: CsynthReport | None, log: HlsLog | None) -> Iterator[str]:
    if csynth is None:
        return
    pipelined = [loop for loop in csynth.loops if loop.ii is not None]
    slow = loops_above_one(csynth)
    yield (
        f"Loops above II {TARGET_II}: {len(slow) or 'none'} of {len(pipelined)} pipelined ones, in "
        f"{len(csynth.modules)} modules."
    )
    for text, count in _grouped(slow, log).items():
        yield f"LOOP ABOVE II {TARGET_II}: {text}{f', in {count} modules' if count > 1 else ''}"
    names: dict[str, int] = defaultdict(int)
    for loop in csynth.loops:
        if loop.ii is None:
            names[loop.name] += 1
    if names:
        listing = ", ".join(f"{name} ({count})" for name, count in names.items())
        yield f"Loops without a pipeline, as those around other loops are meant to be: {listing}."


def _grouped(loops: tuple[HlsLoop, ...], log: HlsLog | None) -> dict[str, int]:
    """Descriptions of loops, and how many modules each holds for: the PEs have the same ones."""
    groups: dict[tuple[object, ...], list[HlsLoop]] = defaultdict(list)
    for loop in loops:
        pattern = re.sub(r"[0-9]+", "*", loop.module)
        groups[pattern, loop.name, loop.ii, loop.depth, loop.trip_count, loop.issue].append(loop)
    return {_describe(group, log): len(group) for group in groups.values()}


def _describe(group: list[HlsLoop], log: HlsLog | None) -> str:
    loop = group[0]
    reason = log.reason(loop.module, loop.name) if log is not None else ""
    module = loop.module if len(group) == 1 else re.sub(r"[0-9]+", "*", loop.module)
    parts = [f"{module}: {loop.name} has II {loop.ii}, not {TARGET_II}"]
    if loop.depth is not None:
        parts.append(f"depth {loop.depth}")
    if loop.trip_count is not None:
        least, most = loop.trip_count
        parts.append(f"{least} iterations" if least == most else f"{least} to {most} iterations")
    said = ", ".join(parts + [text for text in (loop.issue, loop.source) if text])
    return f"{said}; the tool says: {reason}" if reason else said


def _part_findings(
    board: Board, csynth: CsynthReport | None, utilization: Utilization | None
) -> Iterator[str]:
    """Differences between our own table of parts and the tools'."""
    ours = Resources(board.lut, board.ff, 2 * board.bram36, board.uram, board.dsp)
    for tool, report in (("Vitis HLS", csynth), ("Vivado", utilization)):
        if report is not None and report.available != ours:
            yield f"Part: {tool} says that {board.part} has {report.available}, eie {ours}."
