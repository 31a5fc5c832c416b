"""The picture of a compressed network on the accelerator: weights kept, load, cycles."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib
import numpy as np

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.text import counted
from eie.hls.spec.counters import Counters
from eie.host.packing.packed_network import PackedNetwork
from eie.host.run.report import RunReport

matplotlib.use("Agg")  # draws without a screen
import matplotlib.pyplot as plt

__all__ = ["draw"]

#: Numbers under the PEs, at most.
_MOST_LABELS = 16


def draw(packed: PackedNetwork, counters: Counters, report: RunReport, path: Path) -> None:
    """Draw weights kept, load per PE and cycles, a vector on average, to a PNG."""
    layers = packed.network.layers
    figure = plt.figure(figsize=(11, 7.2), layout="constrained")
    grid = figure.add_gridspec(2, 2 * len(layers), height_ratios=(1.15, 1))
    for number, layer in enumerate(layers):
        axes = figure.add_subplot(grid[0, 2 * number : 2 * number + 2])
        weights = np.ma.masked_equal(layer.dense_weights() * 2.0**-layer.weight_frac, 0)
        limit = float(np.abs(weights).max()) if layer.nonzeros else 1.0
        image = axes.imshow(
            weights,
            cmap="coolwarm",
            vmin=-limit,
            vmax=limit,
            aspect="auto",
            interpolation="nearest",  # a smoothed picture of a sparse matrix looks dense
        )
        axes.set_facecolor("white")
        axes.set_title(f"layer {layer.name!r}: {100 * layer.density:.0f} % of weights kept")
        axes.set_xlabel(f"{layer.columns} inputs")
        axes.set_ylabel(f"{layer.rows} outputs")
        figure.colorbar(image, ax=axes, shrink=0.8)

    pes = np.arange(packed.design.pes)
    axes = figure.add_subplot(grid[1, : len(layers)])
    busy, starved = counters.busy / report.vectors, counters.starved / report.vectors
    axes.bar(pes, busy, label="busy", color="tab:blue")
    axes.bar(pes, starved, bottom=busy, label="starved", color="tab:orange", alpha=0.6)
    axes.axhline(busy.mean(), color="black", linewidth=1, linestyle="--", label="mean busy")
    axes.set_title("Load per PE")
    axes.set_xlabel("PE")
    axes.set_xticks(pes[:: -(-len(pes) // _MOST_LABELS)])
    axes.set_ylabel("cycles a vector")
    axes.set_ylim(0, 1.35 * float((busy + starved).max()))
    axes.legend(loc="upper right", ncols=3, fontsize="small")

    axes = figure.add_subplot(grid[1, len(layers) :])
    # Layers of several vectors are under way at once: cycles are told of all together.
    places = np.arange(len(report.layers) + 1)
    work = [layer.ideal_cycles / report.vectors for layer in report.layers]
    ideal = np.array([*work, sum(work)])
    cycles = report.total_cycles / report.vectors
    axes.bar(places - 0.2, ideal, 0.4, label="ideal: weights met / PEs", color="tab:green")
    axes.bar(places[-1] + 0.2, cycles, 0.4, label="cycles of the kernel", color="tab:blue")
    for place, count in (*zip(places - 0.2, ideal, strict=True), (places[-1] + 0.2, cycles)):
        axes.text(place, count, f"{count:.0f}", ha="center", va="bottom", fontsize="small")
    axes.set_xticks(
        places,
        [*(f"{each.name!r}: {each.columns} → {each.rows}" for each in report.layers), "together"],
        fontsize="small",
    )
    axes.set_ylim(0, 1.3 * max(cycles, ideal[-1]))
    axes.set_xlabel("layer, as the model names it")
    axes.set_title(f"Cycles on {counted(packed.design.pes, 'PE')}")
    axes.set_ylabel("cycles a vector")
    axes.legend(loc="upper left", fontsize="small")
    picture = io.BytesIO()
    figure.savefig(picture, dpi=90, format="png")
    write_whole(path, picture.getbuffer())
    plt.close(figure)
