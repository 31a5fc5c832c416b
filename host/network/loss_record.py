"""What compression lost, as numbers: kept in a network's metadata, and put into words here.

``metadata["loss"]`` is a :class:`LossRecord` as JSON, field by field; :meth:`LossRecord.of` reads
it. It needs neither torch nor the model, so a board can say what its network is worth.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from eie.hls.boundary.errors import NetworkFileError
from eie.hls.boundary.text import counted
from eie.host.network.table import Summarized, Table

__all__ = [
    "METADATA_KEY",
    "CutValue",
    "ErrorFigures",
    "LayerLoss",
    "LossRecord",
    "StageLoss",
    "WithMetadata",
]


class WithMetadata(Protocol):
    """A network, of which the record needs the texts alone."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """As the network's."""


#: Where a network's metadata has its record.
METADATA_KEY = "loss"


@dataclass(frozen=True)
class ErrorFigures:
    """How far the network's outputs are from the model's, on the calibration.

    The error of a vector is the root mean square of its outputs' errors over that of the model's
    outputs for it. For a vector whose outputs are smaller than a hundredth of the median vector's,
    that hundredth stands in their place, so that the error of an output of nearly 0 is not
    infinite.

    Attributes
    ----------
    rms
        Root mean square of all outputs' errors, over that of all of the model's outputs.
    median
        Error of the median vector.
    worst
        Error of the worst vector.
    worst_vector
        Its index in the calibration.
    """

    rms: float
    median: float
    worst: float
    worst_vector: int

    def __str__(self) -> str:
        return (
            f"{100 * self.rms:.2f} % rms of the model's outputs, on the calibration; "
            f"median vector {100 * self.median:.2f} %, worst {100 * self.worst:.2f} % "
            f"(vector {self.worst_vector})"
        )


@dataclass(frozen=True)
class StageLoss:
    """What one step of compression changed in the outputs, the steps before it being done.

    Errors as in :class:`ErrorFigures`, between the outputs before and after the step. They need not
    add up to the whole, since errors may cancel.

    Attributes
    ----------
    stage
        ``pruning``, ``sharing``, ``rounding of weights``, ``rounding of activations`` or
        ``saturation``, in this order.
    median
        Change of the median vector.
    worst
        Change of the worst vector.
    """

    stage: str
    median: float
    worst: float


@dataclass(frozen=True)
class LayerLoss:
    """What a layer's formats lose.

    Attributes
    ----------
    name
        Of the layer.
    weights
        Weights that pruning left.
    weights_zeroed
        Those among them that round to 0.
    weights_coarse
        Those that rounding changes by more than a quarter, zeros included.
    weights_saturated
        Those cut off, since the outputs lose less by it than by the digits they would take.
    largest_weight
        Magnitude of the largest weight.
    biases_zeroed
        Biases other than 0 that round to 0.
    outputs_zeroed
        Outputs that are 0 for every calibration vector only since they round to it.
    saturated
        Outputs cut off, over all calibration vectors.
    """

    name: str
    weights: int
    weights_zeroed: int
    weights_coarse: int
    weights_saturated: int
    largest_weight: float
    biases_zeroed: int
    outputs_zeroed: int
    saturated: int


@dataclass(frozen=True)
class CutValue:
    """An input of the calibration that the formats cut off.

    Attributes
    ----------
    vector
        Index of the calibration vector.
    feature
        Index of the feature in it.
    value
        What it was before it was cut off.
    """

    vector: int
    feature: int
    value: float


@dataclass(frozen=True)
class LossRecord(Summarized):
    """What compression lost. Without calibration, what can be known of the weights alone.

    Attributes
    ----------
    vectors
        Calibration vectors; 0 without calibration.
    error
        None without calibration.
    stages
        Empty without calibration. Taken from at most 1,024 of the vectors, evenly spaced.
    layers
        In order.
    inputs_saturated
        Inputs cut off, over all calibration vectors.
    largest_cut
        The largest of them, at most five features' worth, one each.
    features_zeroed
        Features that are not always 0, but round to 0 in every calibration vector.
    features_coarse
        Features whose ordinary values take fewer than four codes.
    """

    vectors: int
    error: ErrorFigures | None
    stages: tuple[StageLoss, ...]
    layers: tuple[LayerLoss, ...]
    inputs_saturated: int
    largest_cut: tuple[CutValue, ...]
    features_zeroed: tuple[int, ...]
    features_coarse: tuple[int, ...]

    @property
    def main_stage(self) -> StageLoss | None:
        """The stage that changed the median vector most; None without calibration."""
        return max(self.stages, key=lambda stage: (stage.median, stage.worst), default=None)

    def summary(self) -> Table:
        """Give error, loss by step and counts by layer as a table of a few lines.

        Returns
        -------
        Table
        """
        rows = [
            (
                layer.name,
                layer.weights,
                layer.weights_zeroed,
                layer.weights_coarse,
                layer.weights_saturated,
                layer.saturated if self.vectors else "-",
            )
            for layer in self.layers
        ]
        stages = ", ".join(f"{each.stage} {100 * each.median:.2f} %" for each in self.stages)
        notes = [f"error: {self.error or 'not known: compressed without calibration'}"]
        notes += [f"by step, median vector: {stages}"] if stages else []
        head = ("layer", "weights", "become 0", "coarse", "cut off", "outputs cut off")
        return Table(f"lost on {counted(self.vectors, 'calibration vector')}", head, rows, notes)

    def as_text(self) -> str:
        """Give the record as JSON."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, allow_nan=False)

    @classmethod
    def from_text(cls, text: str) -> LossRecord:
        """Read what :meth:`as_text` wrote.

        Raises
        ------
        NetworkFileError
            If it is something else.
        """
        try:
            fields = json.loads(text)
            record = cls(
                **fields
                | {
                    "error": None if fields["error"] is None else ErrorFigures(**fields["error"]),
                    "stages": tuple(StageLoss(**each) for each in fields["stages"]),
                    "layers": tuple(LayerLoss(**each) for each in fields["layers"]),
                    "largest_cut": tuple(CutValue(**each) for each in fields["largest_cut"]),
                    "features_zeroed": tuple(map(int, fields["features_zeroed"])),
                    "features_coarse": tuple(map(int, fields["features_coarse"])),
                }
            )
            _check_numbers(dataclasses.asdict(record))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise NetworkFileError(
                f'metadata["{METADATA_KEY}"] must be the record that compress writes: {error}'
            ) from error
        return record

    @classmethod
    def of(cls, network: WithMetadata) -> LossRecord | None:
        """Read the record of a network; None for one that has none, as those of earlier versions.

        Raises
        ------
        NetworkFileError
            If the network's metadata holds something else under that name.
        """
        text = network.metadata.get(METADATA_KEY)
        return None if text is None else cls.from_text(text)


#: Fields of several items.
_LISTS = ("stages", "layers", "largest_cut", "features_zeroed", "features_coarse")


def _check_numbers(fields: dict[str, Any]) -> None:
    """Require a number, finite and not negative, wherever a record has one, and text for names."""
    for name, value in fields.items():
        if isinstance(value, dict):
            _check_numbers(value)
        elif isinstance(value, (list, tuple)) and name in _LISTS:
            for item in value:
                _check_numbers(item if isinstance(item, dict) else {"item": item})
        elif name in ("name", "stage"):
            if not isinstance(value, str):
                raise ValueError(f"{name} must be text, not {value!r}")
        elif value is not None or name != "error":
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or (name != "value" and value < 0):
                raise ValueError(f"{name} must be a number of at least 0, not {value!r}")
