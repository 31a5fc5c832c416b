"""Fixed-point numbers: the one rule that torch, numpy and the generated C++ share.

A value is a signed 16-bit code ``q`` with ``frac`` fraction bits: ``value = q * 2**-frac``.
``frac`` belongs to a layer's input, weights or output, and may be negative or above 15. A
network's inputs may have one each: hosts quantise them, and the hardware never sees ``frac``, only
differences of it.

Products and sums are exact integers with ``frac = input_frac + weight_frac``. *Write-back* turns
an accumulator into an output code, in this order:

1. ReLU, when the layer has one: negative sums become 0;
2. rounding shift by ``shift = input_frac + weight_frac - output_frac``: add half of the last
   place, then shift right arithmetically (ties go towards plus infinity); a shift of 0 adds 0;
3. saturation to -32768 ... 32767.

What the first two give is held in the accumulator's width, so the proof that nothing overflows must
follow them: :func:`write_back_steps` is the rule for the numbers and for the proof alike. A value
is *saturated* if what comes out of the second lies outside the codes.

The C++ of the rule is ``write_back`` in ``templates/kernel/fixed_point.h``; the torch of it is
in ``host/compress/reference.py``. Tests hold all three against each other.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import Any, TypeAlias

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
    "Frac",
    "dequantize",
    "quantize",
    "write_back",
    "write_back_counted",
    "write_back_steps",
]

#: Width of an activation and of a codebook weight, in bits (paper section IV: 16-bit fixed point).
ACTIVATION_BITS = 16
#: Smallest and largest activation code.
CODE_MIN, CODE_MAX = -(1 << (ACTIVATION_BITS - 1)), (1 << (ACTIVATION_BITS - 1)) - 1
#: Fraction lengths that a network may use: numbers of 1e-33 to 1e33, which float32 holds as well.
FRAC_MIN, FRAC_MAX = -96, 96
#: Largest write-back shift; six bits hold it in the hardware.
MAX_SHIFT = 47
#: Values that are quantised at a time: the steps of a block find it in the processor's caches.
_BLOCK = 1 << 14


#: One fraction length, or one for each feature: int64, shape (features,).
Frac: TypeAlias = "int | npt.NDArray[np.int64]"


def quantize(values: npt.ArrayLike, frac: Frac, *, name: str = "values") -> npt.NDArray[np.int16]:
    """Round real numbers to the nearest 16-bit code and saturate.

    Parameters
    ----------
    values
        Real numbers, any shape.
    frac
        Fraction bits of the result; for values of shape (..., features) also one for each feature.
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
    if not isinstance(frac, (int, np.integer)):
        return _quantize_features(array, frac, name)
    codes = np.empty(array.shape, np.int16)
    flat, flat_codes = array.reshape(-1), codes.reshape(-1)
    # Single precision is as exact for what is single already: scaling changes the exponent only,
    # and codes and halves of a code have fewer bits than it holds.
    single = array.dtype in (np.float16, np.float32) and FRAC_MIN <= frac <= FRAC_MAX
    dtype = np.float32 if single else np.float64
    scale = dtype(math.ldexp(1.0, int(frac)))
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


def _quantize_features(
    array: npt.NDArray[Any], fracs: npt.NDArray[np.int64], name: str
) -> npt.NDArray[np.int16]:
    """Round with a fraction length for each feature, the last axis of `array`."""
    features = len(fracs)
    if array.ndim == 0 or array.shape[-1] != features:
        raise InputError(f"{name} must have shape (..., {features}), not {array.shape}")
    codes = np.empty(array.shape, np.int16)
    rows, row_codes = array.reshape(-1, features), codes.reshape(-1, features)
    scale = np.ldexp(1.0, fracs.astype(np.int32))  # int64 is too wide for ldexp on 32-bit boards
    lowest, highest = CODE_MIN / scale, CODE_MAX / scale
    step = max(1, _BLOCK // features)
    for start in range(0, len(rows), step):
        block = rows[start : start + step].astype(np.float64)
        if not np.isfinite(block).all():
            _refuse_infinite(array, name)
        np.clip(block, lowest, highest, out=block)
        np.multiply(block, scale, out=block)
        row_codes[start : start + step] = np.rint(block, out=block)
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


def dequantize(codes: npt.NDArray[np.int16], frac: Frac) -> npt.NDArray[np.float32]:
    """Real numbers of `codes`: ``codes * 2**-frac`` as float32, which holds them exactly.

    `frac` may be one for each feature, the last axis of `codes`.
    """
    values = codes.astype(np.float32)
    return np.multiply(values, np.ldexp(np.float32(1), -np.asarray(frac, np.int32)), out=values)


def write_back_steps(
    sums: npt.NDArray[np.int64], shift: int, *, relu: bool
) -> Iterator[npt.NDArray[np.int64]]:
    """Give what the accumulator holds in write-back, step by step, up to what is then saturated.

    Every step rises with the sum or stays level. So the steps of the smallest and of the largest
    sum bound those of all between them, which is what the overflow proof
    (:func:`eie.host.packing.packer.accumulator_bits_needed`) takes from here: a further activation
    is further steps, and proved with them. One that falls anywhere needs another proof.

    Parameters
    ----------
    sums, shift, relu
        As for :func:`write_back`.
    """
    yield sums
    if relu:
        sums = np.maximum(sums, 0)
        yield sums
    sums = sums + ((1 << shift) >> 1)
    yield sums
    yield sums >> shift


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
    return write_back_counted(sums, shift, relu=relu)[0]


def write_back_counted(
    sums: npt.NDArray[np.int64], shift: int, *, relu: bool
) -> tuple[npt.NDArray[np.int16], int]:
    """Give what :func:`write_back` gives, and how many of the codes were saturated."""
    (rounded,) = deque(write_back_steps(sums, shift, relu=relu), maxlen=1)
    codes = np.clip(rounded, CODE_MIN, CODE_MAX)
    return codes.astype(np.int16), int(np.count_nonzero(codes != rounded))
