"""How well a network does: accuracy against labels, and error against the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError

__all__ = ["Evaluation", "evaluate_outputs"]


@dataclass(frozen=True)
class Evaluation:
    """How well a network does on given vectors; None where something is not known."""

    #: Vectors that were evaluated.
    vectors: int
    #: Number of classes; None without labels that are classes.
    classes: int | None = None
    #: Vectors of which the compressed network names the class.
    correct: int | None = None
    #: Vectors of which the model, before compression, names the class.
    float_correct: int | None = None
    #: Vectors for which both name the same class.
    same_class: int | None = None
    #: Root mean square of the error against the model's outputs, as a share of theirs.
    rms_error: float | None = None
    #: Root mean square of the error against real targets, in their unit.
    target_error: float | None = None

    @property
    def accuracy(self) -> float | None:
        """Share of the vectors that the compressed network gets right."""
        return None if self.correct is None else self.correct / self.vectors

    @property
    def float_accuracy(self) -> float | None:
        """Share of the vectors that the model gets right."""
        return None if self.float_correct is None else self.float_correct / self.vectors


def evaluate_outputs(
    outputs: npt.NDArray[Any],
    *,
    labels: npt.ArrayLike | None = None,
    float_outputs: npt.NDArray[Any] | None = None,
    name: str = "labels",
) -> Evaluation:
    """Evaluate outputs of a compressed network.

    Parameters
    ----------
    outputs
        Real numbers, shape (vectors, outputs).
    labels
        Classes: integers of shape (vectors,). Or real targets: floats of the outputs' shape.
    float_outputs
        What the model gives for the same vectors, same shape.
    name
        What the labels are, for messages.

    Raises
    ------
    InputError
        If the labels are not what they must be.
    """
    vectors, width = outputs.shape
    found: dict[str, Any] = {}
    if labels is not None:
        wanted = np.asarray(labels)
        if wanted.shape == (vectors,) and wanted.dtype.kind in "iu" and width > 1:
            if wanted.min() < 0 or wanted.max() >= width:
                raise InputError(
                    f"{name} must be classes from 0 to {width - 1}, since the network has {width} "
                    f"outputs, not {wanted.min()} to {wanted.max()}"
                )
            found["classes"] = width
            found["correct"] = int(np.sum(outputs.argmax(axis=1) == wanted))
            if float_outputs is not None:
                found["float_correct"] = int(np.sum(float_outputs.argmax(axis=1) == wanted))
        elif wanted.shape == outputs.shape and wanted.dtype.kind == "f":
            found["target_error"] = float(np.sqrt(np.mean(np.square(outputs - wanted))))
        else:
            raise InputError(
                f"{name} must be classes (integers of shape ({vectors},)) or targets (floats of "
                f"shape ({vectors}, {width})), not {wanted.dtype} of shape {wanted.shape}"
            )
    if float_outputs is not None:
        if width > 1:
            same = outputs.argmax(axis=1) == float_outputs.argmax(axis=1)
            found["same_class"] = int(np.sum(same))
        size = float(np.sqrt(np.mean(np.square(float_outputs))))
        error = float(np.sqrt(np.mean(np.square(outputs - float_outputs))))
        found["rms_error"] = error / size if size else None
    return Evaluation(vectors, **found)
