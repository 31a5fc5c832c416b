"""The network: what a compressed model says, and its file."""

from eie.host.network.layer import MAX_BIAS_BITS, Layer
from eie.host.network.network import Network

__all__ = ["MAX_BIAS_BITS", "Layer", "Network"]
