"""Values of other rooms that a report takes as they come: a record in a file, figures of an object.

They are read by name and may be absent: a network of an earlier eie has no record of its losses,
and a run that counted no saturation says nothing of it. Whatever is there but is no number is left
out, since a network's file may come from anywhere.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from eie.host.network import Network
from eie.host.report.facts import Accuracy, LayerLosses, Losses, StageLosses
from eie.host.run.report import RunReport

__all__ = [
    "LOSS_KEY",
    "accuracy_of",
    "compared_layers",
    "losses_of",
    "reasons_of",
    "saturated_inputs",
    "saturated_outputs",
]

#: Where a network's metadata has the record of what compression lost.
LOSS_KEY = "loss"


def losses_of(network: Network) -> Losses | None:
    """Read the record of what compression lost; None where there is none, or no whole one."""
    try:
        record = json.loads(network.metadata.get(LOSS_KEY, "null"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    error = record.get("error")
    figures = error if isinstance(error, dict) else {}
    return Losses(
        vectors=_count(record.get("vectors")) or 0,
        rms=_number(figures.get("rms")),
        median=_number(figures.get("median")),
        worst=_number(figures.get("worst")),
        stages=tuple(
            StageLosses(
                str(each.get("stage")),
                _number(each.get("median")) or 0.0,
                _number(each.get("worst")) or 0.0,
            )
            for each in _records(record.get("stages"))
        ),
        layers=tuple(
            each for each in map(_layer_losses, _records(record.get("layers"))) if _lost(each)
        ),
        inputs_saturated=_count(record.get("inputs_saturated")) or 0,
    )


def accuracy_of(evaluation: object | None) -> Accuracy | None:
    """Read an evaluation: shares and counts by name, None where it does not know them."""
    if evaluation is None:
        return None

    def share(name: str) -> float | None:
        value = _number(getattr(evaluation, name, None))
        # The evaluation may count vectors where a report gives their share.
        counted = type(getattr(evaluation, name, None)) is int and vectors
        return value / vectors if value is not None and counted else value

    vectors = _count(getattr(evaluation, "vectors", None)) or 0
    return Accuracy(
        vectors=vectors,
        classes=_count(getattr(evaluation, "classes", None)),
        float_accuracy=share("float_accuracy"),
        accuracy=share("accuracy"),
        same_class=share("same_class"),
        rms_error=_number(getattr(evaluation, "rms_error", None)),
        float_target_error=_number(getattr(evaluation, "float_target_error", None)),
        target_error=_number(getattr(evaluation, "target_error", None)),
    )


def compared_layers(comparison: object | None) -> dict[str, dict[str, float | None]]:
    """Read a comparison: error and range of each layer's outputs, by the layer's name."""
    layers = getattr(comparison, "layers", None)
    if not isinstance(layers, Sequence):
        return {}
    return {
        str(getattr(layer, "name", "")): {
            "rms_error": _number(getattr(layer, "rms_error", None)),
            "model_low": _number(getattr(layer, "low", None)),
            "model_high": _number(getattr(layer, "high", None)),
        }
        for layer in layers
    }


def saturated_outputs(report: RunReport | None) -> list[int | None]:
    """Outputs of each layer that a run cut off; None where it did not count them."""
    return [_count(getattr(layer, "saturated", None)) for layer in report.layers] if report else []


def saturated_inputs(report: RunReport | None) -> int | None:
    """Input values that a run cut off; None where it did not count them."""
    return _count(getattr(report, "saturated_inputs", None))


def reasons_of(fit: object | None) -> tuple[str, ...]:
    """Read why a design was chosen: lines for people."""
    explain = getattr(fit, "explain", None)
    return tuple(str(explain()).splitlines()) if callable(explain) else ()


def _layer_losses(record: Mapping[str, Any]) -> LayerLosses:
    return LayerLosses(
        name=str(record.get("name")),
        weights_zeroed=_count(record.get("weights_zeroed")) or 0,
        weights_saturated=_count(record.get("weights_saturated")) or 0,
        outputs_saturated=_count(record.get("saturated")) or 0,
    )


def _lost(layer: LayerLosses) -> bool:
    return bool(layer.weights_zeroed or layer.weights_saturated or layer.outputs_saturated)


def _records(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


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
    return value if type(value) is int and 0 <= value < 1 << 63 else None
