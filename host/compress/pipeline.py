"""From a torch model to a network file's contents, in one call."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from eie.hls.boundary.errors import EieWarning, InputError
from eie.hls.spec.fixed_point import dequantize, quantize
from eie.host.compress.calibration import check_calibration, flatten_calibration
from eie.host.compress.choosing import clusterings, prune_and_share
from eie.host.compress.dense_layer import DenseModel
from eie.host.compress.densities import choose_densities
from eie.host.compress.formats import assumed_ranges, choose_formats, observed_ranges
from eie.host.compress.program import Model
from eie.host.compress.pruning import Density
from eie.host.compress.quantization import quantize_layer
from eie.host.compress.reader import read_model
from eie.host.compress.reference import TorchReference
from eie.host.compress.sharing import keep_shared
from eie.host.network import Network

__all__ = ["GOLDEN_VECTORS", "compress"]

#: Golden vectors of a network, if not said otherwise.
GOLDEN_VECTORS = 16
#: Seed of the golden inputs of a network without calibration data.
_GOLDEN_SEED = 0


def compress(
    model: Model,
    *,
    density: Density | None = None,
    calibration: npt.ArrayLike | None = None,
    keep_weights: bool = False,
    golden: int = GOLDEN_VECTORS,
    input_shape: Sequence[int] | None = None,
) -> Network:
    """Prune a model, share its weights and round it to 16-bit fixed point.

    Parameters
    ----------
    model
        A ``torch.nn.Module`` (left as it was), a ``torch.export`` program, or the path of a
        saved one (``.pt2``); see :func:`eie.host.compress.reader.read_model` for what it may
        hold.
    density
        Share of the weights to keep, above 0 and at most 1: one for all layers, or by layer name.
        Layers without one keep 0.1; but one that is pruned already (more than a tenth of its
        weights are zero) or shared already (at most 15 distinct non-zero weights) keeps what it
        has, and a warning says so. 1.0 shares the weights and prunes none. Not used with
        `keep_weights`.
    calibration
        Real inputs, shape (n, features), or (n, ...) with the model's input shape. Fraction
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
    """
    if not isinstance(golden, int) or isinstance(golden, bool) or golden < 0:
        raise InputError(f"golden must be an integer of at least 0, not {golden!r}")
    samples = None if calibration is None else check_calibration(calibration)
    if samples is not None and input_shape is None and isinstance(model, torch.nn.Module):
        input_shape = samples.shape[1:]
    dense = read_model(model, input_shape=input_shape)
    if samples is not None:
        samples = flatten_calibration(samples, dense)
    if keep_weights:
        weights = keep_shared(dense.layers)
        notes = {"compression": "weights kept as given"}
    else:
        densities = choose_densities(dense.layers, density)
        if densities.kept:
            warnings.warn(densities.warning(), EieWarning, stacklevel=2)
        found = prune_and_share(dense.layers, densities.values, samples)
        weights = tuple(of_layer.shared for of_layer in found)
        notes = {"compression": "pruned and shared", **densities.notes(), **clusterings(found)}
    if samples is None:
        ranges = assumed_ranges(dense.layers, weights)
    else:
        ranges = observed_ranges(dense.layers, weights, samples)
    formats = choose_formats(dense.layers, weights, ranges)
    layers = tuple(
        quantize_layer(layer, shared, chosen, keep_codes=keep_weights)
        for layer, shared, chosen in zip(dense.layers, weights, formats, strict=True)
    )
    metadata = {
        "model": dense.name,
        "torch": torch.__version__,
        **notes,
        "density": ", ".join(f"{layer.name}: {layer.density:.4f}" for layer in layers),
        "formats": ranges.origin,
    }
    codes = quantize(
        _golden_inputs(dense, samples, golden), formats[0].input_frac, name="golden inputs"
    )
    network = Network(layers, codes[:0], np.zeros((0, layers[-1].rows), np.int16), metadata)
    reference = TorchReference(network)
    if samples is not None:
        error = _relative_error(dense, network, reference, samples)
        metadata["error"] = f"{100 * error:.2f} % rms of the model's outputs, on the calibration"
    return replace(network, golden_inputs=codes, golden_outputs=reference(codes), metadata=metadata)


def _relative_error(
    model: DenseModel,
    network: Network,
    reference: TorchReference,
    samples: npt.NDArray[np.float64],
) -> float:
    """Root mean square of what the compression changed, over that of the model's outputs."""
    exact = model.forward(samples)
    outputs = dequantize(reference(quantize(samples, network.input_frac)), network.output_frac)
    scale = float(np.sqrt(np.mean(exact**2)))
    return float(np.sqrt(np.mean((outputs - exact) ** 2))) / scale if scale else 0.0


def _golden_inputs(
    model: DenseModel, samples: npt.NDArray[np.float64] | None, golden: int
) -> npt.NDArray[np.float64]:
    if samples is not None:
        return samples[:golden]
    return np.random.default_rng(_GOLDEN_SEED).uniform(-1.0, 1.0, (golden, model.features))
