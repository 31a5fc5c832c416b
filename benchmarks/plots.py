"""The plots of the page."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from benchmarks.layers import LAYERS
from benchmarks.results import Results
from benchmarks.speedups import PAPERS, measured_here
from benchmarks.sweeps import DEPTHS, PE_COUNTS, SIGMAS, WIDTHS
from benchmarks.tables import layer_row
from eie.hls.boundary.atomic import write_whole

matplotlib.use("Agg")  # draws without a screen
import matplotlib.pyplot as plt

__all__ = ["PLOTS", "draw_all"]

_NAMES = [layer.name for layer in LAYERS]
_COLORS = plt.get_cmap("tab10").colors  # type: ignore[attr-defined]


def draw_all(results: Results, folder: Path) -> None:
    """Draw every plot whose parts have been run, as ``evaluation-NAME.png`` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (parts, draw) in PLOTS.items():
        if all(part in results.parts for part in parts):
            figure = draw(results)
            picture = io.BytesIO()
            figure.savefig(picture, dpi=80, format="png")
            write_whole(folder / f"evaluation-{name}.png", picture.getbuffer())
            plt.close(figure)


def _layers(results: Results) -> Any:
    """Theoretical and actual times of model and paper."""
    figure, axes = plt.subplots(figsize=(10, 4.2), layout="constrained")
    ours = [layer_row(results, name) for name in _NAMES]
    bars = (
        ("model: theoretical", [row.theoretical_us for row in ours], "tab:blue", 0.45),
        ("model: actual", [row.actual_us for row in ours], "tab:blue", 1.0),
        ("paper: theoretical", [layer.theoretical_us for layer in LAYERS], "tab:orange", 0.45),
        ("paper: actual", [layer.actual_us for layer in LAYERS], "tab:orange", 1.0),
    )
    places = np.arange(len(LAYERS))
    for number, (label, values, color, alpha) in enumerate(bars):
        axes.bar(places + 0.2 * (number - 1.5), values, 0.2, label=label, color=color, alpha=alpha)
    axes.set_xticks(places, _NAMES)
    axes.set_ylabel("µs a vector")
    axes.set_title("64 PEs at 800 MHz, uniform random patterns")
    axes.legend()
    return figure


def _speedup(results: Results) -> Any:
    """Speed-ups of the model over processors and GPUs."""
    figure, axes = plt.subplots(figsize=(10, 4.6), layout="constrained")
    columns = [(f"this CPU, {title}", time) for title, time in measured_here(results)]
    columns += [(f"paper's {title}", time) for title, time in PAPERS]
    places = np.arange(len(LAYERS))
    step = 0.85 / len(columns)
    colors = plt.get_cmap("tab20").colors  # type: ignore[attr-defined]
    for number, (title, time) in enumerate(columns):
        values = [time(layer) / layer_row(results, layer.name).actual_us for layer in LAYERS]
        offset = step * (number - (len(columns) - 1) / 2)
        axes.bar(places + offset, values, step, label=title, color=colors[number])
    axes.set_yscale("log")
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_xticks(places, _NAMES)
    axes.set_ylabel("time / modelled time")
    axes.set_title("Speed-up of the modelled array (64 PEs, 800 MHz), per vector")
    axes.legend(ncols=3, fontsize="small", loc="upper right")
    axes.set_ylim(top=axes.get_ylim()[1] * 8)
    return figure


def _skew(results: Results) -> Any:
    """Actual over theoretical time by skew."""
    figure, both = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    titles = {"natural": "paper's machine", "balanced": "rows dealt by work, queues of 32"}
    for axes, (assignment, title) in zip(both, titles.items(), strict=True):
        for layer, color in zip(LAYERS, _COLORS, strict=False):
            by_sigma = {
                row.sigma: row.actual_over_theoretical
                for row in results.rows("skew")
                if (row.layer, row.assignment) == (layer.name, assignment)
            }
            values = [by_sigma[sigma] for sigma in SIGMAS]
            axes.plot(SIGMAS, values, "o-", color=color, label=layer.name)
            if assignment == "natural":
                paper = layer.actual_us / layer.theoretical_us
                axes.plot([1.08], [paper], "<", color=color)
        axes.set_xlabel("σ of rows and columns (log-normal); triangles: paper")
        axes.set_title(title)
    both[0].set_ylabel("actual / theoretical")
    both[1].set_xlabel("σ of rows and columns (log-normal)")
    both[1].legend(fontsize="small", ncols=2)
    return figure


def _queue(results: Results) -> Any:
    """Load balance by depth of the queues."""
    figure, both = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    labels = ["none" if depth == 0 else str(depth) for depth in DEPTHS]
    for axes, pattern in zip(both, ("uniform", "log-normal"), strict=True):
        _lines(
            axes,
            results.rows("queue"),
            pattern,
            DEPTHS,
            lambda row: row.depth,
            lambda row, _: row.load_balance,
        )
        axes.set_xticks(range(len(DEPTHS)), labels)
        axes.axvline(DEPTHS.index(8), color="gray", linestyle=":", linewidth=1)
        axes.set_xlabel("activations that a queue holds (dotted: the paper's choice)")
        axes.set_title(f"{pattern} patterns, 64 PEs")
    both[0].set_ylabel("load balance")
    both[0].legend(fontsize="small", ncols=2)
    return figure


def _width(results: Results) -> Any:
    """Reads, and energy by the model of its cost."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    totals = [sum(r.reads for r in results.rows("width") if r.width == w) for w in WIDTHS]
    for layer, color in zip(LAYERS, _COLORS, strict=False):
        reads = {row.width: row.reads for row in results.rows("width") if row.layer == layer.name}
        values = [reads[w] / reads[64] for w in WIDTHS]
        left.plot(range(len(WIDTHS)), values, "o-", color=color, label=layer.name)
    left.set_title("words read, 64 bits = 1")
    left.legend(fontsize="small", ncols=2)
    for cost in (16, 64, 128, 256, 1024):
        energy = np.array([n * (cost + w) for n, w in zip(totals, WIDTHS, strict=True)], float)
        right.plot(range(len(WIDTHS)), energy / energy[1], "o-", label=f"a = {cost}")
    right.set_title("sum of the layers: reads x (a + width), 64 bits = 1")
    right.set_ylim(0.5, 3)
    right.legend(fontsize="small")
    for axes in (left, right):
        axes.set_xticks(range(len(WIDTHS)), [str(w) for w in WIDTHS])
        axes.axvline(WIDTHS.index(64), color="gray", linestyle=":", linewidth=1)
        axes.set_xlabel("bits of a word (dotted: the paper's choice)")
    return figure


def _pes(results: Results) -> Any:
    """Speed-up, load balance and padding by the number of PEs."""
    figure, axes = plt.subplots(2, 3, figsize=(12, 7), layout="constrained")
    quantities: tuple[tuple[str, Callable[[Any, Any], float]], ...] = (
        ("speed-up over one PE", lambda row, first: first.cycles / row.cycles),
        ("load balance", lambda row, _: row.load_balance),
        ("padding entries / weights", lambda row, _: row.padding),
    )
    for line, pattern in zip(axes, ("uniform", "log-normal"), strict=True):
        for one, (title, value) in zip(line, quantities, strict=True):
            _lines(one, results.rows("pes"), pattern, PE_COUNTS, lambda row: row.pes, value)
            one.set_xticks(range(len(PE_COUNTS)), [str(count) for count in PE_COUNTS])
            one.set_title(f"{title}, {pattern}")
            one.set_xlabel("PEs")
        line[0].set_yscale("log", base=2)
        line[0].plot(range(len(PE_COUNTS)), PE_COUNTS, color="gray", linestyle=":")
    axes[0, 0].legend(fontsize="small", ncols=2)
    return figure


def _precision(results: Results) -> Any:
    """Accuracy by precision."""
    figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    rows = results.rows("precision")
    bars = axes.bar([row.precision for row in rows], [100 * row.accuracy for row in rows])
    axes.bar_label(bars, fmt="%.1f", fontsize="small")
    axes.set_ylim(0, 110)
    axes.set_ylabel("% of test digits right")
    axes.set_title("Digits network (not AlexNet)")
    axes.tick_params(axis="x", labelrotation=20)
    return figure


def _lines(
    axes: Any,
    rows: Sequence[Any],
    pattern: str,
    points: Sequence[int],
    point: Callable[[Any], int],
    value: Callable[[Any, Any], float],
) -> None:
    """One line a layer over `points`; `value` gets a row and that of the first point."""
    for layer, color in zip(LAYERS, _COLORS, strict=False):
        found = {
            point(row): row for row in rows if (row.layer, row.pattern) == (layer.name, pattern)
        }
        values = [value(found[p], found[points[0]]) for p in points]
        axes.plot(range(len(points)), values, "o-", color=color, markersize=4, label=layer.name)


#: Plots by name: the parts that they show, and how they are drawn.
def _roofline(results: Results) -> Any:
    """Attainable operations a second over operations for each activation."""
    figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
    rows = results.rows("roofline")
    across = np.geomspace(50, 5000, 200)
    for number, board in enumerate(dict.fromkeys(row.board for row in rows)):
        of_board = [row for row in rows if row.board == board]
        first, color = of_board[0], _COLORS[number % len(_COLORS)]
        roof = np.minimum(first.peak_gops, across * first.clock_mhz / 1000)
        axes.plot(across, roof, color=color, label=board)
        axes.plot([r.intensity for r in of_board], [r.gops for r in of_board], "o", color=color)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("operations for each activation broadcast")
    axes.set_ylabel("10⁹ operations a second, bound")
    axes.set_title("Bounds at starting clocks; PEs by the uncalibrated middle of the LUT estimate")
    axes.legend()
    return figure


PLOTS: dict[str, tuple[tuple[str, ...], Callable[[Results], Any]]] = {
    "layers": (("layers",), _layers),
    "skew": (("skew",), _skew),
    "speedup": (("layers", "cpu"), _speedup),
    "queue": (("queue",), _queue),
    "width": (("width",), _width),
    "pes": (("pes",), _pes),
    "precision": (("precision",), _precision),
    "roofline": (("roofline",), _roofline),
}
