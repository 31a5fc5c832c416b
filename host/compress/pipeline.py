"""From a torch model to a network file's contents, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from eie.hls.boundary.errors import InexactWarning, InputError, KeptDensityWarning, ModelError
from eie.hls.boundary.progress import tell
from eie.hls.boundary.warning import warn
from eie.hls.spec.fixed_point import quantize
from eie.host.compress.advice import UNKNOWN_ERROR, warnings_of
from eie.host.compress.calibration import (
    check_calibration,
    check_sequences,
    flatten_calibration,
    likely_shape,
)
from eie.host.compress.choosing import clusterings, prune_and_share
from eie.host.compress.dense_layer import DenseModel
from eie.host.compress.densities import choose_densities
from eie.host.compress.exactness import NOT_EXACT, exact_formats, is_quantized
from eie.host.compress.program import Model
from eie.host.compress.pruning import Density
from eie.host.compress.reader import read_model, takes_input_shape
from eie.host.compress.reference import TorchReference
from eie.host.compress.rounding import round_model
from eie.host.compress.sequence_model import SequenceModel
from eie.host.compress.sequence_pipeline import compress_sequences
from eie.host.compress.sharing import SharedWeights, keep_shared
from eie.host.compress.state_dict import StateDict
from eie.host.compress.weight_planes import split_planes
from eie.host.network import Network
from eie.host.network.input_shape import INPUT_SHAPE, shape_text
from eie.host.network.loss_record import METADATA_KEY

__all__ = ["GOLDEN_VECTORS", "compress", "compress_read"]

#: Golden vectors of a network, if not said otherwise.
GOLDEN_VECTORS = 16
#: Seed of the golden inputs of a network without calibration data.
_GOLDEN_SEED = 0

Samples = npt.NDArray[np.float64]


def compress(
    model: Model,
    *,
    density: Density | None = None,
    calibration: npt.ArrayLike | None = None,
    keep_weights: bool = False,
    golden: int = GOLDEN_VECTORS,
    input_shape: Sequence[int] | None = None,
    state_dict: StateDict | None = None,
) -> Network:
    """Prune a model, share its weights and round it to 16-bit fixed point.

    Parameters
    ----------
    model
        A ``torch.nn.Module`` (left as it was), a ``torch.export`` program, a Keras 3 model, or the
        path of a saved one (``.pt2``, ``.onnx``, ``.keras``); see
        :func:`eie.host.compress.reader.read_model` for what it may hold.
    density
        Share of the weights to keep, above 0 and at most 1: one for all layers, or by layer name.
        Layers without one keep 0.1; but one that is pruned already (more than a tenth of its
        weights are zero) or shared already (at most 15 distinct non-zero weights) keeps what it
        has, and a warning says so. 1.0 shares the weights and prunes none. Not used with
        `keep_weights`.
    calibration
        Real inputs, shape (n, features), or (n, ...) with the model's input shape; of a recurrent
        model sequences, (n, steps, features) or a list of (steps, features). Fraction
        lengths are taken from the values that they give; without them, from the weights and
        unit-scale inputs (see :mod:`eie.host.compress.formats`).
        Shared weights are chosen by what they do to the outputs then
        (see :mod:`eie.host.compress.choosing`).
    keep_weights
        Take weights that are pruned and shared already as they are: structure and grouping
        exactly, and values exactly where 16 bits hold them.
    golden
        Golden vectors of the network, 0 or more: the first rows of `calibration`, as far as
        there are, or else seeded random numbers from -1 to 1.
    input_shape
        Shape of one input of a module, without the batch; taken from `calibration` or from the
        first Linear when not given.
    state_dict
        Weights for a module, or the path of a file of ``torch.save`` that holds them.

    Returns
    -------
    Network
        The same for the same arguments, byte by byte.

    Raises
    ------
    ModelError
        If the model holds something that cannot be compressed; the message names the node or
        layer.
    InputError
        If another argument is not what it must be.

    Warns
    -----
    UncalibratedWarning
        Without calibration: the error is not known then.
    SaturationWarning
        If the formats cut off calibration values, as they do with glitches; names them.
    LossWarning
        If the median vector's outputs are off by more than a tenth; says which step lost it, and
        what helps.
    InexactWarning
        If a quantised model's own integers are not reproduced for every input; says which rows may
        differ, and how many outputs did.
    UnderflowWarning
        If features, or more than a hundredth of a layer's weights, become 0; names them.

    Notes
    -----
    ``LossRecord.of(network)`` (:mod:`eie.host.network.loss_record`) gives errors, losses by step
    and counts as numbers.
    """
    _check_golden(golden)
    if calibration is not None and input_shape is None and takes_input_shape(model):
        input_shape = likely_shape(calibration)
    tell("reading the model")
    return compress_read(
        read_model(model, input_shape=input_shape, state_dict=state_dict),
        density=density,
        calibration=calibration,
        keep_weights=keep_weights,
        golden=golden,
    )


def compress_read(
    dense: DenseModel | SequenceModel,
    *,
    density: Density | None = None,
    calibration: npt.ArrayLike | None = None,
    keep_weights: bool = False,
    golden: int = GOLDEN_VECTORS,
) -> Network:
    """Compress a model that is read already, as :func:`compress` does."""
    _check_golden(golden)
    if isinstance(dense, SequenceModel):
        return compress_sequences(
            dense,
            density=density,
            calibration=None
            if calibration is None
            else check_sequences(calibration, dense.features),
            keep_weights=keep_weights,
            golden=golden,
        )
    samples = None
    if calibration is not None:
        samples = flatten_calibration(check_calibration(calibration), dense)
    if density is None and is_quantized(dense):
        dense = _in_planes(dense)
    notes = {"compression": "weights kept as given" if keep_weights else "pruned and shared"}
    # How the weights were clustered, of the model as it is and, where tried, with scaled features.
    ways: list[dict[str, str]] = []
    if not keep_weights:
        densities = choose_densities(dense.layers, density, quantized=is_quantized(dense))
        notes |= densities.notes()
        if densities.kept:
            warn(densities.warning(), KeptDensityWarning)

    def share_weights(scaled: DenseModel, inputs: Samples | None) -> tuple[SharedWeights, ...]:
        if keep_weights:
            return keep_shared(scaled.layers)
        found = prune_and_share(scaled.layers, densities.values, inputs)
        ways.append(clusterings(found))
        return tuple(of_layer.shared for of_layer in found)

    # Zeros say nothing of what the inputs will be.
    known = samples if samples is not None and samples.any() else None
    best = round_model(dense, share_weights, known, keep_weights=keep_weights)
    network, record = best.network, best.record
    if ways:
        notes |= ways[-1 if network.feature_fracs is not None else 0]
    metadata = {
        "model": dense.name,
        INPUT_SHAPE: shape_text(dense.input_shape),
        "torch": torch.__version__,
        **notes,
        "density": ", ".join(f"{layer.name}: {layer.density:.4f}" for layer in network.layers),
        "formats": best.origin,
        "error": str(record.error or UNKNOWN_ERROR),
        METADATA_KEY: record.as_text(),
    }
    if best.exactness is not None:
        metadata["exactness"] = str(best.exactness)
    elif is_quantized(dense):
        metadata["exactness"] = NOT_EXACT
        warn(f"quantised model: {NOT_EXACT}", InexactWarning)
    for category, text in warnings_of(best, zeros=samples is not known):
        warn(text, category)
    codes = quantize(_golden_inputs(dense, known, golden), network.input_frac, name="golden inputs")
    return replace(
        network,
        golden_inputs=codes,
        golden_outputs=TorchReference(network)(codes),
        metadata=metadata,
    )


def _in_planes(dense: DenseModel) -> DenseModel:
    """Give a quantised model with weights of 8 bits in two planes, where it is exact for it."""
    split = split_planes(dense)
    if split is dense:
        return dense
    try:
        exact = exact_formats(split, keep_shared(split.layers)) is not None
    except ModelError:
        exact = False
    return split if exact else dense


def _check_golden(golden: int) -> None:
    if not isinstance(golden, int) or isinstance(golden, bool) or golden < 0:
        raise InputError(f"golden must be an integer of at least 0, not {golden!r}")


def _golden_inputs(model: DenseModel, samples: Samples | None, golden: int) -> Samples:
    if samples is not None:
        return samples[:golden]
    return np.random.default_rng(_GOLDEN_SEED).uniform(-1.0, 1.0, (golden, model.features))
