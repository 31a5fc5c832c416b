"""Inputs of an accelerated model: given ones as a batch, and typical ones where there are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.real_arrays import real_array
from eie.host.network import Network
from eie.host.run.costs import SAMPLE

__all__ = ["real_batch", "typical_vectors"]

#: Share of non-zero inputs assumed where there are no vectors at all.
_ASSUMED_DENSITY = 0.5


def real_batch(network: Network, x: Any) -> tuple[npt.NDArray[Any], bool]:
    """Give real inputs as (n, inputs), and whether it was a single one without a batch axis.

    What may be both, as (1, 8) with an input shape of (1, 8), is a batch.
    """
    array = real_array(x, "x")
    if array.dtype == np.int16:
        raise InputError(
            "x must be real numbers, not int16, which are fixed-point codes elsewhere "
            "(eie.emulate): give x.astype(numpy.float32)"
        )
    shapes = ((network.inputs,), network.input_shape)
    batch = array.ndim >= 2 and array.shape[1:] in shapes
    single = not batch and array.shape in shapes
    return network.flat_inputs(array[np.newaxis] if single else array, name="x"), single


def typical_vectors(network: Network) -> npt.NDArray[np.int16]:
    """Give codes of a network without samples: its golden vectors, or random numbers."""
    if len(network.golden_inputs):
        return network.golden_inputs
    random = np.random.default_rng(0)
    codes = random.integers(1, 1 << 10, (SAMPLE, network.inputs))
    return (codes * (random.random(codes.shape) < _ASSUMED_DENSITY)).astype(np.int16)
