"""Calibration data: checked, and flattened as the model would."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.real_arrays import real_array
from eie.host.compress.dense_layer import DenseModel
from eie.host.network.sequence_codes import as_sequences

__all__ = ["check_calibration", "check_sequences", "flatten_calibration", "likely_shape"]


def check_calibration(calibration: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return calibration data as float64, shape (n, features...).

    Raises
    ------
    InputError
        If it is not real and finite, or has no vector or no feature axis.
    """
    array = real_array(calibration, "calibration")
    problems = Problems("calibration")
    problems.require(
        array.ndim >= 2 and array.size > 0,
        f"must have shape (n, features) with n at least 1, not {array.shape}",
    )
    bad = ~np.isfinite(array)
    if bad.any():
        where = tuple(int(index) for index in np.argwhere(bad)[0])
        problems.require(
            False,
            f"must be finite, not {float(array[where])!r} at index {where} "
            f"({int(bad.sum())} such values)",
        )
    problems.raise_as(InputError)
    return array.astype(np.float64)


def check_sequences(calibration: Any, features: int) -> list[npt.NDArray[np.float64]]:
    """Return calibration sequences as float64, each of shape (steps, features).

    Parameters
    ----------
    calibration
        Shape (n, steps, features), or a list or a mapping of arrays (steps, features).
    features
        Values of a step.

    Raises
    ------
    InputError
        If it is something else, or not real and finite.
    """
    given = as_sequences(calibration, features, name="calibration")
    return [array.astype(np.float64) for array in given.arrays]


def flatten_calibration(
    calibration: npt.NDArray[np.float64], model: DenseModel
) -> npt.NDArray[np.float64]:
    """Bring checked calibration data to shape (n, features of the model).

    Raises
    ------
    InputError
        If its vectors have neither the model's input shape nor that many features.
    """
    shape = calibration.shape[1:]
    features = math.prod(model.input_shape)
    if shape not in (model.input_shape, (features,)):
        flat = f" or (n, {features})" if len(model.input_shape) > 1 else ""
        sizes = ", ".join(map(str, model.input_shape))
        raise InputError(f"calibration must have shape (n, {sizes}){flat}, not {calibration.shape}")
    return calibration.reshape(len(calibration), features)


def likely_shape(calibration: Any) -> tuple[int, ...] | None:
    """Shape of one input as calibration data have it that are not checked yet; None without one."""
    if isinstance(calibration, Mapping):
        calibration = list(calibration.values())
    if isinstance(calibration, (list, tuple)) and calibration:
        try:
            shape = real_array(calibration[0], "calibration").shape
        except InputError:
            return None
    else:
        shape = real_array(calibration, "calibration").shape[1:]
    return shape if shape and 0 not in shape else None
