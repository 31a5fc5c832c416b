"""How well a compressed network does against the model that it was made of, by integers alone."""

from __future__ import annotations

import warnings

import numpy as np

from eie.hls.boundary.errors import EieWarning
from eie.hls.spec.fixed_point import dequantize
from eie.host.compress.dense_layer import DenseModel
from eie.host.compress.reference import TorchReference
from eie.host.compress.sequence_model import SequenceModel
from eie.host.compress.sequence_reference import SequenceReference
from eie.host.cut import ModelParts
from eie.host.flow.data import Data
from eie.host.flow.evaluation import Evaluation, evaluate_outputs, evaluate_through
from eie.host.flow.sequence_data import SequenceData
from eie.host.network import Network
from eie.host.network.input_codes import quantize_inputs
from eie.host.network.sequence_codes import sequence_codes

__all__ = ["evaluate_compressed"]


def evaluate_compressed(model: ModelParts, network: Network, data: Data) -> Evaluation:
    """Evaluate a network and its model on the calibration that it was compressed with.

    `data` must have samples, as the network takes them. No design is needed: it is the integer
    reference that is asked.
    """
    assert data.samples is not None
    if isinstance(data, SequenceData):
        return _of_sequences(model, network, data)
    with warnings.catch_warnings():  # compress has told of it
        warnings.simplefilter("ignore", EieWarning)
        codes = TorchReference(network)(quantize_inputs(network, data.samples))
    return evaluate_through(
        model.host,
        dequantize(codes, network.output_frac),
        labels=data.labels,
        float_outputs=model.dense.forward(data.samples),
    )


def _of_sequences(parts: ModelParts, network: Network, data: SequenceData) -> Evaluation:
    """Evaluate a recurrent network: of each sequence, or of each step, as the model gives."""
    model: DenseModel | SequenceModel = parts.dense
    assert isinstance(model, SequenceModel)
    with warnings.catch_warnings():  # as above
        warnings.simplefilter("ignore", EieWarning)
        codes = sequence_codes(network, list(data.sequences)).codes
    found = SequenceReference(network)(codes).outputs
    together = np.concatenate([each[-1:] if model.last else each for each in found])
    return evaluate_outputs(
        dequantize(together, network.output_frac),
        labels=data.labels,
        float_outputs=model.forward(data.sequences),
    )
