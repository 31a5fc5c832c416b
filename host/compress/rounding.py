"""A model to a network of 16-bit numbers: formats, and where it helps a scale for each feature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from eie.host.compress.account import loss_record
from eie.host.compress.codebook_ranges import hold_codebooks
from eie.host.compress.dense_layer import DenseModel, giver_of
from eie.host.compress.exactness import Exactness, exact_formats, exactness
from eie.host.compress.feature_scales import FeatureScales, feature_scales
from eie.host.compress.formats import (
    ASSUMED_ORIGIN,
    Formats,
    assumed_formats,
    choose_formats,
    typical_bits,
)
from eie.host.compress.quantization import quantize_layer
from eie.host.compress.ranges import observed_ranges
from eie.host.compress.sharing import SharedWeights
from eie.host.network import INPUT, Layer, Network
from eie.host.network.loss_record import LossRecord

__all__ = ["RoundedModel", "ShareWeights", "round_model"]

#: Scales of their own must bring the median vector's error below this share of what it is without.
_WORTH_SCALES = 0.9

Samples = npt.NDArray[np.float64]
#: Prunes and shares the weights of a model, with inputs to it if there are any.
ShareWeights = Callable[[DenseModel, Samples | None], Sequence[SharedWeights]]


@dataclass(frozen=True, eq=False)
class RoundedModel:
    """A network without golden vectors and metadata, and what is known of it."""

    network: Network
    record: LossRecord
    #: Where the formats come from.
    origin: str
    #: Bits, without the sign, that layers have for ordinary inputs; empty with calibration, which
    #: says more.
    typical_bits: tuple[float, ...]
    #: Of a quantised model whose integers are the network's.
    exactness: Exactness | None = None


def round_model(
    model: DenseModel,
    share_weights: ShareWeights,
    samples: Samples | None,
    *,
    keep_weights: bool = False,
) -> RoundedModel:
    """Round `model` to 16 bits.

    Features whose scales differ much get one each, if the error on the samples is smaller for it.
    With `keep_weights` they do not, since scaled columns would no longer share their weights.

    Parameters
    ----------
    model
        To be rounded.
    share_weights
        Called with the model and samples, scaled or not.
    samples
        Calibration data of shape (n, features); without it, formats come from the weights.
    keep_weights
        Whether the shared weights stay as they are, whatever rounding makes of them.
    """
    shared = share_weights(model, samples)
    formats = exact_formats(model, shared)
    if formats is not None:
        return _round_exactly(model, shared, formats, samples)
    uniform = _round(model, shared, samples, None, keep_weights)
    # What is added to the inputs as they are would no longer be: scaled columns have many weights.
    added = any(
        layer.fixed and giver_of(model.layers, index) == INPUT
        for index, layer in enumerate(model.layers)
    )
    scales = None if samples is None or keep_weights or added else feature_scales(samples)
    if samples is None or scales is None:
        return uniform
    scaled, inputs = scales.scale_model(model), scales.scale_inputs(samples)
    own = _round(scaled, share_weights(scaled, inputs), inputs, scales, keep_weights)
    assert uniform.record.error is not None
    assert own.record.error is not None
    if own.record.error.median >= _WORTH_SCALES * uniform.record.error.median:
        return uniform
    fracs = scales.fracs(own.network.layers[0].input_frac)
    return replace(
        own,
        network=replace(own.network, feature_fracs=fracs),
        record=_unscaled(own.record, scales),
        origin=f"{own.origin}; features have a scale each",
    )


def _round_exactly(
    model: DenseModel,
    weights: Sequence[SharedWeights],
    formats: Sequence[Formats],
    samples: Samples | None,
) -> RoundedModel:
    """Take a quantised model's own integers."""
    layers: list[Layer] = []
    beside_odd = False
    for layer, shared, chosen in zip(model.layers, weights, formats, strict=True):
        layers.append(
            quantize_layer(
                layer, shared, chosen, keep_codes=True, exact=True, beside_odd=beside_odd
            )
        )
        odd = beside_odd or bool(np.any(layers[-1].codebook & 1))
        beside_odd = layer.accumulate and odd
    network = Network(tuple(layers))
    record = loss_record(model, weights, network, samples)
    origin = "the model's own quantisers"
    return RoundedModel(network, record, origin, (), exactness(model, network, samples))


def _round(
    model: DenseModel,
    weights: Sequence[SharedWeights],
    samples: Samples | None,
    scales: FeatureScales | None,
    keep_weights: bool,
) -> RoundedModel:
    bits: tuple[float, ...] = ()
    if samples is None:
        formats = assumed_formats(model.layers, weights)
        bits = typical_bits(model.layers, weights, formats)
        origin = f"{ASSUMED_ORIGIN}; bits left for ordinary inputs: " + ", ".join(
            f"{layer.name}: {each:.1f}" for layer, each in zip(model.layers, bits, strict=True)
        )
    else:
        held = hold_codebooks(model.layers, weights, samples)
        ranges = observed_ranges(
            model.layers, held, samples, inputs=None if scales is None else scales.inputs
        )
        formats = choose_formats(model.layers, held, ranges)
        origin = ranges.origin
    layers = tuple(
        quantize_layer(layer, shared, chosen, keep_codes=keep_weights)
        for layer, shared, chosen in zip(model.layers, weights, formats, strict=True)
    )
    network = Network(layers)
    return RoundedModel(network, loss_record(model, weights, network, samples), origin, bits)


def _unscaled(record: LossRecord, scales: FeatureScales) -> LossRecord:
    """Give values of inputs as they were before they were scaled."""
    return replace(
        record,
        largest_cut=tuple(
            replace(cut, value=float(np.ldexp(cut.value, -int(scales.exponents[cut.feature]))))
            for cut in record.largest_cut
        ),
    )
