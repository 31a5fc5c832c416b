"""Figures of the page and its plots that are more than a field of a row."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, geometric_mean
from typing import Any

from benchmarks.measure.cpu import CpuRow
from benchmarks.measure.driver_call import ALONE
from benchmarks.measure.nine_layers import LayerRow
from benchmarks.measure.sweeps import SIGMAS, WIDTHS
from benchmarks.paper.layers import LAYERS, PaperLayer
from benchmarks.paper.patterns import PATTERNS
from benchmarks.results import Results
from eie.hls.model.energy import PLATFORM_WATTS

#: Parts whose times depend on what else runs.
_MEASURED = ("cpu", "speed", "build", "host")
_BY_NAME = {layer.name: layer for layer in LAYERS}
#: The paper's platforms, one vector: title and microseconds by layer.
PAPER_TIMES: Mapping[str, Mapping[str, float]] = {
    title: {layer.name: getattr(layer, field) for layer in LAYERS}
    for title, field in (
        ("CPU, dense", "cpu_dense_us"),
        ("CPU, sparse", "cpu_sparse_us"),
        ("GPU, dense", "gpu_dense_us"),
        ("GPU, sparse", "gpu_sparse_us"),
        ("mobile GPU, dense", "mobile_gpu_dense_us"),
    )
}
#: The paper's times of EIE, microseconds by layer.
EIE_TIMES = {layer.name: layer.actual_us for layer in LAYERS}


def percent(share: float, digits: int = 0) -> str:
    """Show a share of 0 to 1."""
    return f"{100 * share:.{digits}f} %"


def short(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def into(value: object, text: str) -> str:
    """Put a value into a text with a place for it."""
    return text.format(value)


def tr(*cells: object) -> str:
    """A row of a table in Markdown; a list, or whatever else is gone through, is many cells."""
    flat: list[object] = []
    for cell in cells:
        if isinstance(cell, str) or not isinstance(cell, Iterable):
            flat.append(cell)
        else:
            flat += cell
    return f"| {' | '.join(map(str, flat))} |"


def speedup(times: Mapping[str, float], base: Mapping[str, float]) -> float:
    """Geometric mean over the layers of a time over another one."""
    return geometric_mean(times[name] / base[name] for name in base)


#: What the template formats with; ``f`` takes a format specification.
FILTERS = {
    "f": format,
    "into": into,
    "percent": percent,
    "short": short,
    "mean": fmean,
    "geometric_mean": geometric_mean,
}


def quotients(
    above: Sequence[Any], attribute: str, below: Sequence[Any] | str, other: str = ""
) -> list[float]:
    """Divide fields of rows, one by one.

    Parameters
    ----------
    above, attribute
        Rows, and the field that is divided.
    below, other
        Rows in the same order, and the field of theirs that it is divided by, if it is not the
        same one; or the name of another field of the same rows.
    """
    if isinstance(below, str):
        below, other = above, below
    other = other or attribute
    return [getattr(a, attribute) / getattr(b, other) for a, b in zip(above, below, strict=True)]


def read_cost_bounds(reads: Mapping[int, int]) -> tuple[float, float]:
    """Fixed costs of a read, in bits, between which 64 bits takes the least energy.

    A read of w bits is taken to cost ``a + w``; energy is ``reads * (a + w)``.
    """

    def equal_at(narrow: int, wide: int) -> float:
        """The cost at which two widths take the same energy; above it the wide one is better."""
        saved = reads[narrow] - reads[wide]
        return (wide * reads[wide] - narrow * reads[narrow]) / saved if saved else math.inf

    return (
        max(equal_at(width, 64) for width in reads if width < 64),
        min(equal_at(64, width) for width in reads if width > 64),
    )


class Figures:
    """What is worked out from results."""

    def __init__(self, results: Results) -> None:
        self._results = results

    def environments(self) -> list[str]:
        """The machines that parts ran on."""
        machines = [part.environment for part in self._results.parts.values()]
        return sorted({f"{e.processor}, {e.cores} cores, {e.versions}" for e in machines})

    def loads(self) -> list[str]:
        """Load when each part began whose times depend on it."""
        parts = self._results.parts.items()
        return [f"{part.environment.load:.1f} ({name})" for name, part in parts if name in _MEASURED]

    def layer(self, name: str, pattern: str = "uniform") -> LayerRow:
        """The row of a layer at the density that the paper gives, first seed."""
        density = _BY_NAME[name].weight_density
        row: LayerRow = self._results.row(
            "layers", layer=name, pattern=pattern, seed=0, weight_density=density
        )
        return row

    def layers(self, pattern: str = "uniform") -> list[LayerRow]:
        """These rows of all layers."""
        return [self.layer(name, pattern) for name in _BY_NAME]

    def by_pattern(self, name: str) -> list[LayerRow]:
        """These rows of one layer, a pattern each."""
        return [self.layer(name, pattern) for pattern in PATTERNS]

    def seeds_differ_by(self) -> float:
        """Largest relative difference of a layer's cycles between seeds."""
        spreads = []
        for layer in LAYERS:
            wanted = {"layer": layer.name, "weight_density": layer.weight_density}
            rows = self._results.rows("layers", pattern="uniform", **wanted)
            spreads.append(max(row.cycles for row in rows) / min(row.cycles for row in rows) - 1)
        return max(spreads)

    def rounded(self, layer: PaperLayer) -> tuple[float, float]:
        """Theoretical times at the ends of what the paper's rounded density may stand for."""
        rows = self._results.rows("layers", layer=layer.name)
        other = [row for row in rows if row.weight_density != layer.weight_density]
        times = [row.theoretical_us for row in other]
        return min(times), max(times)

    def rounding_residue(self, layer: PaperLayer) -> float:
        """Share by which the paper's theoretical time is outside of what rounding allows."""
        low, high = self.rounded(layer)
        # The paper rounds its times to a tenth of a microsecond.
        if layer.theoretical_us - 0.05 > high:
            return layer.theoretical_us / high - 1
        if layer.theoretical_us + 0.05 < low:
            return layer.theoretical_us / low - 1
        return 0.0

    def skews(self, assignment: str) -> list[float]:
        """Geometric means over the layers of actual over theoretical time, by σ."""
        rows = self._results.rows("skew", assignment=assignment)
        return [
            geometric_mean(row.actual_over_theoretical for row in rows if row.sigma == sigma)
            for sigma in SIGMAS
        ]

    def matching_sigma(self) -> tuple[float, float] | None:
        """Between which of the swept skews the mean ratio is the paper's."""
        paper = geometric_mean(layer.actual_over_theoretical for layer in LAYERS)
        found = zip(SIGMAS, self.skews("natural"), strict=True)
        for (low, least), (high, most) in itertools.pairwise(found):
            if least <= paper <= most:
                return low, high
        return None

    def fastest(self, layer: str, batch: int, *contenders: str) -> CpuRow:
        """The fastest of some ways on this machine's processor, whatever the threads."""
        rows: Sequence[CpuRow] = self._results.rows("cpu", layer=layer, batch=batch)
        return min((r for r in rows if r.contender in contenders), key=lambda row: row.median_us)

    def times_here(self) -> dict[str, dict[str, float]]:
        """Microseconds of a vector on this processor, by title and layer."""
        ways = {"dense": ("torch dense",), "sparse": ("torch CSR", "scipy CSR")}
        return {
            f"{way}, batch {batch}": {
                name: self.fastest(name, batch, *contenders).us_per_vector for name in _BY_NAME
            }
            for batch in (1, 64)
            for way, contenders in ways.items()
        }

    def modelled_times(self) -> dict[str, float]:
        """Microseconds of a vector on the modelled array, by layer."""
        return {row.layer: row.actual_us for row in self.layers()}

    def reads(self, **wanted: str) -> dict[int, int]:
        """Words read by width, of one layer or of all."""
        return {
            width: sum(row.reads for row in self._results.rows("width", width=width, **wanted))
            for width in WIDTHS
        }

    def read_cost_bounds(self, **wanted: str) -> tuple[float, float]:
        """Between which costs of a read 64 bits is best, for one layer or for all."""
        return read_cost_bounds(self.reads(**wanted))

    def energy_saving(self, field: str) -> float:
        """Geometric mean of the CPU's energy over that in a field of the rows."""
        return geometric_mean(
            PLATFORM_WATTS["CPU"]
            * layer.cpu_dense_us
            / getattr(self._results.row("energy", layer=layer.name), field)
            for layer in LAYERS
        )

    def whose_time(self) -> dict[str, tuple[float, float]]:
        """Microseconds of a call by side, in the call and alone; and of some together."""
        best = {row.what: row.best_us for row in self._results.rows("host", group="call")}
        times = {
            side: (best[side], sum(best[f"alone: {part}"] for part in parts))
            for side, parts in ALONE.items()
        }
        for together, sides in {"own": ("eie", "pynq"), "all": tuple(ALONE)}.items():
            clocked, alone = (sum(times[side][way] for side in sides) for way in (0, 1))
            times[together] = clocked, alone
        return times
