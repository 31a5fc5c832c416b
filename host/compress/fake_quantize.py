"""torch's own quantiser of training, ``fake_quantize_per_tensor_affine``, as one node of a program.

torch 2.13 lacks the shape rule of the kernel behind it, and cannot decompose a saved program that
holds one. The rule is given here, unless torch has one.
"""

from __future__ import annotations

import contextlib

import torch

__all__ = ["FAKE_QUANTIZE"]

#: Name of the operation in a graph.
FAKE_QUANTIZE = "aten.fake_quantize_per_tensor_affine.default"

# Refused by a torch that has the rule.
with contextlib.suppress(RuntimeError):

    @torch.library.register_fake(  # type: ignore[untyped-decorator]
        "aten::fake_quantize_per_tensor_affine_cachemask"
    )
    def _(
        values: torch.Tensor, scale: float, zero_point: int, low: int, high: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.empty_like(values), torch.empty_like(values, dtype=torch.bool)
