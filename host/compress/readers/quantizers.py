"""Quantisers as QONNX and Brevitas describe them: bits, signs, and how they round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.spec.fixed_point import ACTIVATION_BITS
from eie.host.compress.model_graph import Quantize

__all__ = ["Quantizer", "quantizer"]

#: Most bits of any quantiser, such as that of a bias.
_MOST_BITS = 48
_ROUNDINGS: dict[str, Callable[..., Any]] = {
    "ROUND": np.rint,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "ROUND_TO_ZERO": np.fix,
}


@dataclass(frozen=True)
class Quantizer:
    """Which whole numbers of steps there are, and how others become one of them."""

    bits: int
    low: int
    high: int
    rounding: str

    def steps(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Round real numbers of steps to whole ones, any shape."""
        rounded: npt.NDArray[Any] = _ROUNDINGS[self.rounding](values)
        return np.clip(rounded, self.low, self.high)

    def of_activations(self, step: float, zero: float) -> Quantize:
        """Give the quantiser of a layer's values.

        Parameters
        ----------
        step
            Real value of a step.
        zero
            Number of steps that stands for 0.

        Raises
        ------
        InputError
            If the accelerator has nothing like it; the message says what would do.
        """
        if self.bits > ACTIVATION_BITS:
            raise InputError(
                f"quantises activations to {self.bits} bits: the accelerator has "
                f"{ACTIVATION_BITS}; train with fewer, or give the model without this quantiser"
            )
        if self.rounding != "ROUND":
            raise InputError(
                f"rounds activations by {self.rounding}: ROUND is supported, to the nearest step"
            )
        if zero != 0:
            raise InputError(
                f"has a zero point of {zero:g}: activations must be quantised symmetrically, with "
                "a zero point of 0"
            )
        if not 0 < step < np.inf:
            raise InputError(f"must have a scale above 0, not {step:g}")
        return Quantize(float(step), self.low, self.high)


def quantizer(bits: float, attributes: Mapping[str, Any]) -> Quantizer:
    """Read a quantiser.

    Parameters
    ----------
    bits
        Width, a whole number of 2 or more (1 without signs).
    attributes
        ``signed``, ``narrow`` (without the lowest number, or the highest where nothing is
        negative) and ``rounding_mode``.

    Raises
    ------
    InputError
        If there is no such quantiser.
    """
    signed, narrow = bool(attributes.get("signed", 1)), bool(attributes.get("narrow", 0))
    rounding = attributes.get("rounding_mode", b"ROUND")
    rounding = rounding.decode("ascii", "replace") if isinstance(rounding, bytes) else rounding
    if bits != np.rint(bits) or not 1 + signed <= bits <= _MOST_BITS:
        raise InputError(
            f"must have a whole number of bits from {1 + signed} to {_MOST_BITS}, not {bits:g}"
        )
    if rounding.upper() not in _ROUNDINGS:
        raise InputError(f"rounds by {rounding[:40]!r}, which is none of {', '.join(_ROUNDINGS)}")
    width = int(bits)
    if signed:
        low, high = -(1 << (width - 1)) + narrow, (1 << (width - 1)) - 1
    else:
        low, high = 0, (1 << width) - 1 - narrow
    return Quantizer(width, low, high, rounding.upper())
