"""From a model of sequences to a network: pruned, shared, rounded, and held against the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from eie.hls.boundary.errors import (
    EieWarning,
    KeptDensityWarning,
    LossWarning,
    SaturationWarning,
    UncalibratedWarning,
    UnderflowWarning,
)
from eie.hls.boundary.progress import tell
from eie.hls.boundary.text import counted
from eie.hls.boundary.voice import argument
from eie.hls.boundary.warning import warn
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, quantize
from eie.host.compress.account import error_figures
from eie.host.compress.advice import MUCH, UNKNOWN_ERROR
from eie.host.compress.dense_layer import DenseLayer
from eie.host.compress.densities import choose_densities
from eie.host.compress.formats import Formats
from eie.host.compress.pruning import Density, magnitude_mask
from eie.host.compress.quantization import quantize_layer
from eie.host.compress.reference import TorchReference
from eie.host.compress.sequence_formats import PartFormats, choose_sequence_formats
from eie.host.compress.sequence_model import Batch, RecurrentLayer, SequenceModel, StepLayer
from eie.host.compress.sequence_reference import SequenceReference
from eie.host.compress.sharing import SharedWeights, keep_shared, share
from eie.host.network import Layer, Network
from eie.host.network.input_shape import INPUT_SHAPE, shape_text
from eie.host.network.loss_record import (
    METADATA_KEY,
    ErrorFigures,
    LayerLoss,
    LossRecord,
    StageLoss,
)
from eie.host.network.sequence_codes import (
    GOLDEN_SEQUENCE,
    SEQUENCE_OUTPUTS,
    golden_sequence_crc,
)
from eie.host.network.sizes import model_weights

__all__ = ["compress_sequences"]

#: Sequences and steps of what stands in for calibration, and its seed.
_ASSUMED, _ASSUMED_STEPS, _SEED = 16, 32, 0
#: Inputs that are assumed then lie within this.
_ASSUMED_RANGE = 4.0
#: Share of a layer's weights that may round to 0 without a warning.
_FEW_WEIGHTS = 0.01
#: A module's path is before this in the names of its matrices.
_MATRIX = ".weight_"

Reals = npt.NDArray[np.float64]
Shared = dict[str, SharedWeights]


def compress_sequences(
    model: SequenceModel,
    *,
    density: Density | None = None,
    calibration: Sequence[npt.NDArray[Any]] | None = None,
    keep_weights: bool = False,
    golden: int,
) -> Network:
    """Compress a model of sequences, as :func:`eie.host.compress.pipeline.compress` does.

    Parameters
    ----------
    model
        From :func:`eie.host.compress.reader.read_model`.
    density
        As for ``compress``; the name of a recurrent layer stands for both its matrices.
    calibration
        Real sequences, each of shape (steps, features).
    keep_weights
        Take weights that are pruned and shared already as they are.
    golden
        Golden vectors, each the first step of a sequence.
    """
    known = calibration is not None and any(np.any(each) for each in calibration)
    sequences = list(calibration) if calibration is not None and known else _assumed(model.features)
    notes = {"compression": "weights kept as given" if keep_weights else "pruned and shared"}
    pruned = {layer.name: layer.weights for layer in model.layers}
    if keep_weights:
        shared = dict(zip(pruned, keep_shared(model.layers), strict=True))
    else:
        densities = choose_densities(model.layers, _by_matrix(model, density), quantized=False)
        notes |= densities.notes()
        if densities.kept:
            warn(densities.warning(), KeptDensityWarning)
        for name, weights in pruned.items():
            pruned[name] = np.where(magnitude_mask(weights, densities.values[name]), weights, 0)
        tell("sharing weights")
        shared = {name: share(weights) for name, weights in pruned.items()}
    tables = {name: each.dense() for name, each in shared.items()}
    batch = Batch.of(sequences)
    formats, told = choose_sequence_formats(model.with_weights(tables), shared, batch)
    layers = _rounded(model, shared, formats, keep_weights)
    network = Network(layers)
    steps = _Steps(model, model.with_weights(pruned), model.with_weights(tables))
    record = _record(steps, network, shared, sequences if known else None)
    for category, text in (*((EieWarning, each) for each in told), *_warnings(record, network)):
        warn(text, category)
    codes = quantize(_golden(sequences, golden), network.input_frac, name="golden inputs")
    metadata = {
        "model": model.name,
        INPUT_SHAPE: shape_text(model.input_shape),
        SEQUENCE_OUTPUTS: "last" if model.last else "all",
        GOLDEN_SEQUENCE: golden_sequence_crc(SequenceReference(network)([codes]).outputs[0]),
        "torch": torch.__version__,
        **notes,
        "density": ", ".join(
            f"{layer.name}: {layer.nonzeros / weights:.4f}"
            for layer, weights in zip(layers, model_weights(layers), strict=True)
        ),
        "formats": (
            f"calibration: ranges of {len(sequences)} sequences, {len(batch.steps())} steps"
            if known
            else f"inputs of unit scale, within {_ASSUMED_RANGE:g}"
        ),
        "error": str(record.error or UNKNOWN_ERROR),
        METADATA_KEY: record.as_text(),
    }
    return replace(
        network, golden_inputs=codes, golden_outputs=TorchReference(network)(codes),
        metadata=metadata,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Steps:
    """The model, and what pruning and sharing made of it."""

    exact: SequenceModel
    pruned: SequenceModel
    shared: SequenceModel


def _assumed(features: int) -> list[Reals]:
    random = np.random.default_rng(_SEED)
    drawn = random.standard_normal((_ASSUMED, _ASSUMED_STEPS, features))
    # Headroom is added to what is seen.
    return list(np.clip(drawn, -_ASSUMED_RANGE / 2, _ASSUMED_RANGE / 2))


def _golden(sequences: Sequence[npt.NDArray[Any]], golden: int) -> Reals:
    found: Reals = np.concatenate(sequences)[:golden]
    return found


def _by_matrix(model: SequenceModel, density: Density | None) -> Density | None:
    """Give the density of a recurrent layer to its matrices, where none of theirs is given."""
    if not isinstance(density, Mapping):
        return density
    found = dict(density)
    for layer in model.layers:
        path, _, _ = layer.name.rpartition(_MATRIX)
        if path in density and layer.name not in density:
            found[layer.name] = density[path]
    names = {layer.name for layer in model.layers}
    paths = {name.rpartition(_MATRIX)[0] for name in names}
    return {name: value for name, value in found.items() if name in names or name not in paths}


def _rounded(
    model: SequenceModel, shared: Shared, formats: Sequence[PartFormats], keep_codes: bool
) -> tuple[Layer, ...]:
    """Round codebooks and biases, part by part."""
    layers: list[Layer] = []
    for part, chosen in zip(model.parts, formats, strict=True):
        sums = chosen.sum_frac

        def fixed(matrix: DenseLayer, weights: SharedWeights, input_frac: int) -> Layer:
            own = Formats(input_frac, sums - input_frac, sums)  # noqa: B023  # called at once
            return quantize_layer(matrix, weights, own, keep_codes=keep_codes)

        if isinstance(part, StepLayer):
            layer = fixed(part.dense, shared[part.dense.name], chosen.input_frac)
            layers.append(replace(layer, activation=part.function, output_frac=chosen.output_frac))
            continue
        of_input, of_state = (
            fixed(_expanded(part, place), _expanded_codes(part, place, shared), input_frac)
            for place, input_frac in enumerate((chosen.input_frac, chosen.output_frac))
        )
        layers.append(replace(of_input, accumulate=True))
        layers.append(
            replace(
                of_state,
                activation="lstm" if part.kind == "LSTM" else "gru",
                output_frac=chosen.output_frac,
                source=len(layers),
            )
        )
    return tuple(layers)


def _expanded(part: RecurrentLayer, place: int) -> DenseLayer:
    matrix = part.matrices[place]
    bias = part.bias if place else np.zeros(len(part.bias))
    return replace(matrix, weights=part.expand(matrix.weights, of_state=place == 1), bias=bias)


def _expanded_codes(part: RecurrentLayer, place: int, shared: Shared) -> SharedWeights:
    own = shared[part.matrices[place].name]
    return replace(own, codes=part.expand(own.codes, of_state=place == 1))


def _record(
    steps: _Steps, network: Network, shared: Shared, sequences: Sequence[Reals] | None
) -> LossRecord:
    """Account for what compression lost, of the outputs that the model gives."""
    saturated: tuple[int, ...] = (0,) * len(network.layers)
    error: ErrorFigures | None = None
    stages: tuple[StageLoss, ...] = ()
    beyond = 0
    if sequences is not None:
        tell("accounting for what is lost")
        frac = network.layers[0].input_frac
        codes = [quantize(each, frac) for each in sequences]
        found = SequenceReference(network)(codes)
        saturated = found.saturated
        last = steps.exact.last
        outputs = np.concatenate([each[-1:] if last else each for each in found.outputs])
        integer = np.ldexp(outputs.astype(np.float64), -network.output_frac)
        exact = steps.exact.forward(sequences)
        error = error_figures(integer, exact)
        rounded = steps.shared.with_weights(_rounded_weights(steps.exact, network))
        after = {
            "pruning": steps.pruned.forward(sequences),
            "sharing": steps.shared.forward(sequences),
            "rounding of weights": rounded.forward(sequences),
            "rounding of activations": integer,
        }
        found_stages, before = [], exact
        for stage, values in after.items():
            change = error_figures(values, before)
            found_stages.append(StageLoss(stage, change.median, change.worst))
            before = values
        stages = tuple(found_stages)
        scaled = np.ldexp(np.concatenate(sequences), frac)
        beyond = int(np.count_nonzero((scaled < CODE_MIN - 0.5) | (scaled >= CODE_MAX + 0.5)))
    return LossRecord(
        vectors=0 if sequences is None else sum(map(len, sequences)),
        error=error,
        stages=stages,
        layers=tuple(
            _layer_loss(layer, shared[layer.name], cut)
            for layer, cut in zip(network.layers, saturated, strict=True)
        ),
        inputs_saturated=beyond,
        largest_cut=(),
        features_zeroed=(),
        features_coarse=(),
    )


def _rounded_weights(model: SequenceModel, network: Network) -> dict[str, Reals]:
    """Weights as the codebooks have them, in the model's own rows."""
    fixed = {layer.name: layer for layer in network.layers}
    found = {}
    for part in model.parts:
        for matrix in part.matrices:
            layer = fixed[matrix.name]
            weights = np.ldexp(layer.dense_weights().astype(np.float64), -layer.weight_frac)
            if isinstance(part, RecurrentLayer) and part.kind == "GRU":
                mine = part.expand(np.ones(matrix.weights.shape, bool),
                                   of_state=matrix is part.of_state)  # fmt: skip
                weights = weights[mine.any(axis=1)]
            found[matrix.name] = weights
    return found


def _layer_loss(layer: Layer, shared: SharedWeights, saturated: int) -> LayerLoss:
    counts = np.bincount(shared.codes.ravel(), minlength=len(shared.centroids) + 1)[1:]
    rounded = np.ldexp(
        quantize(shared.centroids, layer.weight_frac).astype(np.float64), -layer.weight_frac
    )
    off = np.abs(rounded - shared.centroids)
    place = np.ldexp(1.0, -layer.weight_frac)
    return LayerLoss(
        name=layer.name,
        weights=int(counts.sum()),
        weights_zeroed=int(counts[rounded == 0].sum()),
        weights_coarse=int(counts[off > np.abs(shared.centroids) / 4].sum()),
        weights_saturated=int(counts[off > place].sum()),
        largest_weight=float(np.abs(shared.table()).max()),
        biases_zeroed=0,
        outputs_zeroed=0,
        saturated=saturated,
    )


def _warnings(record: LossRecord, network: Network) -> Iterator[tuple[type[EieWarning], str]]:
    if record.error is None:
        yield (
            UncalibratedWarning,
            "compressed without calibration: how far the outputs are from the model's is not "
            f"known, and inputs beyond {_ASSUMED_RANGE:g} are cut off; give real sequences "
            f"({argument('calibration')})",
        )
    cut = [
        f"{counted(lost.saturated, 'output')} of layer {layer.name!r}"
        + (" (a gate's sum beyond -16 to 16)" if layer.recurrent else "")
        for layer, lost in zip(network.layers, record.layers, strict=True)
        if lost.saturated
    ]
    if record.inputs_saturated:
        cut.insert(0, counted(record.inputs_saturated, "input value"))
    if cut:
        yield (
            SaturationWarning,
            f"the formats cut off {', '.join(cut)}, of {counted(record.vectors, 'step')} of the "
            "calibration: gates are flat there, but what a GRU's n is made of is not",
        )
    if record.error is not None and record.error.median > MUCH:
        stage = record.main_stage
        assert stage is not None
        shares = ", ".join(f"{each.stage} {100 * each.median:.1f} %" for each in record.stages)
        yield (
            LossWarning,
            f"error {record.error}: most of it comes from {stage.stage} (median: {shares}); "
            "recurrent layers lose much when they are pruned in one step: prune little by little "
            "and train in between (eie.retrain: docs/how-to/recurrent.md), or keep more weights",
        )
    for lost in record.layers:
        if lost.weights_zeroed > _FEW_WEIGHTS * lost.weights:
            yield (
                UnderflowWarning,
                f"layer {lost.name!r}: {lost.weights_zeroed} of {lost.weights} weights become 0, "
                f"since the largest of {lost.largest_weight:g} sets the format of all",
            )
