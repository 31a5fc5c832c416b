"""Steps of a model to dense layers: BatchNorm folded into Linear, ReLU attached to it.

A BatchNorm ``s a + t`` folds exactly into the Linear on either side of it, as long as no ReLU is
between: behind ``W a + b`` it gives ``(s W) a + (s b + t)`` with rows scaled; before it,
``(W s) a + (W t + b)`` with columns scaled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from eie.hls.boundary.errors import ModelError, Problems
from eie.host.compress.dense_layer import DenseLayer
from eie.host.compress.graph_reader import LinearStep, NormStep, ReluStep, Step

__all__ = ["fold"]


def fold(steps: Iterable[Step]) -> tuple[DenseLayer, ...]:
    """Fold `steps`, in order, into dense layers.

    Raises
    ------
    ModelError
        If there is no Linear, a BatchNorm or ReLU has no Linear to go into, or a weight or bias
        is NaN or infinite. All of them are named.
    """
    problems = Problems("model")
    layers: list[DenseLayer] = []
    waiting: NormStep | None = None  # BatchNorm that the next Linear has to take
    for step in steps:
        if isinstance(step, LinearStep):
            layers.append(_layer(step, waiting))
            waiting = None
        elif isinstance(step, NormStep):
            if layers and not layers[-1].relu:
                layers[-1] = _scale_rows(layers[-1], step)
            else:
                waiting = step if waiting is None else _compose(waiting, step)
        elif isinstance(step, ReluStep):
            if waiting is not None:
                problems.require(False, _homeless(waiting))
                waiting = None
            elif problems.require(
                bool(layers),
                f"{step.where} must follow a Linear: a ReLU on the model's input is not supported",
            ):
                layers[-1] = replace(layers[-1], relu=True)
    if waiting is not None:
        problems.require(False, _homeless(waiting))
    problems.require(bool(layers), "must have at least one Linear")
    for layer in layers:
        _check_finite(layer, problems)
    problems.raise_as(ModelError)
    return tuple(layers)


def _layer(step: LinearStep, before: NormStep | None) -> DenseLayer:
    if before is None:
        return DenseLayer(step.name, step.weights, step.bias, relu=False, normalized=False)
    weights = step.weights.astype(np.float64)
    with np.errstate(all="ignore"):  # _check_finite reports it
        bias = weights @ before.shift + step.bias
        return DenseLayer(step.name, weights * before.scale, bias, relu=False, normalized=True)


def _scale_rows(layer: DenseLayer, norm: NormStep) -> DenseLayer:
    with np.errstate(all="ignore"):
        weights = norm.scale[:, np.newaxis] * layer.weights.astype(np.float64)
        bias = norm.scale * layer.bias + norm.shift
    return replace(layer, weights=weights, bias=bias, normalized=True)


def _compose(first: NormStep, second: NormStep) -> NormStep:
    return NormStep(
        first.scale * second.scale, first.shift * second.scale + second.shift, second.where
    )


def _homeless(norm: NormStep) -> str:
    return (
        f"{norm.where} must come directly before or after a Linear, with no ReLU between, "
        "to be folded into it"
    )


def _check_finite(layer: DenseLayer, problems: Problems) -> None:
    for name, array in (("weights", layer.weights), ("bias", layer.bias)):
        bad = ~np.isfinite(array)
        if bad.any():
            where = tuple(int(index) for index in np.argwhere(bad)[0])
            problems.require(
                False,
                f"layer {layer.name!r}: {name} must be finite, not {float(array[where])!r} "
                f"at index {where} ({int(bad.sum())} such values)",
            )
