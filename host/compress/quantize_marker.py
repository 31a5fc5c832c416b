"""A quantiser of activations as one node of an exported program, instead of half a dozen."""

from __future__ import annotations

import torch
from torch import nn

from eie.host.compress.model_graph import Quantize

__all__ = ["QUANTIZE", "QuantizeMarker"]

#: Name of the operation in a graph.
QUANTIZE = "eie.quantize.default"


@torch.library.custom_op("eie::quantize", mutates_args=())
def _quantize(values: torch.Tensor, step: float, low: int, high: int) -> torch.Tensor:
    return (values / step).round().clamp(low, high) * step


@_quantize.register_fake
def _(values: torch.Tensor, step: float, low: int, high: int) -> torch.Tensor:
    return torch.empty_like(values)


class QuantizeMarker(nn.Module):
    """A module that quantises its input."""

    def __init__(self, quantize: Quantize) -> None:
        super().__init__()
        self._quantize = quantize

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Quantise values of any shape."""
        rule = self._quantize
        result: torch.Tensor = _quantize(values, rule.step, rule.low, rule.high)
        return result
