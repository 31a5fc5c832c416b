"""Magnitude pruning, and retraining with the pruned weights held at zero.

Deep Compression (arXiv 1510.00149, section 2): train, remove the weights of small magnitude,
retrain what remains. Rows and columns may end up empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from eie.hls.boundary.errors import InputError, Problems
from eie.host.compress.linear_weights import LinearWeight, apply_to_all, read_linears

__all__ = [
    "DEFAULT_DENSITY",
    "Density",
    "apply_masks",
    "layer_densities",
    "magnitude_mask",
    "prune_linears",
]

#: Share of the weights kept where nothing else is said: about that of the paper's Alex-6 and -7.
DEFAULT_DENSITY = 0.1

#: One density for all layers, or densities by layer name (the others get the default).
Density: TypeAlias = float | Mapping[str, float]


def layer_densities(names: Sequence[str], density: Density = DEFAULT_DENSITY) -> dict[str, float]:
    """Density of each layer in `names`.

    Raises
    ------
    InputError
        If a density is not above 0 and at most 1, or is for a layer that does not exist.
    """
    problems = Problems("density")
    given = density if isinstance(density, Mapping) else dict.fromkeys(names, density)
    for name, value in given.items():
        problems.require(
            name in names,
            f"layer {name!r} must be one of {', '.join(map(repr, names))}",
        )
        problems.require(
            isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1,
            f"density of layer {name!r} must be above 0 and at most 1, not {value!r}",
        )
    problems.raise_as(InputError)
    return {name: float(given.get(name, DEFAULT_DENSITY)) for name in names}


def magnitude_mask(weights: npt.NDArray[Any], density: float) -> npt.NDArray[np.bool_]:
    """Mark the weights to keep: those of the largest magnitude.

    Parameters
    ----------
    weights
        Real numbers, any shape.
    density
        Share to keep, above 0 and at most 1.

    Returns
    -------
    ndarray of bool, same shape
        True for exactly ``round(density * size)`` weights (at least one), or for all non-zero
        ones where there are no more than that. Of equal magnitudes the first ones are kept.
    """
    values = weights.ravel()
    kept = max(1, round(density * values.size))
    if kept >= np.count_nonzero(values):
        nonzero: npt.NDArray[np.bool_] = weights != 0
        return nonzero
    # The one copy of the matrix that there is: sorting it in part is what finds the border.
    magnitudes = np.abs(values)
    magnitudes.partition(values.size - kept)
    smallest = magnitudes[values.size - kept]
    del magnitudes
    mask: npt.NDArray[np.bool_] = (values > smallest) | (values < -smallest)
    ties = np.flatnonzero((values == smallest) | (values == -smallest))
    mask[ties[: kept - np.count_nonzero(mask)]] = True
    return mask.reshape(weights.shape)


def prune_linears(model: nn.Module, density: Density = DEFAULT_DENSITY) -> dict[str, torch.Tensor]:
    """Set the small weights of every Linear in `model` to zero, in place.

    Called again with a smaller density, it prunes further: gradual pruning. A weight that torch
    computes (a mask of ``torch.nn.utils.prune``, a weight or spectral norm, a parametrization, a
    codebook) is pruned where it comes from, so that the next forward pass has it pruned, too.
    Tied weights are pruned together, frozen ones like any other.

    Returns
    -------
    dict of bool tensors
        By module path: True for each weight that is kept; for :func:`apply_masks`.

    Raises
    ------
    InputError
        If a density or a layer's weight is not what it must be, naming each; nothing is changed.
    """
    linears = read_linears(model)
    densities = layer_densities(list(linears), density)
    masks = {
        name: torch.from_numpy(magnitude_mask(linear.numbers(), densities[name])).to(
            linear.value.device
        )
        for name, linear in linears.items()
    }
    _check_tied(linears, masks)
    apply_to_all(linears, masks)
    return masks


def apply_masks(model: nn.Module, masks: Mapping[str, torch.Tensor]) -> None:
    """Set the weights outside `masks` to zero, in place; call it after every optimiser step.

    A computed weight is written where it comes from, as :func:`prune_linears` does.

    Raises
    ------
    InputError
        If a mask is for no Linear, or has not the shape of its weight; nothing is changed.
    """
    linears = read_linears(model)
    problems = Problems("masks")
    kept = {}
    for name, mask in masks.items():
        if problems.require(
            name in linears, f"layer {name!r} must be one of {', '.join(map(repr, linears))}"
        ) and problems.require(
            mask.shape == linears[name].value.shape,
            f"mask of layer {name!r} must have shape {tuple(linears[name].value.shape)}, "
            f"not {tuple(mask.shape)}",
        ):
            kept[name] = mask.to(linears[name].value.device) != 0
    problems.raise_as(InputError)
    apply_to_all(linears, kept)


def _check_tied(linears: Mapping[str, LinearWeight], masks: Mapping[str, torch.Tensor]) -> None:
    """Refuse layers of one weight that would get different masks: one would be undone."""
    problems = Problems("density")
    first: dict[int, str] = {}
    for name, linear in linears.items():
        other = first.setdefault(linear.source.data_ptr(), name)
        problems.require(
            torch.equal(masks[name], masks[other]),
            f"layers {other!r} and {name!r} share their weights and must have one density",
        )
    problems.raise_as(InputError)
