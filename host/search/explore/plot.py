"""A picture of an exploration: latency over the share of the board that a design takes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import ToolError
from eie.hls.boundary.installation import how_to_install
from eie.hls.boundary.text import counted
from eie.hls.spec.design import NO_BOARD
from eie.host.search.explore.result import PointResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

__all__ = ["draw"]

#: Share of an axis beside the largest design, for its label.
_ROOM = 0.25


def draw(results: Sequence[PointResult], front: Sequence[PointResult], path: Path) -> None:
    """Draw all designs that fit, and the front through the best of each board.

    Each design of the front says its PEs, bits of a zero run, depth of queues and memory, unless
    the words would lie on those of a faster one; ``pareto.txt`` has them all.

    Designs without a board have a panel of their own: bits of memory are no share of anything.

    Raises
    ------
    ToolError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ToolError(f"the plot needs matplotlib: {how_to_install('explore')}") from error
    boards = list(dict.fromkeys(result.board for result in results if result.fits))
    colors = {board: f"C{number % 10}" for number, board in enumerate(boards)}
    panels = [[b for b in boards if b != NO_BOARD], [b for b in boards if b == NO_BOARD]]
    panels = [panel for panel in panels if panel] or [[]]
    figure = Figure(figsize=(8 * len(panels), 5), layout="constrained")
    FigureCanvasAgg(figure)
    labels: list[Annotation] = []
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for board in panel:
            fitting = [each for each in results if each.fits]
            labels += _draw_board(axes, fitting, front, board, colors[board])
        axes.set_yscale("log")
        shares = "largest share of one of the board's resources, % (LUTs estimated)"
        axes.set_xlabel("Mbit of memory" if panel == [NO_BOARD] else shares)
        axes.set_ylabel("µs a vector by the cycle model, with stages, at a clock that is a target")
        if panel:
            axes.legend()
            left, right = axes.get_xlim()
            axes.set_xlim(left, right + _ROOM * (right - left))
    figure.draw_without_rendering()  # only now are the places of words known
    _thin_out(labels)
    picture = io.BytesIO()
    figure.savefig(picture, dpi=100, format="png")
    write_whole(path, picture.getbuffer())


def _draw_board(
    axes: Axes,
    fitting: Sequence[PointResult],
    front: Sequence[PointResult],
    board: str,
    color: str,
) -> list[Annotation]:
    """Draw the designs of a board; gives the labels of its front, the fastest first."""
    every = [each for each in fitting if each.board == board]
    best = [each for each in front if each.board == board]
    axes.scatter(
        [_across(each) for each in every],
        [each.latency_us for each in every],
        s=6,
        alpha=0.3,
        color=color,
    )
    axes.plot(
        [_across(each) for each in best],
        [each.latency_us for each in best],
        "o-",
        color=color,
        label=board,
    )
    return [
        axes.annotate(
            _label(each),
            (_across(each), each.latency_us),
            xytext=(6, 3),
            textcoords="offset points",
            fontsize=7,
        )
        for each in best
    ]


def _label(result: PointResult) -> str:
    design = result.design
    pes = counted(design["pes"], "PE")
    abreast = f", {design['abreast']} abreast" if design["abreast"] > 1 else ""
    text = f"{pes}{abreast}, runs {design['index_bits']}, queue {design['queue_depth']}"
    return f"{text}, {design['memory']}"


def _thin_out(labels: Sequence[Annotation]) -> None:
    """Remove labels that lie on one before them."""
    kept: list[Bbox] = []
    for label in labels:
        box = label.get_window_extent()
        if any(box.overlaps(other) for other in kept):
            label.remove()
        else:
            kept.append(box)


def _across(result: PointResult) -> float:
    return result.memory_bits / 1e6 if result.board == NO_BOARD else 100 * result.share
