"""Compressing the head of a model, with what tells which model it is of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from eie.host.compress.pipeline import compress_read
from eie.host.compress.pruning import Density
from eie.host.cut.model_parts import ModelParts
from eie.host.network import Network
from eie.host.network.head_record import HEAD

__all__ = ["compress_parts"]


def compress_parts(
    parts: ModelParts,
    *,
    density: Density | None = None,
    calibration: npt.NDArray[np.float64] | None = None,
    keep_weights: bool = False,
) -> Network:
    """Compress what the accelerator takes, as :func:`eie.compress` does a whole model.

    Parameters
    ----------
    parts
        The model as it was read.
    density, keep_weights
        As for :func:`eie.compress`.
    calibration
        What the head takes for real inputs: :meth:`HostParts.features` of them.
    """
    network = compress_read(
        parts.dense, density=density, calibration=calibration, keep_weights=keep_weights
    )
    if parts.host is None:
        return network
    return replace(network, metadata={**network.metadata, HEAD: parts.host.record.as_text()})
