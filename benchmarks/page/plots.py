"""The plots of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from benchmarks.measure.sweeps import DEPTHS, PE_COUNTS, SIGMAS, SWEPT, WIDTHS
from benchmarks.page.figures import PAPER_TIMES, Figures
from benchmarks.paper.layers import LAYERS, QUEUE_DEPTH
from benchmarks.results import Results

matplotlib.use("Agg")  # draws without a screen
import matplotlib.pyplot as plt

_NAMES = [layer.name for layer in LAYERS]
_COLORS = plt.get_cmap("tab10").colors  # type: ignore[attr-defined]


def draw_all(results: Results, folder: Path) -> None:
    """Draw every plot whose parts have been run, as ``evaluation-NAME.png`` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (parts, draw) in PLOTS.items():
        if all(part in results.parts for part in parts):
            figure = draw(results)
            figure.savefig(folder / f"evaluation-{name}.png", dpi=80)
            plt.close(figure)


def _layers(results: Results) -> Any:
    """Theoretical and actual times of model and paper."""
    figure, axes = plt.subplots(figsize=(10, 4.2), layout="constrained")
    ours = Figures(results).layers()
    bars = {
        "model: theoretical": [row.theoretical_us for row in ours],
        "model: actual": [row.actual_us for row in ours],
        "paper: theoretical": [layer.theoretical_us for layer in LAYERS],
        "paper: actual": [layer.actual_us for layer in LAYERS],
    }
    _bars(axes, bars, 0.2, [("tab:blue", 0.45), "tab:blue", ("tab:orange", 0.45), "tab:orange"])
    axes.set_ylabel("µs a vector")
    axes.set_title("64 PEs at 800 MHz, uniform random patterns")
    axes.legend()
    return figure


def _speedup(results: Results) -> Any:
    """Speed-ups of the model over processors and GPUs."""
    figure, axes = plt.subplots(figsize=(10, 4.6), layout="constrained")
    figures = Figures(results)
    times = {f"this CPU, {title}": of for title, of in figures.times_here().items()}
    times |= {f"paper's {title}": of for title, of in PAPER_TIMES.items()}
    model = figures.modelled_times()
    bars = {title: [of[name] / model[name] for name in _NAMES] for title, of in times.items()}
    _bars(axes, bars, 0.85 / len(bars), plt.get_cmap("tab20").colors)  # type: ignore[attr-defined]
    axes.set_yscale("log")
    axes.axhline(1, color="black", linewidth=0.8)
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
            rows = results.rows("skew", layer=layer.name, assignment=assignment)
            values = [row.actual_over_theoretical for row in rows]
            axes.plot(SIGMAS, values, "o-", color=color, label=layer.name)
            if assignment == "natural":
                axes.plot([1.08], [layer.actual_over_theoretical], "<", color=color)
        axes.set_xlabel("σ of rows and columns (log-normal); triangles: paper")
        axes.set_title(title)
    both[0].set_ylabel("actual / theoretical")
    both[1].set_xlabel("σ of rows and columns (log-normal)")
    both[1].legend(fontsize="small", ncols=2)
    return figure


def _queue(results: Results) -> Any:
    """Load balance by depth of the queues."""
    figure, both = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for axes, pattern in zip(both, SWEPT, strict=True):
        _lines(axes, results, "queue", pattern, lambda row, _: row.load_balance)
        _places(axes, ["none", *DEPTHS[1:]], DEPTHS.index(QUEUE_DEPTH))
        axes.set_xlabel("activations that a queue holds (dotted: the paper's choice)")
        axes.set_title(f"{pattern} patterns, 64 PEs")
    both[0].set_ylabel("load balance")
    both[0].legend(fontsize="small", ncols=2)
    return figure


def _width(results: Results) -> Any:
    """Reads, and energy by the model of its cost."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    figures, papers = Figures(results), WIDTHS.index(64)
    for name, color in zip(_NAMES, _COLORS, strict=False):
        reads = np.array(list(figures.reads(layer=name).values()))
        left.plot(reads / reads[papers], "o-", color=color, label=name)
    left.set_title("words read, 64 bits = 1")
    left.legend(fontsize="small", ncols=2)
    for cost in (16, 64, 128, 256, 1024):
        energy = np.array([reads * (cost + width) for width, reads in figures.reads().items()])
        right.plot(energy / energy[papers], "o-", label=f"a = {cost}")
    right.set_title("sum of the layers: reads x (a + width), 64 bits = 1")
    right.set_ylim(0.5, 3)
    right.legend(fontsize="small")
    for axes in (left, right):
        _places(axes, WIDTHS, papers)
        axes.set_xlabel("bits of a word (dotted: the paper's choice)")
    return figure


def _pes(results: Results) -> Any:
    """Speed-up, load balance and padding by the number of PEs."""
    figure, axes = plt.subplots(2, 3, figsize=(12, 7), layout="constrained")
    quantities: dict[str, Callable[[Any, Any], float]] = {
        "speed-up over one PE": lambda row, first: first.cycles / row.cycles,
        "load balance": lambda row, _: row.load_balance,
        "padding entries / weights": lambda row, _: row.padding,
    }
    for line, pattern in zip(axes, SWEPT, strict=True):
        for one, (title, value) in zip(line, quantities.items(), strict=True):
            _lines(one, results, "pes", pattern, value)
            _places(one, PE_COUNTS)
            one.set_title(f"{title}, {pattern}")
            one.set_xlabel("PEs")
        line[0].set_yscale("log", base=2)
        line[0].plot(PE_COUNTS, color="gray", linestyle=":")
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


def _roofline(results: Results) -> Any:
    """Attainable operations a second over operations for each activation."""
    figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
    across = np.geomspace(50, 5000, 200)
    for first, color in zip(results.rows("roofline", layer=_NAMES[0]), _COLORS, strict=False):
        of_board = results.rows("roofline", board=first.board)
        roof = np.minimum(first.peak_gops, across * first.clock_mhz / 1000)
        axes.plot(across, roof, color=color, label=first.board)
        axes.plot([r.intensity for r in of_board], [r.gops for r in of_board], "o", color=color)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("operations for each activation broadcast")
    axes.set_ylabel("10⁹ operations a second, bound")
    axes.set_title("Bounds at starting clocks; PEs by the uncalibrated middle of the LUT estimate")
    axes.legend()
    return figure


def _bars(axes: Any, bars: Mapping[str, Sequence[float]], step: float, colors: Any) -> None:
    """A group of bars for each layer, `step` apart."""
    for number, ((label, values), color) in enumerate(zip(bars.items(), colors, strict=False)):
        places = np.arange(len(LAYERS)) + step * (number - (len(bars) - 1) / 2)
        axes.bar(places, values, step, label=label, color=color)
    axes.set_xticks(range(len(LAYERS)), _NAMES)


def _lines(
    axes: Any, results: Results, part: str, pattern: str, value: Callable[[Any, Any], float]
) -> None:
    """One line a layer over what was swept; `value` gets a row and the first one of its line."""
    for name, color in zip(_NAMES, _COLORS, strict=False):
        rows = results.rows(part, layer=name, pattern=pattern)
        values = [value(row, rows[0]) for row in rows]
        axes.plot(values, "o-", color=color, markersize=4, label=name)


def _places(axes: Any, labels: Sequence[object], papers: int | None = None) -> None:
    """Label what was swept, and mark the paper's choice."""
    axes.set_xticks(range(len(labels)), [str(label) for label in labels])
    if papers is not None:
        axes.axvline(papers, color="gray", linestyle=":", linewidth=1)


#: Plots by name: the parts that they show, and how they are drawn.
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
