"""The allowance for pipeline stages, with depths that a synthesis gave in place of assumed ones.

A loop of the kernel is found in ``csynth.xml`` by its label, in whatever module its process became:
``broadcast_4<0, true>`` is ``broadcast_4_0_true_s``, and a pipelined loop is mostly a module of its
own, ``broadcast_4_0_true_Pipeline_tokens``. Of a process that is there several times the deepest
counts.
"""

from __future__ import annotations

import re

from eie.hls.model.allowance import ASSUMED, RunAllowance, allowance_of
from eie.hls.model.loop_depths import LoopDepth, loop_depths
from eie.hls.spec.design import Design
from eie.hls.tools.reports.csynth import CsynthReport

__all__ = ["reported_allowance"]


def reported_allowance(csynth: CsynthReport, design: Design) -> RunAllowance:
    """What a run takes on top of what is counted, by the depths of a report."""
    wanted = loop_depths(design)
    depths = {
        (each.process, each.loop): depth
        for each in wanted
        if (depth := _depth(csynth, each)) is not None
    }
    source = f"depths of {csynth.path.name}, Vitis HLS {csynth.version}"
    missing = [
        f"{each.process}.{each.loop}" for each in wanted if (each.process, each.loop) not in depths
    ]
    if not depths:
        return allowance_of(design, source=f"{ASSUMED}: {csynth.path.name} has none of the loops")
    if missing:
        source += f"; {ASSUMED} of {', '.join(missing)}"
    return allowance_of(design, depths, source=source)


def _depth(csynth: CsynthReport, wanted: LoopDepth) -> int | None:
    """The depth of a loop, the deepest of all modules that have it; None if there is none."""
    module = re.compile(rf"(?:eie_)?{wanted.process}(?:_.*)?")
    found = [
        loop.depth
        for loop in csynth.loops
        if loop.ii is not None
        and loop.depth is not None
        and loop.name == wanted.loop
        and module.fullmatch(loop.module)
    ]
    return max(found, default=None)
