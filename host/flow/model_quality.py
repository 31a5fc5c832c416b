"""How well a compressed network does against the model that it was made of, by integers alone."""

from __future__ import annotations

import warnings

from eie.hls.boundary.errors import EieWarning
from eie.hls.spec.fixed_point import dequantize
from eie.host.compress.reference import TorchReference
from eie.host.cut import ModelParts
from eie.host.flow.data import Data
from eie.host.flow.evaluation import Evaluation, evaluate_through
from eie.host.network import Network
from eie.host.network.input_codes import quantize_inputs

__all__ = ["evaluate_compressed"]


def evaluate_compressed(model: ModelParts, network: Network, data: Data) -> Evaluation:
    """Evaluate a network and its model on the calibration that it was compressed with.

    `data` must have samples, as the network takes them. No design is needed: it is the integer
    reference that is asked.
    """
    assert data.samples is not None
    with warnings.catch_warnings():  # compress has told of it
        warnings.simplefilter("ignore", EieWarning)
        codes = TorchReference(network)(quantize_inputs(network, data.samples))
    return evaluate_through(
        model.host,
        dequantize(codes, network.output_frac),
        labels=data.labels,
        float_outputs=model.dense.forward(data.samples),
    )
