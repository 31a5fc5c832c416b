"""Inputs to a network's 16-bit codes: the one way for the command line, Python and driver.

Real numbers are rounded by the network's formats; int16 are taken for codes as they are. Whoever
gave real numbers gets real numbers back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, SaturationWarning
from eie.hls.boundary.real_arrays import real_array
from eie.hls.boundary.text import counted, listed
from eie.hls.boundary.warning import warn
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, dequantize, quantize
from eie.host.network.network import Network

__all__ = ["InputCodes", "input_codes", "quantize_inputs", "saturated_inputs"]


@dataclass(frozen=True, eq=False)
class InputCodes:
    """Inputs as a network takes them.

    Attributes
    ----------
    codes
        int16, shape (batch, inputs).
    real
        Whether real numbers were given, so that outputs are to be real numbers, too.
    saturated
        Values that 16 bits could not hold; 0 where codes were given.
    """

    codes: npt.NDArray[np.int16]
    real: bool
    saturated: int

    def answer(self, network: Network, outputs: npt.NDArray[np.int16]) -> npt.NDArray[Any]:
        """Give output codes in the kind of the inputs: float32 for real numbers, else int16."""
        return dequantize(outputs, network.output_frac) if self.real else outputs


def input_codes(network: Network, inputs: npt.ArrayLike) -> InputCodes:
    """Take real numbers or int16 codes for `network`, and warn of numbers that are cut off.

    Parameters
    ----------
    network
        Gives shape and formats.
    inputs
        Shape (batch, inputs), or with the model's own :attr:`~Network.input_shape`. Floats are
        real numbers, int16 are codes.

    Returns
    -------
    InputCodes

    Raises
    ------
    InputError
        If shape or type are others, or a number is not finite.

    Warns
    -----
    SaturationWarning
        If numbers lie beyond what their features hold.
    """
    array = real_array(inputs, "inputs")
    if array.dtype.kind == "f":
        codes = quantize_inputs(network, array)
        lost = int(saturated_inputs(network, network.flat_inputs(array), codes).sum())
        return InputCodes(codes, True, lost)
    if array.dtype == np.int16:
        return InputCodes(network.check_inputs(array), False, 0)
    raise InputError(
        f"inputs must be real numbers or int16 codes, not {array.dtype}: for numbers, "
        "inputs.astype(numpy.float32)"
    )


def quantize_inputs(
    network: Network, values: npt.ArrayLike, *, name: str = "inputs"
) -> npt.NDArray[np.int16]:
    """Round real inputs to the codes that `network` takes, and warn of those that are cut off.

    Parameters
    ----------
    network
        Gives the fraction length of each feature.
    values
        Real numbers, shape (batch, inputs), or with the model's own
        :attr:`~eie.host.network.Network.input_shape`.
    name
        What they are, for messages.

    Returns
    -------
    ndarray of int16, shape (batch, inputs)

    Raises
    ------
    InputError
        If the values are not real and finite, or have another shape.

    Warns
    -----
    SaturationWarning
        If values lie beyond what their features hold; says how many, and of which features.
    """
    array = network.flat_inputs(real_array(values, name), name=name)
    codes = quantize(array, network.input_frac, name=name)
    counts = saturated_inputs(network, array, codes)
    if counts.any():
        warn(_saturation(network, array, counts), SaturationWarning)
    return codes


def saturated_inputs(
    network: Network, values: npt.NDArray[Any], codes: npt.NDArray[np.int16]
) -> npt.NDArray[np.int64]:
    """Count the values that their codes cannot hold: int64, shape (inputs,), for each feature.

    Parameters
    ----------
    network
        For which they were quantised.
    values
        Finite real numbers, shape (batch, inputs).
    codes
        What :func:`eie.hls.spec.fixed_point.quantize` made of them.
    """
    # Most batches reach neither end of the range, and need no second look at the values.
    vector, feature = np.nonzero((codes == CODE_MAX) | (codes == CODE_MIN))
    fracs = np.broadcast_to(np.asarray(network.input_frac, np.int32), network.inputs)[feature]
    with np.errstate(over="ignore"):  # infinite is beyond the end, too
        scaled = np.ldexp(values[vector, feature].astype(np.float64), fracs)
    # Beyond the ends by more than half of the last place.
    beyond = (scaled < CODE_MIN - 0.5) | (scaled >= CODE_MAX + 0.5)
    return np.bincount(feature[beyond], minlength=network.inputs).astype(np.int64)


def _saturation(network: Network, values: npt.NDArray[Any], counts: npt.NDArray[np.int64]) -> str:
    features = np.flatnonzero(counts)
    fracs = np.broadcast_to(network.input_frac, network.inputs)[features]
    widest = int(fracs.min())
    low, high = (code * 2.0**-widest for code in (CODE_MIN, CODE_MAX))
    of = "their formats go" if network.feature_fracs is not None else "the network's inputs go"
    return (
        f"{int(counts.sum())} of {values.size} input values were saturated: "
        f"{counted(len(features), 'feature')} ({listed(features)}); {of} from {low:g} to "
        f"{high:g}{' at most' if fracs.min() != fracs.max() else ''}; compress with calibration "
        "inputs of your range"
    )
