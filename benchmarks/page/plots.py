"""The plots of the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from benchmarks.measure.paper_array import SWEPT
from benchmarks.page.frames import PAPER, PLATFORMS, frames, grid, times_here
from benchmarks.paper.layers import QUEUE_DEPTH
from benchmarks.results import Results

matplotlib.use("Agg")  # draws without a screen
import matplotlib.pyplot as plt

_COLORS = plt.get_cmap("tab10").colors
_DOTTED = "(dotted: the paper's choice)"
Parts = Mapping[str, pd.DataFrame]


def draw_all(results: Results, folder: Path) -> None:
    """Draw every plot whose parts have been run, as ``evaluation-NAME.png`` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = frames(results)
    for name, (needed, draw) in PLOTS.items():
        if needed <= parts.keys():
            figure = draw(parts)
            figure.savefig(folder / f"evaluation-{name}.png", dpi=80)
            plt.close(figure)


def _layers(parts: Parts) -> Any:
    """Theoretical and actual times of model and paper."""
    figure, axes = plt.subplots(figsize=(10, 4.2), layout="constrained")
    ours, bars = _uniform(parts), pd.DataFrame(index=PAPER.index)
    for whose, times in (("model", ours), ("paper", PAPER)):
        bars[f"{whose}: theoretical"] = times.theoretical_us
        bars[f"{whose}: actual"] = times.actual_us
    colors = [("tab:blue", 0.45), "tab:blue", ("tab:orange", 0.45), "tab:orange"]
    _bars(axes, bars, 0.2, colors)
    axes.set(ylabel="µs a vector", title="64 PEs at 800 MHz, uniform random patterns")
    axes.legend()
    return figure


def _speedup(parts: Parts) -> Any:
    """Speed-ups of the model over processors and GPUs."""
    figure, axes = plt.subplots(figsize=(10, 4.6), layout="constrained")
    here = times_here(parts["cpu"]).add_prefix("this CPU, ")
    times = pd.concat([here, PLATFORMS.add_prefix("paper's ")], axis=1)
    bars = times.div(_uniform(parts).actual_us, axis=0)
    _bars(axes, bars, 0.85 / bars.shape[1], plt.get_cmap("tab20").colors)
    axes.set(yscale="log", ylabel="time / modelled time")
    axes.set_title("Speed-up of the modelled array (64 PEs, 800 MHz), per vector")
    axes.axhline(1, color="black", linewidth=0.8)
    axes.legend(ncols=3, fontsize="small", loc="upper right")
    axes.set_ylim(top=axes.get_ylim()[1] * 8)
    return figure


def _skew(parts: Parts) -> Any:
    """Actual over theoretical time by skew."""
    figure, both = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    titles = {"natural": "paper's machine", "balanced": "rows dealt by work, queues of 32"}
    for axes, (dealt, title) in zip(both, titles.items(), strict=True):
        ratios = grid(parts["skew"][parts["skew"].assignment == dealt], "sigma", "ratio")
        axes.plot(ratios.columns, ratios.T, "o-", label=list(ratios.index))
        axes.set(title=title, xlabel="σ of rows and columns (log-normal); triangles: paper")
    for papers, color in zip(PAPER.ratio, _COLORS, strict=False):
        both[0].plot([1.08], [papers], "<", color=color)
    both[0].set_ylabel("actual / theoretical")
    both[1].set_xlabel("σ of rows and columns (log-normal)")
    both[1].legend(fontsize="small", ncols=2)
    return figure


def _queue(parts: Parts) -> Any:
    """Load balance by depth of the queues."""
    figure, both = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for axes, pattern in zip(both, SWEPT, strict=True):
        balance = grid(parts["queue"].query("pattern == @pattern"), "depth", "balance")
        _lines(axes, balance.rename(columns={0: "none"}), QUEUE_DEPTH)
        axes.set(
            title=f"{pattern} patterns, 64 PEs", xlabel=f"activations that a queue holds {_DOTTED}"
        )
    both[0].set_ylabel("load balance")
    both[0].legend(fontsize="small", ncols=2)
    return figure


def _width(parts: Parts) -> Any:
    """Reads, and energy by the model of its cost."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    reads = grid(parts["width"], "width", "reads")
    costs = (16, 64, 128, 256, 1024)
    energy = {f"a = {cost}": reads.sum() * (reads.columns + cost) for cost in costs}
    for axes, values in ((left, reads), (right, pd.DataFrame(energy).T)):
        _lines(axes, values.div(values[64], axis=0), 64)
        axes.set_xlabel(f"bits of a word {_DOTTED}")
    left.set_title("words read, 64 bits = 1")
    left.legend(fontsize="small", ncols=2)
    right.set(title="sum of the layers: reads x (a + width), 64 bits = 1", ylim=(0.5, 3))
    right.legend(fontsize="small")
    return figure


def _pes(parts: Parts) -> Any:
    """Speed-up, load balance and padding by the number of PEs."""
    figure, axes = plt.subplots(2, 3, figsize=(12, 7), layout="constrained")
    titles = ("speed-up over one PE", "load balance", "padding entries / weights")
    for line, pattern in zip(axes, SWEPT, strict=True):
        columns = zip(line, ("speedup", "balance", "padding"), titles, strict=True)
        for one, column, title in columns:
            values = grid(parts["pes"].query("pattern == @pattern"), "pes", column)
            _lines(one, values)
            one.set(title=f"{title}, {pattern}", xlabel="PEs")
        line[0].set_yscale("log", base=2)
        line[0].plot(values.columns.to_numpy(), color="gray", linestyle=":")
    axes[0, 0].legend(fontsize="small", ncols=2)
    return figure


def _precision(parts: Parts) -> Any:
    """Accuracy by precision."""
    figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    bars = axes.bar(parts["precision"].precision, 100 * parts["precision"].accuracy)
    axes.bar_label(bars, fmt="%.1f", fontsize="small")
    axes.set(ylim=(0, 110), ylabel="% of test digits right", title="Digits network (not AlexNet)")
    axes.tick_params(axis="x", labelrotation=20)
    return figure


def _roofline(parts: Parts) -> Any:
    """Attainable operations a second over operations for each activation."""
    figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
    across = np.geomspace(50, 5000, 200)
    boards = parts["roofline"].groupby("board", sort=False)
    for (board, rows), color in zip(boards, _COLORS, strict=False):
        roof = np.minimum(rows.peak_gops.iloc[0], across * rows.clock_mhz.iloc[0] / 1000)
        axes.plot(across, roof, color=color, label=board)
        axes.plot(rows.intensity, rows.gops, "o", color=color)
    axes.set(xscale="log", xlabel="operations for each activation broadcast")
    axes.set(yscale="log", ylabel="10⁹ operations a second, bound")
    axes.set_title("Bounds at starting clocks; PEs by the uncalibrated middle of the LUT estimate")
    axes.legend()
    return figure


def _uniform(parts: Parts) -> pd.DataFrame:
    """Rows of the layers at the paper's densities, first seed, uniform pattern."""
    return parts["layers"].query("own_density and seed == 0 and pattern == 'uniform'")


def _bars(axes: Any, bars: pd.DataFrame, step: float, colors: Any) -> None:
    """A group of bars for each layer, `step` apart."""
    for number, (label, color) in enumerate(zip(bars, colors, strict=False)):
        places = np.arange(len(bars)) + step * (number - (bars.shape[1] - 1) / 2)
        axes.bar(places, bars[label], step, label=label, color=color)
    axes.set_xticks(range(len(bars)), bars.index)


def _lines(axes: Any, values: pd.DataFrame, papers: object = None) -> None:
    """One line for each row over what was swept; the paper's choice is dotted."""
    axes.plot(values.T.to_numpy(), "o-", markersize=4, label=list(values.index))
    axes.set_xticks(range(values.shape[1]), [str(column) for column in values])
    if papers is not None:
        axes.axvline(values.columns.get_loc(papers), color="gray", linestyle=":", linewidth=1)


#: Plots by name: the parts that they show, and how they are drawn.
PLOTS: dict[str, tuple[set[str], Any]] = {
    "layers": ({"layers"}, _layers),
    "skew": ({"skew"}, _skew),
    "speedup": ({"layers", "cpu"}, _speedup),
    "queue": ({"queue"}, _queue),
    "width": ({"width"}, _width),
    "pes": ({"pes"}, _pes),
    "precision": ({"precision"}, _precision),
    "roofline": ({"roofline"}, _roofline),
}
