"""The plots of the page."""

from __future__ import annotations

import io
import itertools
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
from eie.hls.boundary.atomic import write_whole

matplotlib.use("Agg")  # draws without a screen
import matplotlib.pyplot as plt

_COLORS = plt.get_cmap("tab10").colors
_UNIFORM = "own_density and seed == 0 and pattern == 'uniform'"
_DOTTED = "(dotted: the paper's choice)"
Parts = Mapping[str, pd.DataFrame]


def draw_all(results: Results, folder: Path) -> None:
    """Draw every plot whose parts have been run, as ``evaluation-NAME.png`` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = frames(results)
    for name, (needed, draw, size, grid_of, shared) in PLOTS.items():
        if needed <= parts.keys():
            figure, axes = plt.subplots(
                *grid_of, figsize=size, sharey=shared, squeeze=False, layout="constrained"
            )
            draw(parts, *axes.flat)
            figure.savefig(picture := io.BytesIO(), dpi=80, format="png")
            write_whole(folder / f"evaluation-{name}.png", picture.getbuffer())
            plt.close(figure)


def _layers(parts: Parts, axes: Any) -> None:
    """Theoretical and actual times of model and paper."""
    bars = pd.DataFrame(index=PAPER.index)
    for whose, times in (("model", parts["layers"].query(_UNIFORM)), ("paper", PAPER)):
        bars[f"{whose}: theoretical"] = times.theoretical_us
        bars[f"{whose}: actual"] = times.actual_us
    _bars(axes, bars, 0.2, [("tab:blue", 0.45), "tab:blue", ("tab:orange", 0.45), "tab:orange"])
    axes.set(ylabel="µs a vector", title="64 PEs at 800 MHz, uniform random patterns")
    axes.legend()


def _speedup(parts: Parts, axes: Any) -> None:
    """Speed-ups of the model over processors and GPUs."""
    here = times_here(parts["cpu"]).add_prefix("this CPU, ")
    times = pd.concat([here, PLATFORMS.add_prefix("paper's ")], axis=1)
    bars = times.div(parts["layers"].query(_UNIFORM).actual_us, axis=0)
    _bars(axes, bars, 0.85 / bars.shape[1], plt.get_cmap("tab20").colors)
    axes.set(yscale="log", ylabel="time / modelled time")
    axes.set_title("Speed-up of the modelled array (64 PEs, 800 MHz), per vector")
    axes.axhline(1, color="black", linewidth=0.8)
    axes.legend(ncols=3, fontsize="small", loc="upper right")
    axes.set_ylim(top=axes.get_ylim()[1] * 8)


def _skew(parts: Parts, left: Any, right: Any) -> None:
    """Actual over theoretical time by skew."""
    for axes, dealt in ((left, "natural"), (right, "balanced")):
        ratios = grid(parts["skew"][parts["skew"].assignment == dealt], "sigma", "ratio")
        axes.plot(ratios.columns, ratios.T, "o-", label=list(ratios.index))
    for papers, color in zip(PAPER.ratio, _COLORS, strict=False):
        left.plot([1.08], [papers], "<", color=color)
    across = "σ of rows and columns (log-normal)"
    left.set(title="paper's machine", xlabel=f"{across}; triangles: paper")
    left.set_ylabel("actual / theoretical")
    right.set(title="rows dealt by work, queues of 32", xlabel=across)
    right.legend(fontsize="small", ncols=2)


def _queue(parts: Parts, *both: Any) -> None:
    """Load balance by depth of the queues."""
    for axes, pattern in zip(both, SWEPT, strict=True):
        balance = grid(parts["queue"].query("pattern == @pattern"), "depth", "balance")
        _lines(axes, balance.rename(columns={0: "none"}), QUEUE_DEPTH)
        axes.set(title=f"{pattern} patterns, 64 PEs")
        axes.set_xlabel(f"activations that a queue holds {_DOTTED}")
    both[0].set_ylabel("load balance")
    both[0].legend(fontsize="small", ncols=2)


def _width(parts: Parts, left: Any, right: Any) -> None:
    """Reads, and energy by the model of its cost."""
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


def _pes(parts: Parts, *axes: Any) -> None:
    """Speed-up, load balance and padding by the number of PEs."""
    titles = {"speedup": "speed-up over one PE", "balance": "load balance"}
    titles["padding"] = "padding entries / weights"
    cases = itertools.product(SWEPT, titles.items())
    for one, (pattern, (column, title)) in zip(axes, cases, strict=True):
        values = grid(parts["pes"].query("pattern == @pattern"), "pes", column)
        _lines(one, values)
        one.set(title=f"{title}, {pattern}", xlabel="PEs")
        if column == "speedup":
            one.set_yscale("log", base=2)
            one.plot(values.columns.to_numpy(), color="gray", linestyle=":")
    axes[0].legend(fontsize="small", ncols=2)


def _precision(parts: Parts, axes: Any) -> None:
    """Accuracy by precision."""
    bars = axes.bar(parts["precision"].precision, 100 * parts["precision"].accuracy)
    axes.bar_label(bars, fmt="%.1f", fontsize="small")
    axes.set(ylim=(0, 110), ylabel="% of test digits right", title="Digits network (not AlexNet)")
    axes.tick_params(axis="x", labelrotation=20)


def _roofline(parts: Parts, axes: Any) -> None:
    """Attainable operations a second over operations for each activation."""
    across = np.geomspace(50, 5000, 200)
    boards = parts["roofline"].groupby("board", sort=False)
    for (board, rows), color in zip(boards, _COLORS, strict=False):
        roof = np.minimum(rows.peak_gops.iloc[0], across * rows.clock_mhz.iloc[0] / 1000)
        axes.plot(across, roof, color=color, label=board)
        axes.plot(rows.intensity, rows.gops, "o", color=color)
    axes.set(xscale="log", xlabel="operations for each activation broadcast")
    axes.set(yscale="log", ylabel="10⁹ operations a second, bound")
    axes.set_title("Bounds at starting clocks; PEs by the LUTs that are expected")
    axes.legend()


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


#: Plots by name: the parts that they show, how they are drawn, size, rows and columns of axes, and
#: whether these have one scale.
PLOTS: Mapping[str, tuple[set[str], Any, tuple[float, float], tuple[int, int], bool]] = {
    "layers": ({"layers"}, _layers, (10, 4.2), (1, 1), False),
    "skew": ({"skew"}, _skew, (10, 4), (1, 2), True),
    "speedup": ({"layers", "cpu"}, _speedup, (10, 4.6), (1, 1), False),
    "queue": ({"queue"}, _queue, (10, 4), (1, 2), True),
    "width": ({"width"}, _width, (10, 4), (1, 2), False),
    "pes": ({"pes"}, _pes, (12, 7), (2, 3), False),
    "precision": ({"precision"}, _precision, (8, 3.4), (1, 1), False),
    "roofline": ({"roofline"}, _roofline, (9, 5), (1, 1), False),
}
