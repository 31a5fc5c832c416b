"""Design-space exploration: many designs of a network side by side, in parallel."""

from eie.hls.explore.exploration import Exploration, explore
from eie.hls.explore.grid import Grid, Point, parse_values
from eie.hls.explore.pareto import pareto_front
from eie.hls.explore.result import PointResult

__all__ = [
    "Exploration",
    "Grid",
    "Point",
    "PointResult",
    "explore",
    "pareto_front",
    "parse_values",
]
