"""Where the marks of a report's plots go: shares of the width, from 0 to 1.

The template draws them as SVG with lengths in percent, so that a plot fits any width while its text
keeps its size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from eie.host.report import formats
from eie.host.report.facts import Facts, LayerLoad, Resource, RunCycles

__all__ = [
    "Axis",
    "Column",
    "Span",
    "batch_rows",
    "column",
    "entries_of",
    "labelled_pes",
    "load_axis",
    "percent_text",
    "resource_axis",
    "tick_text",
    "timeline",
]

#: The largest load, over the mean, up to which a layer's PEs are drawn to scale: in a layer of few
#: rows most PEs have none, and the others many times the mean.
_MOST_LOAD = 3.0
#: Numbers under the columns of the PEs, at most.
_PES_LABELLED = 9
#: Share of its place that a column fills, and the PEs from which it fills all of it.
_COLUMN, _MANY_PES = 0.8, 65
#: Vectors of a batch that are drawn.
_VECTORS_DRAWN = 3


@dataclass(frozen=True)
class Axis:
    """A scale from 0 to `end`."""

    end: float

    @property
    def ticks(self) -> tuple[float, ...]:
        """Round values along it: about five."""
        if self.end <= 0:
            return (0.0,)
        rough = self.end / 5
        size = 10 ** math.floor(math.log10(rough))
        step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= rough)
        return tuple(step * number for number in range(int(self.end / step + 1e-9) + 1))

    def at(self, value: float) -> float:
        """Place of a value, 0 to 1."""
        return min(max(value / self.end, 0.0), 1.0) if self.end > 0 else 0.0


@dataclass(frozen=True)
class Span:
    """Something that lasts from one cycle to another."""

    #: What it is, for people.
    label: str
    #: ``"layer"``, ``"load"``, ``"opening"``, ``"input"`` or ``"output"``.
    kind: str
    #: Cycles.
    start: float
    end: float
    #: Number of the layer, from 0; -1 for what is none.
    layer: int = -1

    @property
    def cycles(self) -> float:
        """How long it lasts."""
        return self.end - self.start


def timeline(facts: Facts) -> tuple[Span, ...]:
    """Lay out the cycles of one vector alone: what follows what, and what goes on meanwhile.

    Loads of passes are drawn as one in front: the facts say what they take in all.
    """
    run = facts.single
    if run is None:
        return ()
    time = 0.0
    spans = []
    if run.load:
        spans.append(Span(f"load of weights, {facts.passes} passes", "load", 0, run.load))
        time = float(run.load)
    spans.append(Span("opening", "opening", time, time + run.opening))
    time += run.opening
    first, last = run.by_layer[0], run.by_layer[-1]
    spans.append(Span("inputs arrive, at least", "input", time, time + first.input))
    for number, layer in enumerate(run.by_layer):
        spans.append(Span(layer.name, "layer", time, time + layer.cycles, number))
        time += layer.cycles
    spans.append(Span("outputs leave, at least", "output", time - last.output, time))
    return tuple(spans)


def batch_rows(run: RunCycles | None) -> tuple[tuple[Span, ...], ...]:
    """Lay out the first vectors of a batch, as long as each takes on average."""
    if run is None or run.load or run.vectors < 2:
        return ()
    length = sum(layer.cycles for layer in run.by_layer)
    rows = []
    for vector in range(min(_VECTORS_DRAWN, run.vectors)):
        time = vector * length
        spans = []
        for number, layer in enumerate(run.by_layer):
            spans.append(Span(layer.name, "layer", time, time + layer.cycles, number))
            time += layer.cycles
        rows.append(tuple(spans))
    return tuple(rows)


def load_axis(loads: tuple[LayerLoad, ...]) -> Axis:
    """Scale of the PEs' loads, each over the mean of its layer; not without end."""
    heaviest = max([1.2, *(load.heaviest / load.mean * 1.05 for load in loads if load.mean)])
    return Axis(min(heaviest, _MOST_LOAD))


@dataclass(frozen=True)
class Column:
    """Where a PE's column stands."""

    start: float
    width: float

    @property
    def middle(self) -> float:
        """Where its number goes."""
        return self.start + self.width / 2


def column(number: int, pes: int) -> Column:
    """Place the column of a PE among those of all."""
    share = _COLUMN if pes < _MANY_PES else 1.0
    return Column((number + (1 - share) / 2) / pes, share / pes)


def labelled_pes(pes: int) -> tuple[int, ...]:
    """Choose PEs whose numbers stand under their columns."""
    step = 1
    while -(-pes // step) > _PES_LABELLED:
        step *= 2
    return tuple(range(0, pes, step))


def entries_of(loads: tuple[LayerLoad, ...], pe: int) -> int:
    """Count the entries of a PE in all layers."""
    return sum(load.entries[pe] for load in loads)


def resource_axis(resources: tuple[Resource, ...]) -> Axis:
    """Scale of the resources, each over what the board has."""
    return Axis(max([1.0, *(each.high / each.available for each in resources if each.available)]))


def tick_text(value: float) -> str:
    """Write a tick of a scale of numbers."""
    return f"{value:,.6g}"


def percent_text(value: float) -> str:
    """Write a tick of a scale of shares."""
    return formats.percent(round(value, 6))
