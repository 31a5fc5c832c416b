"""Labels: classes, integers of shape (n,), or real targets, floats of shape (n, outputs)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.real_arrays import real_array
from eie.hls.boundary.text import counted
from eie.hls.boundary.voice import either

__all__ = ["check_labels", "label_problems"]


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
        If they are something else, such as one-hot: names all that is wrong, and what to give
        instead.
    """
    array = real_array(labels, name)
    problems = label_problems(array, vectors, outputs, name=name)
    if problems:
        raise InputError("; and ".join(problems))
    if array.dtype.kind != "f":
        return array.astype(np.int64)
    return array.astype(np.float64).reshape(vectors, outputs)


def label_problems(
    labels: npt.NDArray[Any], vectors: int, outputs: int, *, name: str = "labels"
) -> list[str]:
    """Say all that is wrong with labels, which are real numbers; nothing for good ones.

    Parameters
    ----------
    labels, vectors, outputs, name
        As for :func:`check_labels`.
    """
    return [f"{name} {problem}" for problem in _problems(labels, vectors, outputs, name)]


def _problems(labels: npt.NDArray[Any], vectors: int, outputs: int, name: str) -> Iterator[str]:
    if labels.ndim == 0 or len(labels) != vectors:
        has = "one number" if labels.ndim == 0 else counted(len(labels), "label")
        yield f"must be one for each of {counted(vectors, 'vector')}, not {has}"
        if labels.ndim == 0:
            return
    if labels.ndim == 2 and outputs > 1 and labels.shape[1] == outputs and _one_hot(labels):
        yield (
            f"must be classes of shape ({len(labels)},), not one-hot vectors of shape "
            f"{labels.shape}: {_instead(name, 'argmax(axis=1)')}"
        )
    elif labels.dtype.kind == "f":
        yield from _target_problems(labels, outputs, name)
    else:
        yield from _class_problems(labels, outputs, name)


def _class_problems(labels: npt.NDArray[Any], outputs: int, name: str) -> Iterator[str]:
    if outputs == 1:
        yield (
            "must be real targets for a network with one output, which names no classes: "
            f"{_instead(name, 'astype(float)')}"
        )
        return
    if labels.ndim != 1:
        single = labels.size == len(labels)
        advice = _instead(name, "ravel()") if single else "real targets must be floats"
        yield (
            f"that are integers must be classes of shape ({len(labels)},), not {labels.shape}: "
            f"{advice}"
        )
        if not single:
            return
    values = labels.ravel()
    beyond = np.flatnonzero((values < 0) | (values >= outputs))
    if len(beyond):
        yield (
            f"must be classes from 0 to {outputs - 1}, since the network has {outputs} outputs, "
            f"not {int(values[beyond[0]])} at index {beyond[0]} "
            f"({counted(len(beyond), 'such label')})"
        )


def _target_problems(labels: npt.NDArray[Any], outputs: int, name: str) -> Iterator[str]:
    finite = np.isfinite(labels)
    flat = labels.ndim == 1 and outputs == 1
    if not flat and (labels.ndim != 2 or labels.shape[1] != outputs):
        advice = ""
        whole = labels[finite]
        if labels.size == len(labels) and np.array_equal(whole, np.rint(whole)):
            # As numpy.loadtxt and many tables give classes.
            change = "astype(int)" if labels.ndim == 1 else "ravel().astype(int)"
            advice = f"; classes must be integers: {_instead(name, change)}"
        yield (
            f"that are floats must be targets of shape ({len(labels)}, {outputs}), not "
            f"{labels.shape}{advice}"
        )
    if not finite.all():
        where = tuple(int(index) for index in np.argwhere(~finite)[0])
        count = int(np.count_nonzero(~finite))
        yield (
            f"must be finite, not {float(labels[where])!r} at index {where} "
            f"({counted(count, 'such label')})"
        )


def _instead(name: str, change: str) -> str:
    """What to give: on the command line labels are a file."""
    return either(f"give {name}.{change}", f"save labels.{change} instead")


def _one_hot(array: npt.NDArray[Any]) -> bool:
    """Whether every row has one 1, and 0 everywhere else."""
    ones = array == 1
    return len(array) > 0 and bool(np.all(ones | (array == 0)) and np.all(ones.sum(axis=1) == 1))
