"""The tables of the page, each from the rows of a part."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from benchmarks.digits_net import PrecisionRow, SkewnessRow
from benchmarks.layers import LAYERS, PaperLayer
from benchmarks.paper_table import ROUNDING, LayerRow
from benchmarks.patterns import PATTERNS
from benchmarks.results import Results
from benchmarks.speed import SpeedRow
from benchmarks.sweeps import DEPTHS, PE_COUNTS, SIGMAS, WIDTHS, PesRow, QueueRow, SkewRow, WidthRow

__all__ = [
    "geometric_mean",
    "layer_row",
    "mean",
    "percent",
    "read_cost_bounds",
    "rounding_residue",
    "table",
]

_BY_NAME = {layer.name: layer for layer in LAYERS}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out a Markdown table; all columns but the first are aligned to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def percent(share: float, digits: int = 0) -> str:
    """Show a share of 0 to 1."""
    return f"{100 * share:.{digits}f} %"


def mean(values: Iterable[float]) -> float:
    """Arithmetic mean."""
    numbers = list(values)
    return sum(numbers) / len(numbers)


def geometric_mean(values: Iterable[float]) -> float:
    """Geometric mean, which ratios ask for."""
    return math.exp(mean(math.log(value) for value in values))


def layer_row(results: Results, layer: str, pattern: str = "uniform") -> LayerRow:
    """The row of a layer at the density that the paper gives, first seed."""
    for row in results.rows("layers"):
        found: LayerRow = row
        exact = found.weight_density == _BY_NAME[layer].weight_density
        if (found.layer, found.pattern, found.seed) == (layer, pattern, 0) and exact:
            return found
    raise KeyError(f"{layer}, {pattern}")


def nine_layers(results: Results) -> str:
    """Theoretical and actual times beside table IV."""
    rows = []
    for layer in LAYERS:
        ours = layer_row(results, layer.name)
        rows.append(
            (
                layer.name,
                f"{percent(layer.weight_density)}, {percent(layer.activation_density, 1)}",
                percent(ours.padding, 1),
                f"{ours.entries_met:,}",
                f"{ours.cycles:,}",
                f"{ours.theoretical_us:.1f}",
                f"{layer.theoretical_us}",
                f"{ours.actual_us:.1f}",
                f"{layer.actual_us}",
                f"{ours.actual_us / ours.theoretical_us:.2f}",
                f"{layer.actual_us / layer.theoretical_us:.2f}",
                percent(ours.load_balance, 1),
            )
        )
    head = ["layer", "weights, activations", "padding", "entries met", "cycles"]
    head += ["theoretical µs", "paper", "actual µs", "paper"]
    head += ["actual / theoretical", "paper", "load balance"]
    return table(head, rows)


def theoretical_times(results: Results) -> str:
    """Where the theoretical times come from, and what is left of the difference."""
    rows = []
    for layer in LAYERS:
        ours = layer_row(results, layer.name)
        low, high = _rounded(results, layer)
        rows.append(
            (
                layer.name,
                f"{ours.unpadded_us:.1f}",
                f"{ours.theoretical_us:.1f}",
                f"{low:.1f} to {high:.1f}",
                f"{layer.theoretical_us}",
                _signed(layer.theoretical_us / ours.theoretical_us - 1),
                _signed(rounding_residue(results, layer))
                if rounding_residue(results, layer)
                else "none",
            )
        )
    head = ("layer", "weights met / PEs, µs", "with padding", f"density ± {percent(ROUNDING, 1)}")
    return table((*head, "paper", "paper over ours", "beyond rounding"), rows)


def rounding_residue(results: Results, layer: PaperLayer) -> float:
    """Share by which the paper's theoretical time is outside of what rounded densities allow."""
    low, high = _rounded(results, layer)
    # The paper rounds its times to a tenth of a microsecond.
    if layer.theoretical_us - 0.05 > high:
        return layer.theoretical_us / high - 1
    if layer.theoretical_us + 0.05 < low:
        return layer.theoretical_us / low - 1
    return 0.0


def patterns(results: Results) -> str:
    """Actual over theoretical time, load balance and padding by pattern."""
    rows = []
    for layer in LAYERS:
        by_pattern = [layer_row(results, layer.name, pattern) for pattern in PATTERNS]
        cells = [f"{1 / row.load_balance:.2f}" for row in by_pattern]
        cells += [percent(row.load_balance) for row in by_pattern]
        cells += [percent(row.padding) for row in by_pattern]
        rows.append((layer.name, f"{layer.actual_us / layer.theoretical_us:.2f}", *cells))
    quantities = ("actual / theoretical", "load balance", "padding")
    head = [f"{quantity}: {pattern}" for quantity in quantities for pattern in PATTERNS]
    return table(("layer", "actual / theoretical: paper", *head), rows)


def skew(results: Results) -> str:
    """Actual over theoretical time by skew, rows as they come and dealt out by their work."""
    rows = []
    for layer in LAYERS:
        cells = []
        for assignment in ("natural", "balanced"):
            for sigma in SIGMAS:
                row: SkewRow = next(
                    row
                    for row in results.rows("skew")
                    if (row.layer, row.sigma, row.assignment) == (layer.name, sigma, assignment)
                )
                cells.append(f"{row.actual_over_theoretical:.2f}")
        rows.append((layer.name, f"{layer.actual_us / layer.theoretical_us:.2f}", *cells))
    means = [
        f"{skew_mean(results, sigma, assignment):.2f}"
        for assignment in ("natural", "balanced")
        for sigma in SIGMAS
    ]
    rows.append(("geometric mean", f"{papers_mean_ratio():.2f}", *means))
    columns = [
        f"{what} {sigma:g}" for what in ("as they come, σ", "by work, σ") for sigma in SIGMAS
    ]
    return table(("layer", "paper", *columns), rows)


def skew_mean(results: Results, sigma: float, assignment: str = "natural") -> float:
    """Geometric mean over the layers of actual over theoretical time at one σ."""
    return geometric_mean(
        row.actual_over_theoretical
        for row in results.rows("skew")
        if (row.sigma, row.assignment) == (sigma, assignment)
    )


def papers_mean_ratio() -> float:
    """Geometric mean of the paper's actual over theoretical times."""
    return geometric_mean(layer.actual_us / layer.theoretical_us for layer in LAYERS)


def skewness(results: Results) -> str:
    """How uneven a pruned network is."""
    shown: Sequence[SkewnessRow] = results.rows("skewness")
    rows = [
        (
            f"{row.columns} x {row.rows}",
            percent(row.density),
            f"{row.row_skew:.2f}",
            f"{row.column_skew:.2f}",
        )
        for row in shown
    ]
    return table(("layer of the digits network", "weights", "rows", "columns"), rows)


def kernel(results: Results) -> str:
    """Cycles of the paper's machine and of our kernel."""
    rows = []
    for layer in LAYERS:
        cells = []
        for pattern in PATTERNS:
            row = layer_row(results, layer.name, pattern)
            assert row.kernel_cycles is not None
            cells += [f"{row.cycles:,}", f"{row.kernel_cycles:,}"]
            cells.append(f"{row.cycles / row.kernel_cycles:.2f}")
        rows.append((layer.name, *cells))
    head = [f"{pattern}: {what}" for pattern in PATTERNS for what in ("paper's", "ours", "ratio")]
    return table(("layer", *head), rows)


def queue(results: Results, pattern: str) -> str:
    """Load balance by depth of the queues."""
    rows = []
    for layer in LAYERS:
        found: list[QueueRow] = [
            row
            for row in results.rows("queue")
            if (row.layer, row.pattern) == (layer.name, pattern)
        ]
        by_depth = {row.depth: row for row in found}
        rows.append((layer.name, *(percent(by_depth[depth].load_balance) for depth in DEPTHS)))
    means = [
        mean(
            row.load_balance
            for row in results.rows("queue")
            if (row.depth, row.pattern) == (depth, pattern)
        )
        for depth in DEPTHS
    ]
    rows.append(("mean", *(percent(value) for value in means)))
    return table(("layer", *("none" if depth == 0 else str(depth) for depth in DEPTHS)), rows)


def width(results: Results) -> str:
    """Words read by width, and for which cost of a read 64 bits is best."""
    rows = []
    for layer in LAYERS:
        found: list[WidthRow] = [row for row in results.rows("width") if row.layer == layer.name]
        by_width = {row.width: row for row in found}
        cells = [f"{by_width[w].reads / 1000:.0f} ({percent(by_width[w].used)})" for w in WIDTHS]
        low, high = read_cost_bounds({w: by_width[w].reads for w in WIDTHS})
        rows.append((layer.name, *cells, f"{low:.0f} to {high:.0f}"))
    totals = {w: sum(r.reads for r in results.rows("width") if r.width == w) for w in WIDTHS}
    low, high = read_cost_bounds(totals)
    rows.append(("sum", *(f"{totals[w] / 1000:.0f}" for w in WIDTHS), f"{low:.0f} to {high:.0f}"))
    return table(("layer", *(f"{w} bits" for w in WIDTHS), "64 bits is best for a ="), rows)


def read_cost_bounds(reads: dict[int, int]) -> tuple[float, float]:
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


def pes(results: Results, pattern: str, cell: Callable[[PesRow, PesRow], str]) -> str:
    """A table by number of PEs; `cell` gets the row on one PE and the row itself."""
    rows = []
    for layer in LAYERS:
        found: list[PesRow] = [
            row for row in results.rows("pes") if (row.layer, row.pattern) == (layer.name, pattern)
        ]
        by_count = {row.pes: row for row in found}
        rows.append((layer.name, *(cell(by_count[1], by_count[count]) for count in PE_COUNTS)))
    return table(("layer", *map(str, PE_COUNTS)), rows)


def precision(results: Results) -> str:
    """Accuracy by precision."""
    paper = {"float32, dense": "80.3 %", "16-bit fixed point": "79.8 %"}
    paper["8-bit fixed point"] = "53 %"
    shown: Sequence[PrecisionRow] = results.rows("precision")
    rows = [(r.precision, percent(r.accuracy, 1), paper.get(r.precision, "")) for r in shown]
    return table(("precision", "digits, ours", "AlexNet top-5, paper"), rows)


def speed(results: Results) -> str:
    """The tool's own times."""
    shown: Sequence[SpeedRow] = results.rows("speed")
    rows = [
        (
            row.layer,
            f"{row.weights:,}",
            f"{row.emulator_us / 1000:.2f}",
            f"{row.scipy_us / 1000:.2f}",
            f"{row.emulator_us / row.scipy_us:.1f}",
            f"{row.emulator_batch_us / 1000:.0f}",
            f"{row.scipy_batch_us / 1000:.0f}",
            f"{row.emulator_batch_us / row.scipy_batch_us:.1f}",
            f"{row.kernel_model_us / 1000:.0f}",
            f"{row.paper_model_us / 1000:.1f}",
            f"{row.weights / row.pack_us:.1f}",
        )
        for row in shown
    ]
    head = ["layer", "weights", "emulator ms", "scipy ms", "ratio"]
    head += ["batch 64: emulator ms", "scipy ms", "ratio"]
    head += ["cycle model ms", "paper's machine ms", "packing, million weights/s"]
    return table(head, rows)


def _rounded(results: Results, layer: PaperLayer) -> tuple[float, float]:
    """Theoretical times at the ends of what the paper's rounded density may stand for."""
    times = [
        row.theoretical_us
        for row in results.rows("layers")
        if row.layer == layer.name and row.weight_density != layer.weight_density
    ]
    return min(times), max(times)


def _signed(share: float) -> str:
    return f"{100 * share:+.0f} %"
