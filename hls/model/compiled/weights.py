"""A layer's products and write-back in C++ (`weights.h`): equal to those in numpy."""

from __future__ import annotations

import ctypes
import weakref

import numpy as np
import numpy.typing as npt

from eie.hls.model.compiled.library import WriteBack
from eie.hls.model.sparse_product import SparseProduct
from eie.hls.spec.fixed_point import WriteBack as WriteBackRule

__all__ = ["CompiledWeights"]

#: Products of a call of the library, some tenths of a second at most: Ctrl-C is heard in between.
_PRODUCTS_AT_ONCE = 1 << 29


class CompiledWeights:
    """The weights of a layer in the library.

    Parameters
    ----------
    library
        Of :func:`eie.hls.model.compiled.library.compile_model`.
    product
        The weights.
    bias
        int64, shape (product.rows,).
    counted
        Rows whose results count as saturated; those behind are padding.
    rule, accumulator_bits
        Of write-back; without a slope, which is not the PEs'.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        product: SparseProduct,
        bias: npt.NDArray[np.int64],
        counted: int,
        *,
        rule: WriteBackRule,
        accumulator_bits: int,
    ) -> None:
        self._library = library
        self._rows, self._columns, self._counted = product.rows, product.columns, counted
        self._write_back = WriteBack(
            rule.shift, rule.low, rule.high, rule.half_even, accumulator_bits
        )
        self._bias = np.ascontiguousarray(bias, np.int64)
        starts = np.ascontiguousarray(product.starts, np.int64)
        row_of = np.ascontiguousarray(product.row_of, np.int64)
        values = np.ascontiguousarray(product.weights, np.int16)
        self._at_once = max(1, _PRODUCTS_AT_ONCE // max(1, len(values)))
        self._handle = library.eie_weights_new(
            product.rows,
            product.columns,
            starts.ctypes.data,
            row_of.ctypes.data,
            values.ctypes.data,
        )
        if not self._handle:
            raise MemoryError("there is not enough memory for the weights of a layer")
        weakref.finalize(self, library.eie_weights_free, self._handle)

    def run(self, activations: npt.NDArray[np.int16]) -> tuple[npt.NDArray[np.int16], int]:
        """Outputs by slot and how many were saturated, as ``LayerChain.run_in_numpy``."""
        vectors, columns = activations.shape
        if activations.dtype != np.int16 or columns != self._columns:
            raise ValueError(f"activations must be int16 (batch, {self._columns})")
        size = activations.itemsize
        if activations.strides[1] != size or activations.strides[0] % size:
            activations = np.ascontiguousarray(activations)
        outputs = np.empty((vectors, self._rows), np.int16)
        saturated = 0
        for start in range(0, vectors, self._at_once):
            part, out = (array[start : start + self._at_once] for array in (activations, outputs))
            count = self._library.eie_weights_run(
                self._handle,
                self._write_back,
                self._bias.ctypes.data,
                part.ctypes.data,
                part.strides[0] // size,
                len(part),
                self._counted,
                out.ctypes.data,
            )
            if count < 0:
                raise MemoryError("there is not enough memory for the activations of a layer")
            saturated += count
        return outputs, saturated
