"""What a report says of accuracy and of what compression lost: fields of its JSON.

As in :mod:`eie.host.report.facts`, shares go from 0 to 1, and None is what is not known.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Accuracy", "LayerLosses", "Losses", "StageLosses"]


@dataclass(frozen=True)
class Accuracy:
    """How well the compressed network does on given vectors."""

    #: Vectors.
    vectors: int
    #: Classes; None for a network that does not classify.
    classes: int | None
    #: Share of the vectors that the float model gets right; None without labels or model.
    float_accuracy: float | None
    #: Share that the compressed network gets right; None without labels.
    accuracy: float | None
    #: Share for which both name the same class; None if not known.
    same_class: float | None
    #: Vectors that the float model gets right; None without labels or model.
    float_correct: int | None
    #: Vectors that the compressed network gets right; None without labels.
    correct: int | None
    #: Vectors for which both name the same class; None if not known.
    same_class_vectors: int | None
    #: Root mean square of the float model's error against real targets, in their unit; None without
    #: such labels.
    float_target_error: float | None
    #: The same of the compressed network.
    target_error: float | None
    #: Root mean square of the outputs' error, as a share of that of the float model's outputs; None
    #: without the model.
    rms_error: float | None


@dataclass(frozen=True)
class StageLosses:
    """What one step of compression changed in the outputs."""

    #: Name of the step.
    stage: str
    #: Change of the median vector's outputs, as a share.
    median: float
    #: Change of the worst vector's, as a share.
    worst: float


@dataclass(frozen=True)
class LayerLosses:
    """What a layer's formats lost when it was compressed."""

    #: Name of the layer.
    name: str
    #: Weights kept.
    weights: int
    #: Those among them that rounded to 0.
    weights_zeroed: int
    #: Weights cut off.
    weights_saturated: int
    #: Outputs that are 0 for every calibration vector only since they round to it.
    outputs_zeroed: int
    #: Outputs cut off, over all calibration vectors.
    outputs_saturated: int


@dataclass(frozen=True)
class Losses:
    """What compression lost against the model, on the calibration."""

    #: Calibration vectors.
    vectors: int
    #: Error of all outputs, root mean square, as a share of the model's; None if not known.
    rms: float | None
    #: Error of the median vector, as a share; None if not known.
    median: float | None
    #: Error of the worst vector, as a share; None if not known.
    worst: float | None
    #: Each step of compression, in order.
    stages: tuple[StageLosses, ...]
    #: Layers that lost something.
    layers: tuple[LayerLosses, ...]
    #: Input values cut off, over all calibration vectors.
    inputs_saturated: int
    #: Features that are not always 0, but round to 0 in every calibration vector.
    features_zeroed: int
    #: Features whose ordinary values take fewer than four codes.
    features_coarse: int
