"""Interleaved compressed sparse columns: the paper's encoding of one layer (section III).

Rows are dealt to the PEs: slot ``s`` of the row order lives on PE ``s mod N`` as local row
``s div N``. Each PE stores its part of a column as entries ``(v, z)``: v is the codebook index,
z the number of zeros before it among the PE's own rows. A run of zeros longer than z can say is
bridged by padding entries (v = 0, z at its largest), each standing for ``2**index_bits`` zeros.
Trailing zeros take nothing. A column's entries lie between two pointers.

The worked example of the paper: a column ``[0, 0, 1, 2, 0 x 18, 3]`` gives ``v = [1, 2, 0, 3]``
and ``z = [2, 0, 15, 2]``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["CODEBOOK_SIZE", "EncodedLayer", "decode", "encode"]

_CODE_BITS = 4
#: Shared weights of a layer; code 0 stands for zero (paper section III).
CODEBOOK_SIZE = 1 << _CODE_BITS


@dataclass(frozen=True, eq=False)
class EncodedLayer:
    """The entries and pointers of one layer, for every PE."""

    #: Bits of z.
    index_bits: int
    #: uint16, shape (total,): ``v << index_bits | z``, PE after PE, column after column.
    entries: npt.NDArray[np.uint16]
    #: int64, shape (pes + 1,): PE p holds ``entries[pe_starts[p]:pe_starts[p + 1]]``.
    pe_starts: npt.NDArray[np.int64]
    #: int64, shape (pes, columns + 1): column j of PE p holds entries ``pointers[p, j]`` to
    #: ``pointers[p, j + 1]``, counted from the PE's first.
    pointers: npt.NDArray[np.int64]

    @property
    def pes(self) -> int:
        """Number of PEs."""
        return len(self.pe_starts) - 1

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self.pointers.shape[1] - 1

    @property
    def padding(self) -> int:
        """Padding entries among all entries."""
        return int(np.count_nonzero(self.entries >> self.index_bits == 0))

    def lengths(self) -> npt.NDArray[np.int64]:
        """int64, shape (pes, columns): entries of each column in each PE."""
        return np.diff(self.pointers, axis=1)


def encode(
    slots: npt.NDArray[np.int64],
    columns_of: npt.NDArray[np.int64],
    codes: npt.NDArray[np.uint8],
    *,
    columns: int,
    pes: int,
    index_bits: int,
) -> EncodedLayer:
    """Encode the non-zeros of one layer.

    Parameters
    ----------
    slots
        Row slot of each non-zero, shape (nonzeros,), any order.
    columns_of
        Column of each non-zero, shape (nonzeros,).
    codes
        Codebook index of each non-zero, shape (nonzeros,), 1 to 15.
    columns
        Columns of the layer, at most 65,536.
    pes
        Number of PEs.
    index_bits
        Bits of z.
    """
    # One key holds PE, column, local row and code, from the top: sorting it sorts the weights, and
    # nothing has to be gathered afterwards. 8 + 16 + 32 + 4 bits at most.
    row_bits = int(slots.max(initial=0) // pes).bit_length()
    local, pe = np.divmod(slots, pes)
    keys = pe * columns + columns_of
    keys = (keys << row_bits) + local
    keys = (keys << _CODE_BITS) + codes
    keys.sort()
    codes = (keys & ((1 << _CODE_BITS) - 1)).astype(np.uint8)
    keys >>= _CODE_BITS
    local = keys & ((1 << row_bits) - 1)
    # A segment is one column of one PE; zeros are counted afresh in each.
    segment = keys >> row_bits
    zeros = local.copy()
    zeros[1:] -= np.where(segment[1:] == segment[:-1], local[:-1] + 1, 0)
    padding = zeros >> index_bits
    total = len(codes) + int(padding.sum())
    run_mask = (1 << index_bits) - 1
    # Everything starts as padding; the real entries are then put in their places.
    entries = np.full(total, run_mask, np.uint16)
    entries[np.arange(len(codes)) + np.cumsum(padding)] = codes.astype(np.uint16) << np.uint16(
        index_bits
    ) | (zeros & run_mask).astype(np.uint16)
    counts = np.bincount(segment, minlength=pes * columns)
    padded = np.flatnonzero(padding)
    counts += np.bincount(segment[padded], padding[padded], pes * columns).astype(np.int64)
    pointers = np.zeros((pes, columns + 1), np.int64)
    np.cumsum(counts.reshape(pes, columns), axis=1, out=pointers[:, 1:])
    pe_starts = np.concatenate([[0], np.cumsum(pointers[:, -1])])
    return EncodedLayer(index_bits, entries, pe_starts, pointers)


def decode(
    encoded: EncodedLayer,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Give the non-zeros back: (slots, columns, codes), PE after PE. The inverse of `encode`."""
    z = (encoded.entries & ((1 << encoded.index_bits) - 1)).astype(np.int64)
    codes = (encoded.entries >> encoded.index_bits).astype(np.uint8)
    lengths = encoded.lengths().ravel()
    rows_passed = np.concatenate([[0], np.cumsum(z + 1)])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    local = rows_passed[1:] - np.repeat(rows_passed[starts], lengths) - 1
    segment = np.repeat(np.arange(lengths.size), lengths)
    kept = codes != 0
    pe, column = np.divmod(segment[kept], encoded.columns)
    return local[kept] * encoded.pes + pe, column, codes[kept]
