"""Slack by module as lines of text: what Vitis HLS expects, and what Vivado found."""

from __future__ import annotations

from collections.abc import Sequence

from eie.hls.boundary.tables import as_text
from eie.hls.tools.reports.csynth import CsynthReport
from eie.hls.tools.reports.messages import HlsLog
from eie.hls.tools.reports.module_slack import ModuleSlack, module_slacks, path_text
from eie.hls.tools.reports.path_slack import ModulePaths, TimingPath, by_module

__all__ = ["path_lines", "slack_lines"]

#: Modules that are listed though they meet the clock.
_SHOWN = 8


def slack_lines(csynth: CsynthReport, log: HlsLog | None = None) -> list[str]:
    """List modules by their slack before routing: all that miss the clock, and the tightest."""
    every = module_slacks(csynth, log)
    if not every:
        return []
    missing = sum(each.slack_ns < 0 for each in every)
    listed = every[: max(missing, _SHOWN)]
    rows: list[list[object]] = [["module", "of it", "path ns", "slack ns", "", "path"]]
    rows += [_module_row(each) for each in listed]
    more = f", {len(every) - len(listed)} others have more" if len(every) > len(listed) else ""
    return [
        "",
        f"Slack by module before routing (of {csynth.target_ns:.3f} ns, "
        f"{csynth.uncertainty_ns:.3f} ns are kept){more}:",
        *(f"  {line}" for line in as_text(rows).splitlines()),
    ]


def path_lines(paths: Sequence[TimingPath]) -> list[str]:
    """List the worst paths after routing by the modules that they are in."""
    if not paths:
        return []
    every = by_module(paths)
    rows: list[list[object]] = [
        ["module", "paths", "failing", "slack ns", "logic ns", "route ns", "levels"]
    ]
    rows += [_path_row(each) for each in every[: max(_SHOWN, sum(e.failing > 0 for e in every))]]
    return [
        "",
        f"Slack by module after routing, of the {len(paths)} worst paths that Vivado lists:",
        *(f"  {line}" for line in as_text(rows).splitlines()),
    ]


def _module_row(each: ModuleSlack) -> list[object]:
    path = path_text(each.missed) if each.missed is not None else ""
    verdict = "MISSED" if each.slack_ns < 0 else ""
    return [
        each.modules, each.count, f"{each.path_ns:.3f}", f"{each.slack_ns:.3f}", verdict, path
    ]  # fmt: skip


def _path_row(each: ModulePaths) -> list[object]:
    worst = each.worst
    return [
        each.modules,
        each.paths,
        each.failing,
        f"{worst.slack_ns:.3f}",
        f"{worst.logic_ns:.3f}",
        f"{worst.route_ns:.3f}",
        worst.levels,
    ]
