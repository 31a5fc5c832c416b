"""Tables of times on processors and GPUs, and of speed-ups over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.cpu import BATCHES, CONTENDERS, CpuRow
from benchmarks.layers import LAYERS, PaperLayer
from benchmarks.results import Results
from benchmarks.tables import geometric_mean, layer_row, table

__all__ = [
    "PAPERS",
    "Column",
    "best_of",
    "measured_here",
    "papers_speedups",
    "processor_times",
    "speedups",
]


def best_of(results: Results, layer: str, batch: int, contenders: Sequence[str]) -> CpuRow:
    """The fastest way on this machine's processor, threads included."""
    rows: list[CpuRow] = [
        row
        for row in results.rows("cpu")
        if (row.layer, row.batch) == (layer, batch) and row.contender in contenders
    ]
    return min(rows, key=lambda row: row.median_us)


def processor_times(results: Results) -> str:
    """Microseconds a vector of every contender, with its better number of threads."""
    rows = []
    for layer in LAYERS:
        cells = []
        for batch in BATCHES:
            for contender in CONTENDERS:
                best = best_of(results, layer.name, batch, [contender])
                cells.append(f"{_short(best.us_per_vector)} ({best.threads})")
        rows.append((layer.name, *cells, _short(layer.cpu_dense_us), _short(layer.cpu_sparse_us)))
    head = [f"{contender}, batch {batch}" for batch in BATCHES for contender in CONTENDERS]
    return table(("layer", *head, "paper: dense, batch 1", "paper: sparse, batch 1"), rows)


#: Columns of the table of speed-ups: title, and time of a vector in microseconds.
Column = tuple[str, Callable[[PaperLayer], float]]


def speedups(results: Results, columns: Sequence[Column]) -> str:
    """Times of other machines over the model's time."""
    rows = []
    for layer in LAYERS:
        ours = layer_row(results, layer.name).actual_us
        cells = [_short(time(layer) / ours) for _, time in columns]
        rows.append((layer.name, f"{ours:.1f}", *cells))
    means = [
        _short(
            geometric_mean(
                time(layer) / layer_row(results, layer.name).actual_us for layer in LAYERS
            )
        )
        for _, time in columns
    ]
    rows.append(("geometric mean", "", *means))
    return table(("layer", "model, µs", *(title for title, _ in columns)), rows)


def papers_speedups() -> str:
    """The paper's own: times of other machines over those of EIE."""
    rows = [
        (
            layer.name,
            f"{layer.actual_us}",
            *(_short(time(layer) / layer.actual_us) for _, time in PAPERS),
        )
        for layer in LAYERS
    ]
    means = [
        _short(geometric_mean(time(layer) / layer.actual_us for layer in LAYERS))
        for _, time in PAPERS
    ]
    rows.append(("geometric mean", "", *means))
    return table(("layer", "paper's EIE, µs", *(title for title, _ in PAPERS)), rows)


def measured_here(results: Results) -> list[Column]:
    """Columns of this machine's processor, each with the faster number of threads."""
    sparse = ("torch CSR", "scipy CSR")

    def here(batch: int, contenders: Sequence[str]) -> Callable[[PaperLayer], float]:
        return lambda layer: best_of(results, layer.name, batch, contenders).us_per_vector

    return [
        ("dense, batch 1", here(1, ("torch dense",))),
        ("sparse, batch 1", here(1, sparse)),
        ("dense, batch 64", here(64, ("torch dense",))),
        ("sparse, batch 64", here(64, sparse)),
    ]


#: Columns of the paper's platforms, one vector.
PAPERS: list[Column] = [
    ("CPU, dense", lambda layer: layer.cpu_dense_us),
    ("CPU, sparse", lambda layer: layer.cpu_sparse_us),
    ("GPU, dense", lambda layer: layer.gpu_dense_us),
    ("GPU, sparse", lambda layer: layer.gpu_sparse_us),
    ("mobile GPU, dense", lambda layer: layer.mobile_gpu_dense_us),
]


def _short(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
