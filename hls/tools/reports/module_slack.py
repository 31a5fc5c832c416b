"""Slack of each module before routing: where a clock is missed, and by which operations.

The kernel gives the II of every pipeline, so the scheduler adds timing last and lengthens the
period, not the II, where a path is too long (UG1448, II Constrained and Timing Constrained
Scheduling Modes). A missed clock therefore shows in a module's estimated period, with every loop at
II=1; what raises an II are dependences, ports of memories and streams, and loop exits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from eie.hls.tools.reports.csynth import CsynthReport
from eie.hls.tools.reports.messages import HlsLog, MissedClock

__all__ = ["ModuleSlack", "module_slacks", "path_text"]


@dataclass(frozen=True)
class ModuleSlack:
    """Modules that differ in numbers only, as those of the PEs do; figures of the worst of them."""

    #: Name, with stars for numbers if there are several.
    modules: str
    #: How many.
    count: int
    #: Longest path, in ns, before routing.
    path_ns: float
    #: What the period leaves after it and the clock uncertainty, in ns.
    slack_ns: float
    #: The path, if the log has it.
    missed: MissedClock | None


def module_slacks(csynth: CsynthReport, log: HlsLog | None = None) -> tuple[ModuleSlack, ...]:
    """Give the slack of every module, the worst first; modules without an estimate are left out.

    The path of a process includes those of the modules in it, so the innermost ones tell most:
    of equal ones they come first, being those with the longest names.
    """
    groups: dict[str, list[tuple[float, str]]] = {}
    for each in csynth.estimates:
        if each.estimated_ns is not None:
            pattern = re.sub(r"[0-9]+", "*", each.name)
            groups.setdefault(pattern, []).append((each.estimated_ns, each.name))
    missed = {} if log is None else {each.module: each for each in log.clocks}
    found = []
    for pattern, group in groups.items():
        path_ns, name = max(group)
        found.append(
            ModuleSlack(
                name if len(group) == 1 else pattern,
                len(group),
                path_ns,
                csynth.slack_of(path_ns),
                next((missed[each] for _, each in sorted(group)[::-1] if each in missed), None),
            )
        )
    return tuple(sorted(found, key=lambda each: (each.slack_ns, -len(each.modules), each.modules)))


def path_text(missed: MissedClock) -> str:
    """Say what a path consists of: operations that take time, in their order."""
    steps = [
        f"{_operation(each.operation)} {each.delay_ns:g}" for each in missed.path if each.delay_ns
    ]
    return ", ".join(steps)


def _operation(text: str) -> str:
    """What an operation is, and where: ``add (broadcast.h:80)``."""
    kind = re.match(r"'([^']+)' operation|(.*?) operation|(\w+)", text)
    place = re.search(r"([\w.-]+:\d+)\)", text)
    name = next(filter(None, kind.groups()), text) if kind is not None else text
    return f"{name} ({place[1]})" if place is not None else name
