"""Fixed-point numbers: the one rule that torch, numpy and the generated C++ share.

A value is a signed 16-bit code ``q`` with ``frac`` fraction bits: ``value = q * 2**-frac``.
``frac`` belongs to a layer's input, weights or output, and may be negative or above 15. A
network's inputs may have one each: hosts quantise them, and the hardware never sees ``frac``, only
differences of it.

Products and sums are exact integers with ``frac = input_frac + weight_frac``. *Write-back* turns
an accumulator into an output code; :class:`WriteBack` says how a layer does it. In this order:

1. rounding shift by ``shift = input_frac + weight_frac - output_frac``: add half of the last
   place, then shift right arithmetically, so that ties go towards plus infinity; a layer may ask
   for ties to the even code instead (ONNX, Brevitas). A shift of 0 adds 0;
2. LeakyReLU, when the layer has one: saturation to 16 bits, then negative codes times a slope of
   16 fraction bits, rounded half up;
3. clamping to the layer's lowest and highest code: 0 and 32767 for a ReLU, others for ReLU6,
   hardtanh or outputs of 8 bits, and -32768 and 32767, the ends of 16 bits, for no bound at all.

What the first gives is held in the accumulator's width, so the proof that nothing overflows must
follow it: :func:`write_back_steps` is the rule for the numbers and for the proof alike. A value is
*saturated* if the end of 16 bits cut it off; a bound that the model asked for cuts nothing off.

The C++ of the rule is ``write_back`` in ``templates/kernel/fixed_point.h``; the torch of it is
in ``host/compress/reference.py``. Tests hold all three against each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
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
    "SLOPE_BITS",
    "Frac",
    "WriteBack",
    "bound",
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
#: Fraction bits of a LeakyReLU's slope.
SLOPE_BITS = 16
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


@dataclass(frozen=True)
class WriteBack:
    """How a layer turns its sums into codes.

    Attributes
    ----------
    shift
        Right shift, 0 to :data:`MAX_SHIFT`.
    low, high
        Lowest and highest code that it gives; the ends of 16 bits where there is a slope.
    slope
        What negative codes are multiplied by in a LeakyReLU, in units of ``2**-16``: 0 to 65535;
        None where there is none.
    half_even
        Whether ties are rounded to the even code rather than up.
    """

    shift: int
    low: int = CODE_MIN
    high: int = CODE_MAX
    slope: int | None = None
    half_even: bool = False


def write_back_steps(
    sums: npt.NDArray[np.int64], shift: int, *, half_even: bool = False
) -> Iterator[npt.NDArray[np.int64]]:
    """Give what the accumulator holds in write-back, step by step, up to what is then bounded.

    Every step rises with the sum or stays level. So the steps of the smallest and of the largest
    sum bound those of all between them, which is what the overflow proof
    (:func:`eie.host.packing.packer.accumulator_bits_needed`) takes from here: a further step is
    proved with them. One that falls anywhere needs another proof.

    Parameters
    ----------
    sums
        Exact sums, bias included, any shape; below ``2**62`` in magnitude.
    shift
        0 to :data:`MAX_SHIFT`.
    half_even
        Whether ties go to the even code: then a half below an even code is a bit less.
    """
    yield sums
    half: npt.NDArray[np.int64] | int = (1 << shift) >> 1
    if half_even and shift:
        half = half - (1 - ((sums >> shift) & 1))
    sums = sums + half
    yield sums
    yield sums >> shift


def write_back(sums: npt.NDArray[np.int64], rule: WriteBack) -> npt.NDArray[np.int16]:
    """Accumulators to output codes by `rule` (see the module's text).

    Parameters
    ----------
    sums
        Exact sums, bias included, any shape; below ``2**62`` in magnitude.
    rule
        How the layer does it.

    Returns
    -------
    ndarray of int16, same shape
    """
    return write_back_counted(sums, rule)[0]


def write_back_counted(
    sums: npt.NDArray[np.int64], rule: WriteBack
) -> tuple[npt.NDArray[np.int16], int]:
    """Give what :func:`write_back` gives, and how many of the codes were saturated."""
    *_, rounded = write_back_steps(sums, rule.shift, half_even=rule.half_even)
    codes, saturated = bound(rounded, rule)
    return codes, int(np.count_nonzero(saturated))


def bound(
    rounded: npt.NDArray[np.int64], rule: WriteBack
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]]:
    """Take the last of :func:`write_back_steps` to codes, and say which are saturated."""
    cut = np.clip(rounded, CODE_MIN, CODE_MAX)
    if rule.slope is None:
        # A bound that the model asked for cuts nothing off.
        above = (rounded > CODE_MAX) & (rule.high == CODE_MAX)
        below = (rounded < CODE_MIN) & (rule.low == CODE_MIN)
        return np.clip(cut, rule.low, rule.high).astype(np.int16), above | below
    leaked = (cut * rule.slope + (1 << (SLOPE_BITS - 1))) >> SLOPE_BITS
    return np.where(cut < 0, leaked, cut).astype(np.int16), cut != rounded
