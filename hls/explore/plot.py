"""A picture of an exploration: latency over the share of the board that a design takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eie.hls.design import NO_BOARD
from eie.hls.explore.result import PointResult
from eie.host.errors import ToolError
from eie.host.whole_file import whole_file

__all__ = ["draw"]


def draw(results: Sequence[PointResult], front: Sequence[PointResult], path: Path) -> None:
    """Draw all designs that fit, and the front through the best of each board.

    Raises
    ------
    ToolError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ToolError("the plot needs matplotlib: pip install 'eie[explore]'") from error
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    boards = list(dict.fromkeys(result.board for result in results if result.fits))
    for number, board in enumerate(boards):
        color = f"C{number % 10}"
        fitting = [each for each in results if each.fits and each.board == board]
        axes.scatter(
            [_across(each) for each in fitting],
            [each.latency_us for each in fitting],
            s=6,
            alpha=0.3,
            color=color,
        )
        best = [each for each in front if each.board == board]
        axes.plot(
            [_across(each) for each in best],
            [each.latency_us for each in best],
            "o-",
            color=color,
            label=board,
        )
    axes.set_yscale("log")
    shares = "largest share of one of the board's resources, % (LUTs uncalibrated)"
    axes.set_xlabel("Mbit of memory" if boards == [NO_BOARD] else shares)
    axes.set_ylabel("µs a vector by the cycle model, at a clock that is a target")
    if boards:
        axes.legend()
    with whole_file(path) as partial:
        figure.savefig(partial, dpi=100, format="png")


def _across(result: PointResult) -> float:
    return result.memory_bits / 1e6 if result.board == NO_BOARD else 100 * result.share
