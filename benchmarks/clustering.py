"""Weight clustering beside scikit-learn's k-means: ``python -m benchmarks.clustering``.

Prints docs/explanation/clustering.md. Takes a minute or two on an idle machine.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from torch import nn

from eie.host.compress import (
    MAX_CENTROIDS,
    DenseLayer,
    DenseModel,
    magnitude_mask,
    read_model,
    share,
)
from eie.host.compress.choosing import prune_and_share
from eie.host.compress.clustering import evenly_started_centroids, gather, optimal_centroids
from eie.host.compress.sharing import SharedWeights, label

#: Runs of scikit-learn's k-means from different centroids, of which it takes the best.
RUNS = 10
#: Distinct numbers of the layers that are timed.
SIZES = (10**5, 10**6, 10**7, 10**8)
DENSITIES = (0.1, 0.3, 1.0)
EPOCHS = 30

Floats = npt.NDArray[np.float64]


def main() -> None:
    """Print the page."""
    torch.set_num_threads(1)
    model, seen, unseen = _digits()
    print("# Clustering of weights\n")
    print(
        "`python -m benchmarks.clustering` prints this page. A layer's weights are shared by exact "
        "one-dimensional\nk-means (`host/compress/clustering.py`): no 15 centroids have a smaller "
        "squared error.\n"
    )
    print("## Squared error of the weights\n")
    print(
        f"Over that of scikit-learn's `KMeans` with 15 clusters, best of {RUNS} runs. *Evenly "
        "started* is Lloyd's algorithm\nfrom evenly spaced centroids, as in Deep Compression. "
        "Numbers of both signs whose best centroids have one next to\nzero, which 16 bits round "
        "to zero, get the best clusters of one sign each instead.\n"
    )
    _print_table(["weights", "density", "evenly started", "optimal"], _squared_errors(model))
    print("\n## Error of the outputs\n")
    print(
        "Root mean square of what pruning and sharing change in the outputs of the digits network "
        "(64-256-128-10,\nnot retrained), in percent of theirs; on the calibration data, and on "
        "data that was not seen. *Chosen* is what\n`compress` does with calibration data: for each "
        "layer, that of the candidates that changes the outputs least.\n"
    )
    _print_table(
        ["density", "data", "pruned only", "evenly started", "optimal", "chosen"],
        _output_errors(model, seen, unseen),
    )
    print("\n## Time and memory\n")
    print(
        "Normally distributed float32 weights of one layer, none of them pruned; processor time "
        "of one core, and the\nmost memory beside the weights. *By inputs* clusters with the "
        "importance of each weight's input. Up to 2^20\ndistinct numbers the result is exact; "
        "above, the mean squared error is too large by 8 (R / 2^20)² at most, with R\nthe range "
        "of the weights.\n"
    )
    _print_table(["weights", "time", "memory", "by inputs: time", "memory"], _costs())


def _digits() -> tuple[DenseModel, Floats, Floats]:
    """Train the digits network; returns it with inputs that it has seen, and not."""
    inputs, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    inputs, labels = inputs[order].astype(np.float32) / 16, labels[order]
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, weight_decay=1e-5)
    train, targets = torch.from_numpy(inputs[360:]), torch.from_numpy(labels[360:])
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(targets)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(train[chosen]), targets[chosen]).backward()
            optimizer.step()
    return read_model(model), inputs[360:].astype(np.float64), inputs[:360].astype(np.float64)


def _matrices(model: DenseModel) -> Iterator[tuple[str, npt.NDArray[np.floating]]]:
    random = np.random.default_rng(0)
    for layer in model.layers:
        yield f"digits, {layer.columns} x {layer.rows}", layer.weights
    yield "normal, 256 x 256", random.normal(size=(256, 256))
    yield "Laplace, 256 x 256", random.laplace(size=(256, 256))
    scales = np.exp(random.normal(size=(256, 1)))
    yield "rows of mixed scale, 256 x 256", random.normal(size=(256, 256)) * scales
    outlier = random.normal(size=(256, 256))
    outlier[0, 0] = 100.0
    yield "normal and one of 100, 256 x 256", outlier


def _squared_errors(model: DenseModel) -> Iterator[list[str]]:
    for name, weights in _matrices(model):
        for density in (0.1, 1.0):
            values = weights[magnitude_mask(weights, density)].astype(np.float64)
            points = gather(values)
            kmeans = KMeans(MAX_CENTROIDS, n_init=RUNS, random_state=0).fit(values[:, np.newaxis])
            ratios = [
                _squared_error(values, find(points, MAX_CENTROIDS)) / kmeans.inertia_
                for find in (evenly_started_centroids, optimal_centroids)
            ]
            yield [name, f"{100 * density:.0f} %", *(f"{ratio:.4f}" for ratio in ratios)]


def _squared_error(values: Floats, centroids: Floats) -> float:
    return float(np.square(values[:, np.newaxis] - centroids).min(1).sum())


def _output_errors(model: DenseModel, seen: Floats, unseen: Floats) -> Iterator[list[str]]:
    for density in DENSITIES:
        pruned = [
            np.where(magnitude_mask(layer.weights, density), layer.weights, 0)
            for layer in model.layers
        ]
        densities = {layer.name: density for layer in model.layers}
        chosen = prune_and_share(model.layers, densities, seen)
        ways: list[list[npt.NDArray[np.floating]]] = [
            pruned,
            [_evenly(weights).dense() for weights in pruned],
            [share(weights).dense() for weights in pruned],
            [each.shared.dense() for each in chosen],
        ]
        for name, inputs in (("calibration", seen), ("unseen", unseen)):
            errors = [_output_error(model, ws, inputs) for ws in ways]
            yield [f"{100 * density:.0f} %", name, *(f"{100 * e:.2f} %" for e in errors)]


def _evenly(weights: npt.NDArray[np.floating]) -> SharedWeights:
    points = gather(weights[weights != 0])
    return label(weights, evenly_started_centroids(points, MAX_CENTROIDS))


def _output_error(
    model: DenseModel, weights: Sequence[npt.NDArray[np.floating]], inputs: Floats
) -> float:
    wanted = model.forward(inputs)
    layers: tuple[DenseLayer, ...] = tuple(
        replace(layer, weights=own) for layer, own in zip(model.layers, weights, strict=True)
    )
    outputs = replace(model, layers=layers).forward(inputs)
    return float(np.sqrt(np.mean((outputs - wanted) ** 2) / np.mean(wanted**2)))


def _costs() -> Iterator[list[str]]:
    for size in SIZES:
        random = np.random.default_rng(0)
        weights = random.standard_normal((size // 1000, 1000), np.float32)
        plain = _measured(lambda weights=weights: share(weights))
        importance = np.broadcast_to(random.random(1000, np.float32) + 0.1, weights.shape).ravel()
        weighted = _measured(
            lambda weights=weights, importance=importance: optimal_centroids(
                gather(weights.ravel(), importance), MAX_CENTROIDS
            )
        )
        yield [f"{size:,}", *plain, *weighted]


def _measured(run: Callable[[], object]) -> tuple[str, str]:
    tracemalloc.start()
    start = time.process_time()
    run()
    seconds = time.process_time() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return f"{seconds:.1f} s", f"{peak / 2**20:,.0f} MiB"


def _print_table(heads: Sequence[str], rows: Iterator[list[str]]) -> None:
    print("| " + " | ".join(heads) + " |")
    print("| --- |" + " ---: |" * (len(heads) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
