"""From a trained model to one with few, shared weights and the same accuracy: Deep Compression.

Sensitivity scan, gradual pruning, weight sharing with centroids that learn, fixed point, and
training in between. :func:`retrain` is all of it; this needs torch.
"""

from eie.hls.boundary.installation import how_to_install

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError(
        f"eie.host.retrain needs torch, which is not installed: {how_to_install('compress')}"
    ) from error

from eie.host.retrain.report import Balance, LayerLoad, Retrained, StepReport
from eie.host.retrain.retrain import retrain
from eie.host.retrain.schedule import Schedule
from eie.host.retrain.sensitivity import Sensitivity

__all__ = [
    "Balance",
    "LayerLoad",
    "Retrained",
    "Schedule",
    "Sensitivity",
    "StepReport",
    "retrain",
]
