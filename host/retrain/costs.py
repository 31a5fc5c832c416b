"""What a step's weights take on the accelerator: bytes, cycles, and how evenly PEs are loaded."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DoesNotFitError, EieWarning
from eie.hls.spec.design import Design
from eie.host.compress.dense_layer import DenseModel
from eie.host.compress.pipeline import compress_read
from eie.host.network import Network
from eie.host.packing.packer import encode_network
from eie.host.packing.row_assignment import Assignment, assign_rows
from eie.host.packing.tiling import plan_passes
from eie.host.retrain.masks import heaviest_over_mean
from eie.host.retrain.report import Balance, LayerLoad
from eie.host.run.costs import measure_costs
from eie.host.search.fit import fit
from eie.host.search.prediction import Prediction, example_input

__all__ = ["Cost", "balance_of", "cost_of", "fixed_network"]

#: The paper's rows in turn, and the packer's.
_WAYS: tuple[Assignment, Assignment] = ("natural", "balanced")
#: Vectors that the formats of a step's network rest on, where only its cycles are asked for.
_VECTORS = 64


@dataclass(frozen=True)
class Cost:
    """Of a network on the design that fits it best."""

    design: Design
    loaded_bytes: int
    cycles: int
    latency_us: float | None


def fixed_network(
    dense: DenseModel, calibration: npt.NDArray[np.float64], *, shared: bool
) -> Network:
    """Make a network of a step's weights, to count cycles of: all weights that are not zero."""
    samples = calibration.reshape(len(calibration), -1)[:_VECTORS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)
        if shared:
            return compress_read(dense, keep_weights=True, calibration=samples)
        return compress_read(dense, density=1.0, calibration=samples)


def cost_of(network: Network, board: str, pes: int | None = None) -> Cost | None:
    """Predict what a network costs on a board, in passes if need be; None where nothing fits."""
    given: dict[str, Any] = {} if pes is None else {"pes": pes}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)
        try:
            design = fit(network, board, passes=True, **given).design
        except DoesNotFitError:
            return None
        plan = plan_passes(network, design)
        single = measure_costs(network, design, example_input(network), plan=plan).single
    return Cost(design, plan.loaded_bytes, single.total_cycles, single.allowed_us)


def balance_of(network: Network, design: Design) -> Balance:
    """Measure how evenly a network's weights lie on the PEs of a design."""
    loads = []
    for layer in network.layers:
        kept = layer.dense_codes() != 0
        natural, packed = (
            heaviest_over_mean(kept, assign_rows(layer, design.pes, how) % design.pes)
            for how in _WAYS
        )
        loads.append(LayerLoad(layer.name, natural, packed))
    natural_cycles, packed_cycles = (
        Prediction(encode_network(network, design, how)).cycles(design) for how in _WAYS
    )
    return Balance(design.pes, tuple(loads), natural_cycles, packed_cycles)
