"""What compression warns of: errors that are large or unknown, values cut off, values lost."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.boundary.errors import (
    EieWarning,
    InexactWarning,
    LossWarning,
    SaturationWarning,
    UncalibratedWarning,
    UnderflowWarning,
)
from eie.hls.boundary.text import counted, listed
from eie.hls.boundary.voice import argument, either
from eie.host.compress.rounding import RoundedModel
from eie.host.network import Network
from eie.host.network.loss_record import LossRecord

__all__ = ["MUCH", "UNKNOWN_ERROR", "warnings_of"]

#: Error of the median vector that is said to be much.
MUCH = 0.10
#: Share of a layer's weights that may round to 0 without a warning.
_FEW_WEIGHTS = 0.01
#: Bits, without the sign, below which an uncalibrated layer's outputs are said to have few.
_FEW_BITS = 6.0
#: What a network compressed without calibration says of its error.
UNKNOWN_ERROR = "not known: compressed without calibration"

Warned = tuple[type[EieWarning], str]

_ADVICE = {
    "rounding of weights": (
        "a layer's weights have one 16-bit format, set by the largest: scale the outputs or inputs "
        "whose weights are much larger than the others"
    ),
    "rounding of activations": (
        "a layer's values have one 16-bit format, set by the largest: bring the model's inputs, or "
        "a layer's outputs, to one scale (such as by a BatchNorm), and leave glitches out of the "
        "calibration"
    ),
    "saturation": (
        "values beyond the formats are cut off: give calibration inputs that cover the range, "
        "without glitches"
    ),
}


def warnings_of(rounded: RoundedModel, *, zeros: bool = False) -> Iterator[Warned]:
    """Give the category and text of each warning; none for a network that is as it should be.

    Parameters
    ----------
    rounded
        The result of compression.
    zeros
        Whether there was calibration data, which was all zeros.
    """
    record = rounded.record
    if rounded.exactness is not None and not rounded.exactness.exact:
        yield InexactWarning, f"quantised model: {rounded.exactness}"
    if record.error is None and rounded.exactness is None:
        yield UncalibratedWarning, _uncalibrated(rounded, zeros)
    elif record.error is not None:
        if record.inputs_saturated or any(
            layer.saturated or layer.weights_saturated for layer in record.layers
        ):
            yield SaturationWarning, _saturation(record)
        if record.error.median > MUCH:
            yield LossWarning, _loss(record, rounded.network)
    for text in _underflow(rounded):
        yield UnderflowWarning, text


def _uncalibrated(rounded: RoundedModel, zeros: bool) -> str:
    text = "calibration holds nothing but zeros" if zeros else "compressed without calibration"
    text += (
        ": how far the outputs are from the model's is not known, and inputs below -4 or above "
        "3.9998 are cut off"
    )
    few = [
        f"layer {layer.name!r} {max(bits, 0):.1f}"
        for layer, bits in zip(rounded.network.layers, rounded.typical_bits, strict=True)
        if bits < _FEW_BITS
    ]
    if few:
        text += f"; bits that are left for ordinary inputs where none may overflow: {listed(few)}"
    return f"{text}; give real inputs ({argument('calibration')})"


def _saturation(record: LossRecord) -> str:
    parts = []
    if record.inputs_saturated:
        largest = (
            f"feature {cut.feature} of vector {cut.vector}: {cut.value:g}"
            for cut in record.largest_cut
        )
        parts.append(f"{counted(record.inputs_saturated, 'input value')} ({listed(largest)})")
    parts += [
        f"{counted(layer.saturated, 'output')} of layer {layer.name!r}"
        for layer in record.layers
        if layer.saturated
    ]
    vectors = f" of {counted(record.vectors, 'calibration vector')}" if parts else ""
    weights = [
        f"{counted(layer.weights_saturated, 'weight')} of layer {layer.name!r} (the largest: "
        f"{layer.largest_weight:g})"
        for layer in record.layers
        if layer.weights_saturated
    ]
    return (
        f"the formats cut off {', '.join(parts)}{vectors}{' and ' if parts and weights else ''}"
        f"{', '.join(weights)}, so that ordinary values keep their digits: leave such vectors out "
        "if they are glitches, or give more of them if they are real"
    )


def _loss(record: LossRecord, network: Network) -> str:
    stage = record.main_stage
    assert stage is not None
    shares = ", ".join(f"{each.stage} {100 * each.median:.1f} %" for each in record.stages)
    return (
        f"error {record.error}: most of it comes from {stage.stage} (median vector: {shares}): "
        f"{_advice(stage.stage, network)}"
    )


def _advice(stage: str, network: Network) -> str:
    kept = argument("keep_weights", True)
    if stage == "pruning":
        sweep = either("", ", and `eie compress --sweep` shows what several cost")
        return (
            f"keep more weights ({argument('density', _denser(network))}{sweep}), or retrain while "
            f"pruning (eie.retrain, or eie.prune_linears in a loop of your own: "
            f"docs/how-to/retrain.md) and give {kept}"
        )
    if stage == "sharing":
        return (
            "15 shared weights a layer are too few as they were found: share them first and "
            "retrain (eie.retrain, or eie.share_linears in a loop of your own: "
            f"docs/how-to/retrain.md), and give {kept}"
        )
    return _ADVICE[stage]


def _denser(network: Network) -> float:
    """Twice the share of weights that is kept, or all, in round numbers."""
    weights = sum(layer.rows * layer.columns for layer in network.layers)
    return min(1.0, float(f"{2 * sum(layer.nonzeros for layer in network.layers) / weights:.1g}"))


def _underflow(rounded: RoundedModel) -> Iterator[str]:
    record = rounded.record
    zeroed = record.features_zeroed
    if zeroed:
        yield (
            f"{counted(len(zeroed), 'feature')} ({listed(zeroed)}) always become 0, since they are "
            "small beside the others: scale the features alike, and the first layer's weights to "
            "match"
        )
    for lost, layer in zip(record.layers, rounded.network.layers, strict=True):
        if lost.weights_zeroed > _FEW_WEIGHTS * lost.weights:
            yield (
                f"layer {lost.name!r}: {lost.weights_zeroed} of {lost.weights} weights become "
                f"0, since the largest of {lost.largest_weight:g} sets the format of all: "
                "scale the input or output that it belongs to"
            )
        # Hidden units that retraining has left with next to nothing are no loss.
        if lost.outputs_zeroed and layer is rounded.network.layers[-1]:
            yield (
                f"layer {lost.name!r}: {lost.outputs_zeroed} of {layer.rows} outputs always become "
                "0, since they are small beside the others: scale the layer's outputs alike"
            )
