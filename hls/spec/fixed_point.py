"""Fixed-point numbers: the one rule that torch, numpy and the generated C++ share.

A value is a signed 16-bit code ``q`` with ``frac`` fraction bits: ``value = q * 2**-frac``.
``frac`` belongs to a layer's input, weights or output, and may be negative or above 15.

Products and sums are exact integers with ``frac = input_frac + weight_frac``. *Write-back* turns
an accumulator into an output code, in this order:

1. ReLU, when the layer has one: negative sums become 0;
2. rounding shift by ``shift = input_frac + weight_frac - output_frac``: add half of the last
   place, then shift right arithmetically (ties go towards plus infinity); a shift of 0 adds 0;
3. saturation to -32768 ... 32767.

The C++ of the rule is ``write_back`` in ``templates/kernel/fixed_point.h``; the torch of it is
in ``host/compress/reference.py``. Tests hold all three against each other.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.real_arrays import real_array

__all__ = [
    "ACTIVATION_BITS",
    "CODE_MAX",
    "CODE_MIN",
    "FRAC_MAX",
    "FRAC_MIN",
    "MAX_SHIFT",
    "dequantize",
    "quantize",
    "saturation",
    "write_back",
]

#: Width of an activation and of a codebook weight, in bits (paper section IV: 16-bit fixed point).
ACTIVATION_BITS = 16
#: Smallest and largest activation code.
CODE_MIN, CODE_MAX = -(1 << (ACTIVATION_BITS - 1)), (1 << (ACTIVATION_BITS - 1)) - 1
#: Fraction lengths that a network may use.
FRAC_MIN, FRAC_MAX = -16, 31
#: Largest write-back shift; six bits hold it in the hardware.
MAX_SHIFT = 47
#: Values that are quantised at a time: the steps of a block find it in the processor's caches.
_BLOCK = 1 << 14


def quantize(values: npt.ArrayLike, frac: int, *, name: str = "values") -> npt.NDArray[np.int16]:
    """Round real numbers to the nearest 16-bit code and saturate.

    Parameters
    ----------
    values
        Real numbers, any shape.
    frac
        Fraction bits of the result.
    name
        What the values are, for the error message.

    Returns
    -------
    ndarray of int16, same shape
        ``clip(rint(values * 2**frac))``; ties go to the even code.

    Raises
    ------
    InputError
        If the values are not real numbers, or one of them is NaN or infinite.
    """
    array = real_array(values, name)
    codes = np.empty(array.shape, np.int16)
    flat, flat_codes = array.reshape(-1), codes.reshape(-1)
    # Single precision is as exact for what is single already: scaling changes the exponent only,
    # and codes and halves of a code have fewer bits than it holds.
    single = array.dtype in (np.float16, np.float32) and FRAC_MIN <= frac <= FRAC_MAX
    dtype = np.float32 if single else np.float64
    scale = dtype(math.ldexp(1.0, frac))
    lowest, highest = CODE_MIN / scale, CODE_MAX / scale
    for start in range(0, len(flat), _BLOCK):
        block = flat[start : start + _BLOCK].astype(dtype)
        if not np.isfinite(block).all():
            _refuse_infinite(array, name)
        # Saturated first, so that scaling never overflows.
        np.maximum(block, lowest, out=block)
        np.minimum(block, highest, out=block)
        np.multiply(block, scale, out=block)
        np.rint(block, out=block)
        flat_codes[start : start + _BLOCK] = block
    return codes


def _refuse_infinite(array: npt.NDArray[Any], name: str) -> None:
    """Say which values are not finite."""
    real = array.astype(np.float64)
    bad = ~np.isfinite(real)
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    raise InputError(
        f"{name} must be finite, not {real[where]!r} at index {where} "
        f"({int(bad.sum())} such values)"
    )


def saturation(values: npt.NDArray[Any], codes: npt.NDArray[np.int16], frac: int) -> str | None:
    """Say how many values their codes cannot hold, and what can be held; None if all are.

    Parameters
    ----------
    values
        Finite real numbers, any shape.
    codes
        What :func:`quantize` made of them, with the fraction length `frac`.
    """
    # Most batches reach neither end of the range, and need no second look at the values.
    at_end = (codes == CODE_MAX) | (codes == CODE_MIN)
    if not at_end.any():
        return None
    with np.errstate(over="ignore"):  # infinite is beyond the end, too
        scaled = np.ldexp(values[at_end].astype(np.float64), frac)
    # Beyond the ends by more than half of the last place.
    count = np.count_nonzero((scaled < CODE_MIN - 0.5) | (scaled >= CODE_MAX + 0.5))
    if not count:
        return None
    low, high = (code * 2.0**-frac for code in (CODE_MIN, CODE_MAX))
    return (
        f"{count} of {values.size} input values were saturated: the network's inputs go from "
        f"{low:g} to {high:g}; compress with calibration inputs of your range"
    )


def dequantize(codes: npt.NDArray[np.int16], frac: int) -> npt.NDArray[np.float32]:
    """Real numbers of `codes`: ``codes * 2**-frac`` as float32, which holds them exactly."""
    values = codes.astype(np.float32)
    return np.multiply(values, np.float32(math.ldexp(1.0, -frac)), out=values)


def write_back(sums: npt.NDArray[np.int64], shift: int, *, relu: bool) -> npt.NDArray[np.int16]:
    """Accumulators to output codes: ReLU, rounding shift, saturation (see the module's text).

    Parameters
    ----------
    sums
        Exact sums, bias included, any shape; below ``2**62`` in magnitude.
    shift
        0 to :data:`MAX_SHIFT`.
    relu
        Whether the layer ends in a ReLU.

    Returns
    -------
    ndarray of int16, same shape
    """
    if relu:
        sums = np.maximum(sums, 0)
    half = (1 << shift) >> 1
    return np.clip((sums + half) >> shift, CODE_MIN, CODE_MAX).astype(np.int16)
