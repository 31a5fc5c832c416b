"""Batches of data that is in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy.typing as npt
import torch

__all__ = ["BATCH", "Batches"]

#: Examples in a batch.
BATCH = 64


class Batches:
    """Batches of arrays that belong together (inputs, labels), in another order each time.

    Parameters
    ----------
    arrays
        Each of shape (n, ...).
    size
        Examples in a batch; the last one has what is left.
    """

    def __init__(self, *arrays: npt.NDArray[Any], size: int = BATCH) -> None:
        self._tensors: Sequence[torch.Tensor] = [torch.from_numpy(each) for each in arrays]
        self._size = size

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        """Give an epoch."""
        for chosen in torch.split(torch.randperm(len(self._tensors[0])), self._size):
            yield tuple(each[chosen] for each in self._tensors)
