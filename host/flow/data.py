"""Inputs and labels of a model, checked together before any work is done."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.real_arrays import real_array
from eie.hls.boundary.text import counted
from eie.host.flow.labels import check_labels, label_problems

if TYPE_CHECKING:
    from eie.host.cut import HostParts

__all__ = ["Data", "ModelSizes", "check_data", "refuse_all", "through"]


@dataclass(frozen=True)
class ModelSizes:
    """What a model takes and gives, with which data must agree."""

    #: Of one input, without the batch.
    input_shape: tuple[int, ...]
    #: Outputs of the model; of a recurrent one, for a step.
    outputs: int
    #: Of a recurrent model, whether it gives the last step of a sequence alone; else None.
    last: bool | None = None


@dataclass(frozen=True, eq=False)
class Data:
    """Inputs and labels that agree with a model, and with each other."""

    #: float64, shape (n, inputs): flat; of a model that was cut, a vector for each of its
    #: positions. None without any.
    samples: npt.NDArray[np.float64] | None = None
    #: int64 (n,): classes, or float64 (n, outputs): targets; None without any.
    labels: npt.NDArray[Any] | None = None

    @property
    def calibration(self) -> Any:
        """What compressing takes: the samples; None without any."""
        return self.samples


def check_data(
    inputs: npt.ArrayLike | None,
    labels: npt.ArrayLike | None,
    sizes: ModelSizes,
    *,
    name: str = "inputs",
    labels_name: str = "labels",
    problems: Sequence[str] = (),
) -> Data:
    """Check inputs and labels against the model and each other, all of it at once.

    Parameters
    ----------
    inputs
        Real numbers, shape (n, ...) in the model's own shape or flat; None for no data.
    labels
        As :func:`~eie.host.flow.labels.check_labels` takes them; None without any.
    sizes
        Of the model.
    name, labels_name
        What inputs and labels are, for messages.
    problems
        What is wrong besides, to be told of with it.

    Returns
    -------
    Data

    Raises
    ------
    InputError
        If anything is not what it must be; names all of it.
    """
    found = list(problems)
    array = _real(inputs, name, found)
    answers = _real(labels, labels_name, found)
    if labels is not None and inputs is None:
        found.append(f"{labels_name} must be given with {name}, the inputs that they belong to")
    if array is not None:
        _check_inputs(array, name, sizes, found)
    if answers is not None and array is not None and array.ndim:
        found += label_problems(answers, len(array), sizes.outputs, name=labels_name)
        if array.ndim == 1 < answers.ndim:
            found.append(f"{name} and {labels_name} look exchanged: inputs come first")
    refuse_all(found)
    if array is None:
        return Data()
    flat = array.reshape(len(array), -1).astype(np.float64)
    if answers is None:
        return Data(flat)
    return Data(flat, check_labels(answers, len(flat), sizes.outputs))


def through(data: Data, host: HostParts | None) -> Data:
    """Give what the accelerator takes for the samples, with their labels; as it is without `host`.

    Raises
    ------
    InputError
        If the host's part of the model fails on them.
    """
    if host is None or data.samples is None:
        return data
    return Data(host.features(data.samples).astype(np.float64), data.labels)


def _real(values: npt.ArrayLike | None, name: str, found: list[str]) -> npt.NDArray[Any] | None:
    if values is None:
        return None
    try:
        return real_array(values, name)
    except InputError as error:
        found.append(str(error))
        return None


def _check_inputs(array: npt.NDArray[Any], name: str, sizes: ModelSizes, found: list[str]) -> None:
    features = math.prod(sizes.input_shape)
    if array.ndim < 2 or len(array) == 0 or array.shape[1:] not in (sizes.input_shape, (features,)):
        own = ", ".join(map(str, sizes.input_shape))
        flat = f" or (n, {features})" if len(sizes.input_shape) > 1 else ""
        found.append(
            f"{name} must have shape (n, {own}){flat} with n at least 1, not {array.shape}"
        )
    finite = np.isfinite(array)
    if not finite.all():
        where = tuple(int(index) for index in np.argwhere(~finite)[0])
        count = int(np.count_nonzero(~finite))
        found.append(
            f"{name} must be finite, not {float(array[where])!r} at index {where} "
            f"({counted(count, 'such value')})"
        )


def refuse_all(found: Sequence[str]) -> None:
    """Raise an error that names every problem; do nothing where there is none.

    Raises
    ------
    InputError
    """
    if len(found) == 1:
        raise InputError(found[0])
    if found:
        listing = "\n".join(f"  - {problem}" for problem in found)
        raise InputError(f"{len(found)} problems\n{listing}")
