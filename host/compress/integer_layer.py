"""One layer in torch integers: exact products, write-back and functions.

It shares no arithmetic with the numpy emulator: sums are torch's sparse product of int64
matrices, exact in any order, and write-back is the rule of :mod:`eie.hls.spec.fixed_point` written
again in torch.
"""

from __future__ import annotations

import numpy as np
import torch

from eie.hls.spec.cell import GATES
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, SLOPE_BITS
from eie.host.compress import torch_cell
from eie.host.network import Layer

__all__ = ["IntegerLayer"]


class IntegerLayer:
    """One layer over int64 rows of activations, shape (vectors, columns)."""

    def __init__(self, layer: Layer) -> None:
        places = np.stack([layer.indices.astype(np.int64), layer.column_of_entry()])
        self._matrix = torch.sparse_coo_tensor(
            torch.from_numpy(places),
            torch.from_numpy(layer.codebook[layer.codes].astype(np.int64)),
            (layer.rows, layer.columns),
            check_invariants=True,
        )
        self._bias = torch.from_numpy(layer.bias.copy())
        self._layer = layer

    def product(self, activations: torch.Tensor) -> torch.Tensor:
        """Sums of the products, without the bias."""
        product: torch.Tensor = torch.sparse.mm(self._matrix, activations.T).T
        return product

    def write_back(self, sums: torch.Tensor) -> tuple[torch.Tensor, int]:
        """Sums to codes, and how many results were saturated: of a unit, if one of its gates is."""
        rule = self._layer.write_back
        half = (1 << rule.shift) >> 1
        with_half = sums + self._bias + half
        rounded = with_half >> rule.shift
        if rule.half_even and rule.shift:
            ties = with_half % (1 << rule.shift) == 0
            rounded = torch.where(ties, rounded - rounded % 2, rounded)
        cut = rounded.clamp(CODE_MIN, CODE_MAX)
        saturated = cut != rounded
        if rule.slope is None:
            above = saturated & (rounded > 0) & (rule.high == CODE_MAX)
            saturated = above | (saturated & (rounded < 0) & (rule.low == CODE_MIN))
        else:
            leaked = (cut * rule.slope + (1 << (SLOPE_BITS - 1))) >> SLOPE_BITS
            cut = torch.where(cut < 0, leaked, cut)
        if self._layer.recurrent:
            saturated = saturated.reshape(len(saturated), GATES, -1).any(1)
        return cut.clamp(rule.low, rule.high), int(saturated.sum())

    def function(self, codes: torch.Tensor) -> torch.Tensor:
        """What becomes of the codes of a layer without a state."""
        if self._layer.activation == "sigmoid":
            return torch_cell.sigmoid(codes)
        return torch_cell.tanh(codes) if self._layer.activation == "tanh" else codes

    def step(self, codes: torch.Tensor, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Gates (vectors, 4 units) and what the cells keep, to results and what they keep then."""
        gates = codes.reshape(len(codes), GATES, -1).transpose(0, 1)
        lstm = self._layer.activation == "lstm"
        return (torch_cell.lstm_step if lstm else torch_cell.gru_step)(gates, cells)
