"""Shared weights to a layer of 16-bit fixed-point numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, SLOPE_BITS, quantize
from eie.hls.spec.matrix_format import CODEBOOK_SIZE
from eie.host.compress.dense_layer import DenseLayer
from eie.host.compress.formats import Formats
from eie.host.compress.sharing import SharedWeights
from eie.host.network import Layer

__all__ = ["quantize_layer", "ties_as_the_model"]

#: Beyond every code, and a number that can be rounded.
_FAR = 1e9


def quantize_layer(
    layer: DenseLayer,
    shared: SharedWeights,
    formats: Formats,
    *,
    keep_codes: bool = False,
    exact: bool = False,
    beside_odd: bool = False,
) -> Layer:
    """Round the codebook and the bias of a layer.

    Rounding can make two shared weights equal, or one zero. Equal ones become one code, and
    entries of weight zero are dropped, so that what counts as a non-zero weight is one. With
    `keep_codes` every entry keeps its code instead: structure and grouping stay as given.

    Parameters
    ----------
    layer
        Gives name, bias and activation function.
    shared
        The layer's weights.
    formats
        From :func:`eie.host.compress.formats.choose_formats`; weights that
        :func:`eie.host.compress.codebook_ranges.hold_codebooks` gave up saturate in them.
    keep_codes
        Whether the codes stay as they are.
    exact
        Whether outputs are rounded and bounded as the model does it, where it does
        (see :mod:`eie.host.compress.exactness`).
    beside_odd
        Whether a layer that adds to the same sums has odd weights in its codebook.
    """
    weights = quantize(shared.centroids, formats.weight_frac, name=f"layer {layer.name!r}: weights")
    codes = shared.codes
    if not keep_codes:
        distinct = np.unique(weights[weights != 0])
        new_codes = np.where(weights != 0, np.searchsorted(distinct, weights) + 1, 0)
        codes = np.concatenate([[0], new_codes]).astype(np.uint8)[codes]
        weights = distinct
    codebook = np.zeros(CODEBOOK_SIZE, np.int16)
    codebook[1 : 1 + weights.size] = weights
    exact = exact and layer.quantizer is not None
    ends_even, scaled = False, np.ldexp(layer.bias, formats.sum_frac)
    bias = np.rint(scaled)
    if exact:
        shift = formats.sum_frac - formats.output_frac
        even = not beside_odd and not np.any(codebook & 1)
        bias, ends_even = ties_as_the_model(scaled, shift, even=even)
    return Layer.from_dense_codes(
        layer.name,
        codes,
        codebook=codebook,
        bias=bias.astype(np.int64),
        input_frac=formats.input_frac,
        weight_frac=formats.weight_frac,
        output_frac=formats.output_frac,
        half_even=ends_even,
        accumulate=layer.accumulate,
        source=layer.source,
        **_ending(layer, formats.output_frac, exact=exact),
    )


def ties_as_the_model(
    bias: npt.NDArray[np.float64], shift: int, *, even: bool
) -> tuple[npt.NDArray[np.float64], bool]:
    """Round biases so that sums in the middle between two outputs go where the model has them.

    A model rounds such a sum to the even output. There is one only where the bias lies on the grid
    of the sums; any other keeps all sums of its row off the middle. Rounded *down* it makes the
    same decisions if ties go up; and where all weights are even, a bias made odd keeps sums off the
    middle whatever ties do.

    Parameters
    ----------
    bias
        In units of the accumulator's last place.
    shift
        Right shift of write-back.
    even
        Whether all weights are even.

    Returns
    -------
    bias, half_even
        Whole numbers, and whether ties are to go to the even code.
    """
    down = np.floor(bias)
    on_grid = down == bias
    if not on_grid.any() or shift == 0:
        return down, False
    if on_grid.all():
        return down, True
    if shift >= 2 and even:
        return np.where(on_grid, down, down - down % 2 + 1), True
    return down, False


def _ending(layer: DenseLayer, output_frac: int, *, exact: bool) -> dict[str, Any]:
    """Fields that say what becomes of a layer's sums."""
    if layer.function == "leaky_relu":
        most = (1 << SLOPE_BITS) - 1
        slope = min(max(round(layer.slope * (1 << SLOPE_BITS)), 1), most)
        return {"activation": "leaky_relu", "slope": slope}
    if layer.function is not None:
        return {"activation": layer.function}
    low, high = (
        float(np.clip(np.ldexp(bound, output_frac), -_FAR, _FAR)) for bound in layer.bounds
    )
    if exact and layer.quantizer is not None:
        low, high = max(low, layer.quantizer.low), min(high, layer.quantizer.high)
    relu = layer.relu or low == 0
    codes = {
        "low": max(CODE_MIN, round(max(low, 0.0) if relu else low)),
        "high": min(CODE_MAX, round(high)),
    }
    if codes["low"] > 0:
        relu = False
    codes["high"] = max(codes["high"], codes["low"])
    return {"activation": "relu" if relu else "none", **codes}
