"""What a flow's report says beyond a run: the network beside its model, and what PEs did."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import SaturationWarning
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.host.flow.accelerated_model import AcceleratedModel
from eie.host.flow.comparison import Comparison
from eie.host.flow.evaluation import Evaluation, evaluate_outputs
from eie.host.flow.reading import read_matching
from eie.host.network import Network

__all__ = ["beside_model", "counters_from_json", "counters_to_json"]

#: Vectors on which layers are compared, at most: their outputs are all held at once.
_COMPARED = 1000


def beside_model(
    model: Path,
    network: Network,
    design: Design,
    inputs: npt.NDArray[Any],
    labels: npt.NDArray[Any] | None,
    outputs: npt.NDArray[np.float32],
) -> tuple[Evaluation, Comparison]:
    """Lay a compressed network beside the model that it was made of.

    Parameters
    ----------
    model
        A saved ``torch.export`` program.
    network, design
        What was made of it.
    inputs
        Real inputs, shape (n, ...).
    labels
        Of the inputs; None without.
    outputs
        What the network gives for them, shape (n, outputs).

    Returns
    -------
    tuple of Evaluation, Comparison
        Over all vectors, and layer by layer over the first of them.

    Raises
    ------
    InputError
        If the labels are not what they must be.
    """
    from eie.host.compress.calibration import check_calibration, flatten_calibration

    dense = read_matching(network, model)
    samples = flatten_calibration(check_calibration(inputs), dense)
    with warnings.catch_warnings():  # told of when the outputs were computed
        warnings.simplefilter("ignore", SaturationWarning)
        comparison = AcceleratedModel(network, design, model=dense).compare(samples[:_COMPARED])
    exact = dense.forward(samples)
    return evaluate_outputs(outputs, labels=labels, float_outputs=exact), comparison


def counters_to_json(counters: Counters) -> dict[str, Any]:
    """Give counters as plain numbers and lists."""
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in dataclasses.asdict(counters).items()
    }


def counters_from_json(values: Mapping[str, Any] | None) -> Counters | None:
    """Read what :func:`counters_to_json` gave; None for None."""
    if values is None:
        return None
    return Counters(
        cycles=values["cycles"],
        busy=np.array(values["busy"], dtype=np.int64),
        starved=np.array(values["starved"], dtype=np.int64),
        full=np.array(values["full"], dtype=np.int64),
        layer_cycles=tuple(values["layer_cycles"]),
    )
