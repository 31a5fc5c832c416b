"""How often each input of each layer is active: seen on calibration data, for the packer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.progress import tell
from eie.host.compress.reference import TorchReference
from eie.host.network import Network

__all__ = ["with_activity"]

#: Vectors that go through the reference at a time: their activations are int64.
_AT_ONCE = 1024


def with_activity(network: Network, codes: npt.NDArray[np.int16]) -> Network:
    """Note in each layer how often its inputs are not zero.

    What counts is what the accelerator broadcasts: integers, after rounding and saturation. They
    are those of the integer reference, so the result depends on nothing but `network` and `codes`.

    Parameters
    ----------
    network
        The network.
    codes
        int16, shape (vectors, inputs), at least one vector: calibration data as the network takes
        it.
    """
    reference = TorchReference(network)
    met = [np.zeros(layer.columns, np.int64) for layer in network.layers]
    for start in range(0, len(codes), _AT_ONCE):
        tell("counting active inputs", start, len(codes), "vectors")
        some = codes[start : start + _AT_ONCE]
        results = reference.layer_outputs(some)
        for number, (layer, counts) in enumerate(zip(network.layers, met, strict=True)):
            giver = number - 1 if layer.source is None else layer.source
            counts += np.count_nonzero(some if giver < 0 else results[giver], axis=0)
    layers = tuple(
        replace(layer, activity=(counts / len(codes)).astype(np.float32))
        for layer, counts in zip(network.layers, met, strict=True)
    )
    return replace(network, layers=layers)
