"""A picture of an exploration: latency over the share of the board that a design takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eie.hls.boundary.atomic import whole_file
from eie.hls.boundary.errors import ToolError
from eie.hls.spec.design import NO_BOARD
from eie.host.search.explore.result import PointResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]


def draw(results: Sequence[PointResult], front: Sequence[PointResult], path: Path) -> None:
    """Draw all designs that fit, and the front through the best of each board.

    Designs without a board have a panel of their own: bits of memory are no share of anything.

    Raises
    ------
    ToolError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ToolError("the plot needs matplotlib: pip install 'eie[explore]'") from error
    boards = list(dict.fromkeys(result.board for result in results if result.fits))
    colors = {board: f"C{number % 10}" for number, board in enumerate(boards)}
    panels = [[b for b in boards if b != NO_BOARD], [b for b in boards if b == NO_BOARD]]
    panels = [panel for panel in panels if panel] or [[]]
    figure = Figure(figsize=(8 * len(panels), 5), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for board in panel:
            _draw_board(axes, [each for each in results if each.fits], front, board, colors[board])
        axes.set_yscale("log")
        shares = "largest share of one of the board's resources, % (LUTs uncalibrated)"
        axes.set_xlabel("Mbit of memory" if panel == [NO_BOARD] else shares)
        axes.set_ylabel("µs a vector by the cycle model, at a clock that is a target")
        if panel:
            axes.legend()
    with whole_file(path) as partial:
        figure.savefig(partial, dpi=100, format="png")


def _draw_board(
    axes: Axes,
    fitting: Sequence[PointResult],
    front: Sequence[PointResult],
    board: str,
    color: str,
) -> None:
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


def _across(result: PointResult) -> float:
    return result.memory_bits / 1e6 if result.board == NO_BOARD else 100 * result.share
