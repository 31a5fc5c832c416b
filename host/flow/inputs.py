"""Inputs of an accelerated model: given ones as a batch, and typical ones where there are none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.real_arrays import real_array
from eie.host.network import Network
from eie.host.run.costs import SAMPLE

if TYPE_CHECKING:
    from eie.host.cut import HostParts

__all__ = ["Batch", "real_batch", "typical_vectors"]

#: Share of non-zero inputs assumed where there are no vectors at all.
_ASSUMED_DENSITY = 0.5


@dataclass(frozen=True, eq=False)
class Batch:
    """Inputs of a model, as the accelerator takes them."""

    #: Real numbers, shape (vectors, inputs of the network).
    vectors: npt.NDArray[Any]
    #: Inputs that were given: as many as vectors, unless an input has several.
    inputs: int
    #: Whether it was a single one without a batch axis.
    single: bool


def real_batch(network: Network, host: HostParts | None, x: Any) -> Batch:
    """Give real inputs as vectors, through the host's part of the model if there is one.

    What may be a batch or a single input, as (1, 8) with an input shape of (1, 8), is a batch.

    Raises
    ------
    InputError
        If shape or type are others, or a number is not finite.
    """
    array = real_array(x, "x")
    if array.dtype == np.int16:
        raise InputError(
            "x must be real numbers, not int16, which are fixed-point codes elsewhere "
            "(eie.emulate): give x.astype(numpy.float32)"
        )
    own = network.input_shape if host is None else host.record.input_shape
    size = math.prod(own)
    shapes = ((size,), own)
    batch = array.ndim >= 2 and array.shape[1:] in shapes
    single = not batch and array.shape in shapes
    given = array[np.newaxis] if single else array
    if host is None:
        return Batch(network.flat_inputs(given, name="x"), len(given), single)
    if not batch and not single:
        sizes = ", ".join(map(str, own))
        raise InputError(f"x must have shape (batch, {sizes}), or be flat, not {array.shape}")
    if not np.isfinite(given).all():
        raise InputError("x must be finite")
    return Batch(host.features(given), len(given), single)


def typical_vectors(network: Network) -> npt.NDArray[np.int16]:
    """Give codes of a network without samples: its golden vectors, or random numbers."""
    if len(network.golden_inputs):
        return network.golden_inputs
    random = np.random.default_rng(0)
    codes = random.integers(1, 1 << 10, (SAMPLE, network.inputs))
    return (codes * (random.random(codes.shape) < _ASSUMED_DENSITY)).astype(np.int16)
