"""What reports say of time, in a sentence each: the clock, the constraints, the stages."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.allowance import ASSUMED, allowance_of
from eie.hls.spec.design import Design
from eie.hls.tools.reports.csynth import CsynthReport
from eie.hls.tools.reports.depths import reported_allowance
from eie.hls.tools.reports.timing import Slack, Timing

__all__ = ["clock_findings", "latency_findings", "timing_findings"]


def clock_findings(design: Design, csynth: CsynthReport | None) -> Iterator[str]:
    """Whether the design's clock is met before routing, and what to look at if it is not."""
    if csynth is None:
        return
    # The tool rounds the period to hundredths of a ns.
    if abs(csynth.target_ns - 1000 / design.clock_mhz) > 0.01:
        yield f"Clock: NOT the design's {design.clock_mhz} MHz, but {csynth.target_ns:.3f} ns."
    verdict = "met" if csynth.slack_ns >= 0 else "MISSED"
    yield (
        f"Clock: Vitis HLS expects paths of {csynth.estimated_ns:.3f} ns in a period of "
        f"{csynth.target_ns:.3f} ns, of which it keeps {csynth.uncertainty_ns:.3f} ns for routing: "
        f"{verdict}, slack {csynth.slack_ns:.3f} ns."
    )
    if csynth.slack_ns < 0:
        kept = 1 - csynth.uncertainty_ns / csynth.target_ns
        reachable = int(1000 * kept / csynth.estimated_ns)
        yield (
            "Missed clock: with II given, a path that is too long raises the estimated period and "
            "never the II, so look at the slack of modules below. With the same share for routing "
            f"{reachable} MHz would be met."
        )
    share = 100 * csynth.uncertainty_ns / csynth.target_ns
    if abs(csynth.uncertainty_ns - csynth.target_ns * design.clock_uncertainty / 100) > 0.01:
        yield (
            f"Margin: NOT the design's {design.clock_uncertainty} % for routing, but {share:.1f} %."
        )


def timing_findings(timing: Timing | None) -> Iterator[str]:
    """Whether the constraints are met after routing."""
    if timing is None:
        return

    def describe(name: str, slack: Slack) -> str:
        return f"{name} {slack.worst_ns:.3f} ns ({slack.failing} endpoints fail)"

    clocks = ", ".join(
        f"{clock.name} {clock.frequency_mhz:.3f} MHz ({clock.period_ns:.3f} ns)"
        for clock in timing.clocks
    )
    yield (
        f"Timing: Vivado's constraints are {'met' if timing.met else 'MISSED'}: "
        f"{describe('WNS', timing.setup)}, {describe('WHS', timing.hold)}, "
        f"{describe('WPWS', timing.pulse_width)}; clocks: {clocks}."
    )


def latency_findings(design: Design, csynth: CsynthReport | None) -> Iterator[str]:
    """What the reported depths make of the latency of a vector."""
    if csynth is None:
        return
    reported, assumed = reported_allowance(csynth, design), allowance_of(design)
    if reported.source.startswith(ASSUMED):
        yield (
            f"Pipeline stages: {reported.layer_cycles} cycles a layer and vector "
            f"({reported.source})."
        )
        return
    yield (
        f"Pipeline stages: {reported.layer_cycles} cycles a layer and vector "
        f"by {reported.source}; {assumed.layer_cycles} were assumed."
    )
