"""The network: what a compressed model says, and its file."""

from eie.host.network.layer import INPUT, Layer
from eie.host.network.layer_checks import MAX_BIAS_BITS
from eie.host.network.network import Network

__all__ = ["INPUT", "MAX_BIAS_BITS", "Layer", "Network"]
