"""A PE's pipeline as a picture: the stages that its two loops are allowed, and what is forwarded.

Stages are those of :mod:`eie.hls.model.loop_depths`: assumed ones, until Vitis HLS has scheduled
the loops.
"""

from __future__ import annotations

from dataclasses import dataclass

from eie.hls.model.loop_depths import loop_depths
from eie.hls.spec.design import Design
from eie.host.view.svg import Drawing, text_width

__all__ = ["pipeline_picture"]

_LEFT, _HEIGHT = 16.0, 72.0
_WIDTH = 1160.0


@dataclass(frozen=True)
class _Step:
    """Stages with one purpose."""

    text: str
    stages: int


def pipeline_picture(design: Design) -> Drawing:
    """Draw the loops of a PE, stage by stage, to scale of their stages.

    Parameters
    ----------
    design
        Says where its memories are, and so how many stages reading one takes.
    """
    loops = {each.process: each for each in loop_depths(design)}
    fetch, multiply = (
        _steps(loops[name].reason) for name in ("column_fetch", "multiply_accumulate")
    )
    stages = max(sum(step.stages for step in steps) for steps in (fetch, multiply))
    width = (_WIDTH - 2 * _LEFT) / stages
    draw = Drawing(
        _WIDTH,
        452,
        "The pipeline of a PE",
        f"column_fetch has {sum(s.stages for s in fetch)} stages, multiply_accumulate "
        f"{sum(s.stages for s in multiply)}, each with an iteration a cycle. A sum is forwarded to "
        f"the next {design.write_latency} iterations.",
    )
    draw.text(_LEFT, 24, "The pipeline of a PE", "head")
    draw.text(
        _LEFT,
        42,
        "An iteration enters each loop in every cycle. Stages are assumed, none was scheduled by "
        "Vitis HLS here.",
        "small soft",
    )
    _loop(draw, 70, "column_fetch: a column a cycle", fetch, width)
    _loop(draw, 214, "multiply_accumulate: an entry and a row a cycle", multiply, width)
    _forwarding(draw, design, multiply, width)
    return draw


def _steps(reason: str) -> list[_Step]:
    """Take a loop's reason apart: each part ends with its stages."""
    steps = []
    for part in reason.split(";"):
        text, _, stages = part.strip().rpartition(" ")
        if stages.isdigit():
            steps.append(_Step(text, int(stages)))
        else:
            steps.append(_Step(part.strip(), 1))
    return steps


def _loop(draw: Drawing, y: float, title: str, steps: list[_Step], width: float) -> None:
    draw.text(_LEFT, y, title, "small strong")
    stage = 0
    for step in steps:
        x = _LEFT + stage * width
        across = step.stages * width
        draw.rect(x + 1, y + 10, across - 2, _HEIGHT, "process", rx=4)
        for number in range(step.stages):
            draw.text(
                x + (number + 0.5) * width, y + 10 + _HEIGHT + 14, f"{stage + number + 1}",
                "tiny middle soft",
            )  # fmt: skip
            if number:
                draw.line(x + number * width, y + 10, x + number * width, y + 10 + _HEIGHT, "grid")
        lines = _wrapped(step.text, across - 10)
        top = y + 10 + _HEIGHT / 2 + 4 - 6 * (len(lines) - 1)
        for number, line in enumerate(lines):
            draw.text(x + across / 2, top + 12 * number, line, "tiny middle")
        stage += step.stages


def _wrapped(text: str, width: float) -> list[str]:
    """Break a text into lines that fit."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, 10) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _forwarding(draw: Drawing, design: Design, steps: list[_Step], width: float) -> None:
    """Sums that the next iterations need before the memory has them."""
    y = 356.0
    latency = design.write_latency
    draw.text(_LEFT, y, "sums of one row, in iterations that follow one another", "small strong")
    box = 118.0
    for number in range(latency + 2):
        x = _LEFT + number * (box + 22)
        kind = "mark-soft" if 0 < number <= latency else "process"
        text = "sum written" if number == 0 else "forwarded" if number <= latency else "from memory"
        draw.rect(x, y + 14, box, 34, kind, rx=4)
        draw.text(
            x + box / 2, y + 29, f"iteration {number}" if number else "iteration 0", "tiny middle"
        )
        draw.text(x + box / 2, y + 42, text, "tiny middle soft")
        if number:
            draw.path([(x - 22, y + 31), (x, y + 31)], "wire arrow")
    draw.text(
        _LEFT,
        y + 76,
        f"A sum that was just written is missed by {latency} iterations: it is kept in registers "
        "for these, as columns may end and begin with the same row.",
        "small soft",
    )
