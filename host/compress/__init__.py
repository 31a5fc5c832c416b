"""From a torch model to a :class:`~eie.host.network.Network`, after Deep Compression.

Read the model, prune, share weights, choose fixed-point formats, quantise; helpers to retrain in
between; and the integer reference that every engine must equal. This is the only part of eie
that needs torch.
"""

from eie.hls.boundary.installation import how_to_install

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError(
        f"eie.host.compress needs torch, which is not installed: {how_to_install('compress')}"
    ) from error

from eie.host.compress.dense_layer import DenseLayer, DenseModel
from eie.host.compress.densities import PRUNED_DENSITY
from eie.host.compress.fine_tuning import Codebook, freeze_codebooks, share_linears
from eie.host.compress.formats import Formats, assumed_formats, choose_formats, largest_frac
from eie.host.compress.pipeline import compress
from eie.host.compress.pruning import (
    DEFAULT_DENSITY,
    apply_masks,
    layer_densities,
    magnitude_mask,
    prune_linears,
)
from eie.host.compress.quantization import quantize_layer
from eie.host.compress.ranges import Ranges, observed_ranges, robust_range
from eie.host.compress.reader import read_model
from eie.host.compress.reference import TorchReference
from eie.host.compress.sharing import MAX_CENTROIDS, SharedWeights, cluster, keep_shared, share

__all__ = [
    "DEFAULT_DENSITY",
    "MAX_CENTROIDS",
    "PRUNED_DENSITY",
    "Codebook",
    "DenseLayer",
    "DenseModel",
    "Formats",
    "Ranges",
    "SharedWeights",
    "TorchReference",
    "apply_masks",
    "assumed_formats",
    "choose_formats",
    "cluster",
    "compress",
    "freeze_codebooks",
    "keep_shared",
    "largest_frac",
    "layer_densities",
    "magnitude_mask",
    "observed_ranges",
    "prune_linears",
    "quantize_layer",
    "read_model",
    "robust_range",
    "share",
    "share_linears",
]
