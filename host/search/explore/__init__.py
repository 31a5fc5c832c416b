"""Design-space exploration: many designs of a network side by side, in parallel."""

from eie.host.search.explore.exploration import Exploration, explore
from eie.host.search.explore.grid import Grid, Point, parse_values
from eie.host.search.explore.pareto import pareto_front
from eie.host.search.explore.pick import pick
from eie.host.search.explore.result import PointResult

__all__ = [
    "Exploration",
    "Grid",
    "Point",
    "PointResult",
    "explore",
    "pareto_front",
    "parse_values",
    "pick",
]
