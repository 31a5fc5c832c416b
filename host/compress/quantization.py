"""Shared weights to a layer of 16-bit fixed-point numbers."""

from __future__ import annotations

import numpy as np

from eie.hls.spec.fixed_point import quantize
from eie.hls.spec.matrix_format import CODEBOOK_SIZE
from eie.host.compress.dense_layer import DenseLayer
from eie.host.compress.formats import Formats
from eie.host.compress.sharing import SharedWeights
from eie.host.network import Layer

__all__ = ["quantize_layer"]


def quantize_layer(
    layer: DenseLayer,
    shared: SharedWeights,
    formats: Formats,
    *,
    keep_codes: bool = False,
    exact: bool = False,
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
        Whether the bias is rounded down where the model rounds its outputs, which makes the same
        decisions as the bias itself (see :mod:`eie.host.compress.exactness`).
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
    bias = np.ldexp(layer.bias, formats.input_frac + formats.weight_frac)
    bias = np.floor(bias) if exact and layer.quantizer is not None else np.rint(bias)
    return Layer.from_dense_codes(
        layer.name,
        codes,
        codebook=codebook,
        bias=bias.astype(np.int64),
        activation="relu" if layer.relu else "none",
        input_frac=formats.input_frac,
        weight_frac=formats.weight_frac,
        output_frac=formats.output_frac,
    )
