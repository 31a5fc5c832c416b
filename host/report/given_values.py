"""Values of other rooms that a report takes as they come: evaluations, comparisons, records.

Those of rooms above this one are read by name, and what they do not know is left out. A network's
record of what compression lost may be absent, as in a file of an earlier eie, or be anything, since
a file may come from anybody: then there is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from eie.hls.boundary.errors import NetworkFileError
from eie.host.network import Network
from eie.host.network.loss_record import LayerLoss, LossRecord
from eie.host.report.quality_facts import Accuracy, LayerLosses, Losses, StageLosses

__all__ = ["accuracy_of", "compared_layers", "compared_vectors", "losses_of", "reasons_of"]


def losses_of(network: Network) -> Losses | None:
    """Read the record of what compression lost; None where there is none, or a broken one."""
    try:
        record = LossRecord.of(network)
    except NetworkFileError:
        return None
    if record is None:
        return None
    error = record.error
    return Losses(
        vectors=record.vectors,
        rms=error.rms if error else None,
        median=error.median if error else None,
        worst=error.worst if error else None,
        stages=tuple(StageLosses(each.stage, each.median, each.worst) for each in record.stages),
        layers=tuple(_layer_losses(each) for each in record.layers if _lost(each)),
        inputs_saturated=record.inputs_saturated,
        features_zeroed=len(record.features_zeroed),
        features_coarse=len(record.features_coarse),
    )


def accuracy_of(evaluation: object | None) -> Accuracy | None:
    """Read an evaluation: counts and errors by name, None where it does not know them."""
    if evaluation is None:
        return None
    vectors = _count(getattr(evaluation, "vectors", None)) or 0

    def count(name: str) -> int | None:
        return _count(getattr(evaluation, name, None))

    def share(of: int | None) -> float | None:
        return None if of is None or not vectors else of / vectors

    float_correct, correct, same = count("float_correct"), count("correct"), count("same_class")
    return Accuracy(
        vectors=vectors,
        classes=count("classes"),
        float_accuracy=share(float_correct),
        accuracy=share(correct),
        same_class=share(same),
        float_correct=float_correct,
        correct=correct,
        same_class_vectors=same,
        float_target_error=_number(getattr(evaluation, "float_target_error", None)),
        target_error=_number(getattr(evaluation, "target_error", None)),
        rms_error=_number(getattr(evaluation, "rms_error", None)),
    )


def compared_layers(comparison: object | None) -> dict[str, dict[str, float | None]]:
    """Read a comparison: error and range of each layer's outputs, by the layer's name."""
    layers = getattr(comparison, "layers", None)
    if not isinstance(layers, Sequence):
        return {}
    return {
        str(getattr(layer, "name", "")): {
            "rms_error": _number(getattr(layer, "rms_error", None)),
            "largest_error": _number(getattr(layer, "largest_error", None)),
            "model_low": _number(getattr(layer, "low", None)),
            "model_high": _number(getattr(layer, "high", None)),
        }
        for layer in layers
    }


def compared_vectors(comparison: object | None) -> int | None:
    """Read how many vectors a comparison was made on."""
    return _count(getattr(comparison, "vectors", None))


def reasons_of(fit: object | None) -> tuple[str, ...]:
    """Read why a design was chosen: lines for people."""
    explain = getattr(fit, "explain", None)
    return tuple(str(explain()).splitlines()) if callable(explain) else ()


def _layer_losses(layer: LayerLoss) -> LayerLosses:
    return LayerLosses(
        name=layer.name,
        weights=layer.weights,
        weights_zeroed=layer.weights_zeroed,
        weights_saturated=layer.weights_saturated,
        outputs_zeroed=layer.outputs_zeroed,
        outputs_saturated=layer.saturated,
    )


def _lost(layer: LayerLoss) -> bool:
    return any(
        (layer.weights_zeroed, layer.weights_saturated, layer.outputs_zeroed, layer.saturated)
    )


def _number(value: Any) -> float | None:
    """Give a finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None
