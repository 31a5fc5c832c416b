"""Layers that add to the same sums, computed as one.

``W a + V b`` is one product: of the matrices side by side with the activations one behind the
other. So a chain costs what a layer does, and a layer by itself is a chain of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from eie.hls.model.compiled.library import model_library
from eie.hls.model.compiled.weights import CompiledWeights
from eie.hls.model.memory_image import ResidentLayer
from eie.hls.model.sparse_product import SparseProduct
from eie.hls.spec.fixed_point import bound, write_back_steps
from eie.hls.spec.packets import MAX_COLUMNS

__all__ = ["LayerChain", "chains_of"]

Codes = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class LayerChain:
    """Layers of which all but the last accumulate."""

    layers: tuple[ResidentLayer, ...]

    @property
    def last(self) -> ResidentLayer:
        """The layer whose sums are written back."""
        return self.layers[-1]

    def run(self, activations: Codes) -> tuple[Codes, int]:
        """Codes by slot, those of padding rows behind, and how many were saturated.

        By the model's C++ where it compiles; :meth:`run_in_numpy` is what it must equal. Padding
        rows give 0, but for loads that no packer makes. They do not count.

        Parameters
        ----------
        activations
            int16, shape (batch, columns of all layers): what each takes, one behind the other.

        Returns
        -------
        tuple of ndarray and int
            int16, shape (batch, slots), and the count.
        """
        if self._compiled is None:
            return self.run_in_numpy(activations)
        return self._compiled.run(activations)

    def run_in_numpy(self, activations: Codes) -> tuple[Codes, int]:
        """As :meth:`run`, in numpy: the specification."""
        codes, marks = self.run_marked(activations)
        return codes, int(np.count_nonzero(marks[:, : self.last.rows]))

    def run_marked(self, activations: Codes) -> tuple[Codes, npt.NDArray[np.bool_]]:
        """Codes by slot as :meth:`run`, and of each whether it was saturated."""
        rule, bits = self.last.rule, self.last.accumulator_bits
        sums = self.product(activations) + self.last.bias
        limit = 1 << (bits - 1)
        # What an accumulator that is too narrow for them holds; a half it can always bear.
        if sums.min(initial=0) < -limit or sums.max(initial=0) >= limit:
            sums = _wrapped(sums, limit)
        *_, rounded = write_back_steps(sums, rule.shift, half_even=rule.half_even)
        return bound(rounded, rule)

    @cached_property
    def product(self) -> SparseProduct:
        """The weights of all layers, by slot."""
        if len(self.layers) == 1:
            return self.last.product
        parts = [layer.product for layer in self.layers]
        counts = np.concatenate([np.diff(part.starts) for part in parts])
        return SparseProduct(
            rows=self.last.product.rows,
            starts=np.concatenate([[0], np.cumsum(counts)]),
            row_of=np.concatenate([part.row_of for part in parts]),
            weights=np.concatenate([part.weights for part in parts]),
        )

    @cached_property
    def _compiled(self) -> CompiledWeights | None:
        library = model_library()
        # Its columns are numbered in 16 bits.
        if library is None or self.product.columns > MAX_COLUMNS:
            return None
        last = self.last
        return CompiledWeights(
            library,
            self.product,
            last.bias,
            last.rows,
            rule=last.rule,
            accumulator_bits=last.accumulator_bits,
        )


def _wrapped(sums: npt.NDArray[np.int64], limit: int) -> npt.NDArray[np.int64]:
    """What an accumulator of `limit` to either side holds of `sums`."""
    wrapped: npt.NDArray[np.int64] = (sums + limit) % (2 * limit) - limit
    return wrapped


def chains_of(layers: Sequence[ResidentLayer]) -> Iterator[tuple[int, LayerChain]]:
    """Chains of a network in order, each with the index of its first layer."""
    first = 0
    for index, layer in enumerate(layers):
        if not layer.accumulates:
            yield first, LayerChain(tuple(layers[first : index + 1]))
            first = index + 1
