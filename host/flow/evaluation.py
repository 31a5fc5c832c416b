"""How well a network does on given vectors: accuracy against labels, and error against the model.

Labels are classes, integers of shape (n,), or real targets, floats of shape (n, outputs). The class
of a vector is its largest output; of equal ones, the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.real_arrays import real_array
from eie.hls.boundary.text import counted
from eie.host.network.table import Table

__all__ = ["Evaluation", "check_labels", "evaluate_outputs", "root_mean_square"]

Reals = npt.NDArray[Any]


@dataclass(frozen=True, repr=False)
class Evaluation:
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

    def __str__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def check_labels(
    labels: npt.ArrayLike, vectors: int, outputs: int, *, name: str = "labels"
) -> npt.NDArray[Any]:
    """Check labels against the vectors and outputs that they belong to.

    Parameters
    ----------
    labels
        Classes: integers of shape (vectors,), 0 to outputs - 1. Or real targets: floats of shape
        (vectors, outputs), or (vectors,) of a network with one output.
    vectors, outputs
        How many there are.
    name
        What the labels are, for messages.

    Returns
    -------
    ndarray
        int64 of shape (vectors,) for classes, float64 of shape (vectors, outputs) for targets.

    Raises
    ------
    InputError
        If they are something else, such as one-hot; says what to give instead.
    """
    array = real_array(labels, name)
    if array.ndim == 0 or len(array) != vectors:
        has = "one number" if array.ndim == 0 else counted(len(array), "label")
        raise InputError(f"{name} must be one for each of {counted(vectors, 'vector')}, not {has}")
    if array.ndim == 2 and outputs > 1 and array.shape[1] == outputs and _one_hot(array):
        raise InputError(
            f"{name} must be classes of shape ({vectors},), not one-hot vectors of shape "
            f"{array.shape}: give {name}.argmax(axis=1)"
        )
    return (
        _targets(array, outputs, name)
        if array.dtype.kind == "f"
        else _classes(array, outputs, name)
    )


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
        As :func:`check_labels` takes them.
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


def _classes(array: npt.NDArray[Any], outputs: int, name: str) -> npt.NDArray[np.int64]:
    if outputs == 1:
        raise InputError(
            f"{name} must be real targets for a network with one output, which names no classes: "
            f"give {name}.astype(float)"
        )
    if array.ndim != 1:
        raise InputError(
            f"{name} that are integers must be classes of shape ({len(array)},), not "
            f"{array.shape}; real targets must be floats"
        )
    beyond = np.flatnonzero((array < 0) | (array >= outputs))
    if len(beyond):
        raise InputError(
            f"{name} must be classes from 0 to {outputs - 1}, since the network has {outputs} "
            f"outputs, not {int(array[beyond[0]])} at index {beyond[0]} "
            f"({counted(len(beyond), 'such label')})"
        )
    return array.astype(np.int64)


def _targets(array: npt.NDArray[Any], outputs: int, name: str) -> npt.NDArray[np.float64]:
    if array.ndim == 1 and outputs == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2 or array.shape[1] != outputs:
        also = f"; classes must be integers: {name}.astype(int)" if array.ndim == 1 else ""
        raise InputError(
            f"{name} that are floats must be targets of shape ({len(array)}, {outputs}), not "
            f"{array.shape}{also}"
        )
    bad = ~np.isfinite(array)
    if bad.any():
        where = tuple(int(index) for index in np.argwhere(bad)[0])
        raise InputError(f"{name} must be finite, not {float(array[where])!r} at index {where}")
    return array.astype(np.float64)


def _one_hot(array: npt.NDArray[Any]) -> bool:
    """Whether every row has one 1, and 0 everywhere else."""
    ones = array == 1
    return len(array) > 0 and bool(np.all(ones | (array == 0)) and np.all(ones.sum(axis=1) == 1))


def _count(holds: npt.NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(holds))


def root_mean_square(values: Reals) -> float:
    """Root mean square of all values, at least one; scaled first, so that nothing overflows."""
    peak = float(np.abs(values).max())
    if peak == 0 or not np.isfinite(peak):
        return peak
    return peak * float(np.sqrt(np.mean(np.square(values.astype(np.float64) / peak))))
