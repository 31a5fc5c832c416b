"""How well a compressed network does against the model that it was made of."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import SaturationWarning
from eie.hls.spec.fixed_point import dequantize
from eie.host.flow.evaluation import Evaluation, evaluate_outputs
from eie.host.network import Network
from eie.host.network.input_codes import quantize_inputs

__all__ = ["evaluate_compressed"]


def evaluate_compressed(
    model: Path,
    network: Network,
    calibration: npt.ArrayLike,
    labels: npt.ArrayLike | None,
) -> Evaluation:
    """Evaluate a network and its model on the calibration that it was compressed with.

    Raises
    ------
    InputError
        If the labels are not what they must be.
    """
    from eie.host.compress.calibration import check_calibration, flatten_calibration
    from eie.host.compress.reader import read_model
    from eie.host.compress.reference import TorchReference

    dense = read_model(model)
    samples = flatten_calibration(check_calibration(calibration), dense)
    with warnings.catch_warnings():  # compress has told of it
        warnings.simplefilter("ignore", SaturationWarning)
        codes = TorchReference(network)(quantize_inputs(network, samples))
    outputs = dequantize(codes, network.output_frac).astype(np.float64)
    return evaluate_outputs(outputs, labels=labels, float_outputs=dense.forward(samples))
