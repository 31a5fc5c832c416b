"""How well a network does on given vectors: accuracy against labels, and error against the model.

The class of a vector is its largest output; of equal ones, the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.text import counted
from eie.host.flow.labels import check_labels
from eie.host.network.table import Summarized, Table

if TYPE_CHECKING:
    from eie.host.cut import HostParts

__all__ = ["Evaluation", "evaluate_outputs", "evaluate_through", "root_mean_square"]

Reals = npt.NDArray[Any]


@dataclass(frozen=True, repr=False)
class Evaluation(Summarized):
    """How well a network does on given vectors; None where something is not known.

    Attributes
    ----------
    vectors
        Vectors that were evaluated.
    classes
        Number of classes; None without labels that are classes.
    correct
        Vectors of which the compressed network names the class.
    float_correct
        Vectors of which the model, before compression, names the class.
    same_class
        Vectors for which both name the same class.
    rms_error
        Root mean square of the compressed network's error against the model's outputs, as a share
        of that of the model's outputs.
    target_error
        Root mean square of the compressed network's error against real targets, in their unit.
    float_target_error
        The same of the model.
    """

    vectors: int
    classes: int | None = None
    correct: int | None = None
    float_correct: int | None = None
    same_class: int | None = None
    rms_error: float | None = None
    target_error: float | None = None
    float_target_error: float | None = None

    @property
    def accuracy(self) -> float | None:
        """Share of the vectors that the compressed network gets right."""
        return None if self.correct is None else self.correct / self.vectors

    @property
    def float_accuracy(self) -> float | None:
        """Share of the vectors that the model gets right."""
        return None if self.float_correct is None else self.float_correct / self.vectors

    def summary(self) -> Table:
        """Give what is known as a table of a few lines.

        Returns
        -------
        Table
        """
        rows: list[tuple[str, str]] = []
        of = f"of {self.vectors}"
        for name, count in (
            ("accuracy of the model", self.float_correct),
            ("accuracy, compressed", self.correct),
            ("same class as the model", self.same_class),
        ):
            if count is not None:
                rows.append((name, f"{100 * count / self.vectors:.2f} % ({count} {of})"))
        if self.rms_error is not None:
            rows.append(("rms error against the model", f"{100 * self.rms_error:.2f} %"))
        if self.float_target_error is not None:
            rows.append(("rms error of the model against targets", f"{self.float_target_error:g}"))
        if self.target_error is not None:
            rows.append(("rms error, compressed, against targets", f"{self.target_error:g}"))
        return Table(counted(self.vectors, "vector"), (), rows)

    def __repr__(self) -> str:
        return "; ".join(f"{name} {value}" for name, value in self.summary().rows)


def evaluate_outputs(
    outputs: Reals,
    *,
    labels: npt.ArrayLike | None = None,
    float_outputs: Reals | None = None,
    name: str = "labels",
) -> Evaluation:
    """Evaluate outputs of a compressed network.

    Parameters
    ----------
    outputs
        Real numbers or codes of one format, shape (vectors, outputs). Against targets or a model
        they must be real numbers.
    labels
        As :func:`eie.host.flow.labels.check_labels` takes them.
    float_outputs
        What the model gives for the same vectors, same shape.
    name
        What the labels are, for messages.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        If there are no vectors, or the labels are not what they must be.
    """
    vectors, width = outputs.shape
    if vectors == 0:
        raise InputError("there must be at least one vector to evaluate, not 0")
    exact = None if float_outputs is None else float_outputs.astype(np.float64)
    found: dict[str, Any] = {}
    classifies = width > 1
    if labels is not None:
        wanted = check_labels(labels, vectors, width, name=name)
        classifies = wanted.dtype == np.int64
        if classifies:
            found["classes"] = width
            found["correct"] = _count(outputs.argmax(axis=1) == wanted)
            if exact is not None:
                found["float_correct"] = _count(exact.argmax(axis=1) == wanted)
        else:
            found["target_error"] = root_mean_square(outputs - wanted)
            if exact is not None:
                found["float_target_error"] = root_mean_square(exact - wanted)
    if exact is not None:
        if classifies:
            found["same_class"] = _count(outputs.argmax(axis=1) == exact.argmax(axis=1))
        size, error = root_mean_square(exact), root_mean_square(outputs - exact)
        # Of outputs that are all 0 no share can be taken.
        found["rms_error"] = error / size if size else None
    return Evaluation(vectors, **found)


def evaluate_through(
    host: HostParts | None,
    outputs: Reals,
    *,
    labels: npt.ArrayLike | None = None,
    float_outputs: Reals | None = None,
    name: str = "labels",
) -> Evaluation:
    """Evaluate what a whole model makes of outputs of its head.

    Parameters
    ----------
    host
        What the host does behind the head; None of a model that was not cut.
    outputs, float_outputs
        Of the head: real numbers, shape (vectors, outputs).
    labels, name
        As for :func:`evaluate_outputs`.
    """
    if host is None:
        return evaluate_outputs(outputs, labels=labels, float_outputs=float_outputs, name=name)
    judged, real = host.scores(outputs)
    exact = None if float_outputs is None else host.scores(float_outputs)[0]
    found = evaluate_outputs(judged, labels=labels, float_outputs=exact, name=name)
    return found if real else replace(found, rms_error=None)


def _count(holds: npt.NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(holds))


def root_mean_square(values: Reals) -> float:
    """Root mean square of all values, at least one; scaled first, so that nothing overflows."""
    peak = float(np.abs(values).max())
    if peak == 0 or not np.isfinite(peak):
        return peak
    return peak * float(np.sqrt(np.mean(np.square(values.astype(np.float64) / peak))))
