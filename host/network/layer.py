"""One layer of a compressed network: its matrix in compressed sparse columns of codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.real_arrays import real_array
from eie.hls.boundary.text import counted, shown
from eie.hls.spec.fixed_point import FRAC_MAX, FRAC_MIN, MAX_SHIFT
from eie.hls.spec.matrix_format import CODEBOOK_SIZE
from eie.hls.spec.packets import MAX_COLUMNS

__all__ = ["MAX_BIAS_BITS", "Layer"]

#: A bias is a signed integer of at most this many bits, at accumulator precision.
MAX_BIAS_BITS = 48

Activation = Literal["none", "relu"]


@dataclass(frozen=True, eq=False, repr=False)
class Layer:
    """One fully connected layer ``y = f(W a + b)``; W in compressed sparse columns of codes.

    Compared by contents. Arrays are made read-only.

    Attributes
    ----------
    name
        Unique within the network; the torch module's path.
    rows
        Outputs of the layer.
    columns
        Inputs of the layer, at most :data:`MAX_COLUMNS`.
    indptr
        int64, shape (columns + 1,): column j holds entries ``indptr[j]:indptr[j + 1]``.
    indices
        int32, shape (nonzeros,): row of each entry, rising within a column.
    codes
        uint8, shape (nonzeros,): codebook index of each entry, 1 to 15.
    codebook
        int16, shape (16,): the shared weights; ``codebook[0] == 0``.
    bias
        int64, shape (rows,): bias at accumulator precision (input_frac + weight_frac).
    activation
        ``"relu"`` or ``"none"``.
    input_frac
        Fraction bits of the inputs.
    weight_frac
        Fraction bits of the codebook.
    output_frac
        Fraction bits of the outputs.
    activity
        float32, shape (columns,): share of calibration vectors in which each input is not zero,
        0 to 1; None if it is not known. No output depends on it: the packer evens the PEs' work
        out by it.
    """

    name: str
    rows: int
    columns: int
    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]
    codes: npt.NDArray[np.uint8]
    codebook: npt.NDArray[np.int16]
    bias: npt.NDArray[np.int64]
    activation: Activation
    input_frac: int
    weight_frac: int
    output_frac: int
    activity: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        problems = Problems(f"layer {shown(self.name)}")
        _check_layer(self, problems)
        problems.raise_as(InputError)
        for name, given in self.arrays().items():
            array = np.ascontiguousarray(given)
            if array.flags.writeable:
                array = array.copy()
                array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def nonzeros(self) -> int:
        """Number of weights kept."""
        return int(self.codes.size)

    @property
    def density(self) -> float:
        """Share of the weights that is kept."""
        return self.nonzeros / (self.rows * self.columns)

    @property
    def shift(self) -> int:
        """Right shift at write-back, in bits."""
        return self.input_frac + self.weight_frac - self.output_frac

    @property
    def relu(self) -> bool:
        """Whether the layer ends in a ReLU."""
        return self.activation == "relu"

    def column_of_entry(self) -> npt.NDArray[np.int32]:
        """int32, shape (nonzeros,): the column of each entry, in storage order."""
        return np.repeat(np.arange(self.columns, dtype=np.int32), np.diff(self.indptr))

    def dense_codes(self) -> npt.NDArray[np.uint8]:
        """uint8, shape (rows, columns): codebook indices with 0 for no weight."""
        dense = np.zeros((self.rows, self.columns), np.uint8)
        dense[self.indices, self.column_of_entry()] = self.codes
        return dense

    def dense_weights(self) -> npt.NDArray[np.int16]:
        """int16, shape (rows, columns): weights as fixed-point codes."""
        weights: npt.NDArray[np.int16] = self.codebook[self.dense_codes()]
        return weights

    @classmethod
    def from_dense_codes(
        cls,
        name: str,
        codes: npt.NDArray[np.uint8],
        *,
        codebook: npt.NDArray[np.int16],
        bias: npt.NDArray[np.int64] | None = None,
        activation: Activation = "none",
        input_frac: int = 8,
        weight_frac: int = 12,
        output_frac: int = 8,
    ) -> Layer:
        """Build a layer from a dense (rows, columns) matrix of codebook indices, 0: no weight."""
        codes = real_array(codes, f"layer {name!r}: codes")
        if codes.ndim != 2:
            raise InputError(
                f"layer {name!r}: codes must have shape (rows, columns), not {codes.shape}"
            )
        if codes.dtype.kind not in "iu" or np.any((codes < 0) | (codes >= CODEBOOK_SIZE)):
            raise InputError(
                f"layer {name!r}: codes must be integers from 0 to {CODEBOOK_SIZE - 1}"
            )
        rows, columns = codes.shape
        column, row = np.nonzero(codes.T)
        indptr = np.zeros(columns + 1, np.int64)
        np.cumsum(np.bincount(column, minlength=columns), out=indptr[1:])
        return cls(
            name=name,
            rows=rows,
            columns=columns,
            indptr=indptr,
            indices=row.astype(np.int32),
            codes=codes[row, column].astype(np.uint8),
            codebook=codebook,
            bias=np.zeros(rows, np.int64) if bias is None else bias,
            activation=activation,
            input_frac=input_frac,
            weight_frac=weight_frac,
            output_frac=output_frac,
        )

    def select_rows(self, rows: npt.NDArray[np.int64]) -> Layer:
        """Give the layer of some outputs alone: `rows`, int64, rising, of shape (outputs kept,)."""
        kept = np.zeros(self.rows, np.bool_)
        kept[rows] = True
        new_row = np.zeros(self.rows, np.int32)
        new_row[rows] = np.arange(len(rows), dtype=np.int32)
        entries = np.flatnonzero(kept[self.indices])
        return replace(
            self,
            rows=len(rows),
            indptr=np.searchsorted(entries, self.indptr),
            indices=new_row[self.indices[entries]],
            codes=self.codes[entries],
            bias=self.bias[rows],
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layer):
            return NotImplemented
        mine, theirs = self.arrays(), other.arrays()
        return (
            self.scalars() == other.scalars()
            and mine.keys() == theirs.keys()
            and all(np.array_equal(array, theirs[name]) for name, array in mine.items())
        )

    __hash__ = None  # type: ignore[assignment]  # holds arrays

    def __repr__(self) -> str:
        return (
            f"<Layer {shown(self.name)}: {self.columns} -> {self.rows}, "
            f"{counted(self.nonzeros, 'weight')} ({100 * self.density:.1f} %), {self.activation}>"
        )

    def scalars(self) -> dict[str, Any]:
        """Everything that is no array, by name."""
        names = ("name", "rows", "columns", "activation", "input_frac", "weight_frac")
        return {name: getattr(self, name) for name in (*names, "output_frac")}

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Every array that there is, by name."""
        names = ("indptr", "indices", "codes", "codebook", "bias", "activity")
        every = {name: getattr(self, name) for name in names}
        return {name: array for name, array in every.items() if array is not None}


def _check_layer(layer: Layer, problems: Problems) -> None:
    require = problems.require
    require(
        isinstance(layer.name, str) and bool(layer.name),
        f"name must be a non-empty string, not {shown(layer.name)}",
    )
    shaped = require(
        type(layer.rows) is int and layer.rows >= 1,  # True is an int, too
        f"rows must be at least 1, not {shown(layer.rows)}",
    )
    shaped &= require(
        type(layer.columns) is int and 1 <= layer.columns <= MAX_COLUMNS,
        f"columns must be 1 to {MAX_COLUMNS}, not {shown(layer.columns)}",
    )
    for name, dtype in (
        ("indptr", np.int64),
        ("indices", np.int32),
        ("codes", np.uint8),
        ("codebook", np.int16),
        ("bias", np.int64),
    ):
        array = getattr(layer, name)
        shaped &= require(
            isinstance(array, np.ndarray) and array.dtype == dtype and array.ndim == 1,
            f"{name} must be a one-dimensional array of {np.dtype(dtype).name}",
        )
    require(
        layer.activation in ("none", "relu"),
        f"activation must be 'none' or 'relu', not {shown(layer.activation)}",
    )
    for name in ("input_frac", "weight_frac", "output_frac"):
        value = getattr(layer, name)
        shaped &= require(
            type(value) is int and FRAC_MIN <= value <= FRAC_MAX,
            f"{name} must be {FRAC_MIN} to {FRAC_MAX}, not {shown(value)}",
        )
    if not shaped:
        return
    _check_activity(layer, problems)
    require(
        0 <= layer.shift <= MAX_SHIFT,
        f"input_frac + weight_frac - output_frac must be 0 to {MAX_SHIFT}, not {layer.shift}",
    )
    if require(
        layer.codebook.size == CODEBOOK_SIZE,
        f"codebook must have {CODEBOOK_SIZE} weights, not {layer.codebook.size}",
    ):
        require(
            int(layer.codebook[0]) == 0,
            f"codebook[0] must be 0 (code 0 stands for no weight), not {int(layer.codebook[0])}",
        )
    if require(
        layer.bias.size == layer.rows, f"bias must have {layer.rows} values, not {layer.bias.size}"
    ):
        limit = 1 << (MAX_BIAS_BITS - 1)
        require(
            bool(np.all((layer.bias >= -limit) & (layer.bias < limit))),
            f"bias must fit in {MAX_BIAS_BITS} signed bits",
        )
    _check_sparse(layer, problems)


def _check_activity(layer: Layer, problems: Problems) -> None:
    activity = layer.activity
    if activity is None:
        return
    if problems.require(
        isinstance(activity, np.ndarray)
        and activity.dtype == np.float32
        and activity.shape == (layer.columns,),
        f"activity must be None or float32 of shape ({layer.columns},), a share for each input",
    ):
        # What is no number is neither below nor above a bound.
        bad = np.flatnonzero(~((activity >= 0) & (activity <= 1)))
        if len(bad):
            problems.require(
                False,
                "activity must be 0 to 1, the share of calibration vectors in which an input is "
                f"not zero, not {float(activity[bad[0]])!r} at input {int(bad[0])}",
            )


def _check_sparse(layer: Layer, problems: Problems) -> None:
    require = problems.require
    nonzeros = layer.codes.size
    consistent = require(
        layer.indptr.size == layer.columns + 1
        and int(layer.indptr[0]) == 0
        and int(layer.indptr[-1]) == nonzeros
        # Within the entries first: differences of what is beyond could wrap around.
        and 0 <= int(layer.indptr.min()) <= int(layer.indptr.max()) <= nonzeros
        and bool(np.all(np.diff(layer.indptr) >= 0)),
        f"indptr must rise from 0 to {nonzeros} in {layer.columns + 1} values",
    )
    consistent &= require(
        layer.indices.size == nonzeros,
        f"indices must have as many values as codes ({nonzeros}), not {layer.indices.size}",
    )
    if not consistent or nonzeros == 0:
        return
    require(
        int(layer.codes.min()) >= 1 and int(layer.codes.max()) < CODEBOOK_SIZE,
        f"codes must be 1 to {CODEBOOK_SIZE - 1}: a zero weight is not stored",
    )
    require(
        int(layer.indices.min()) >= 0 and int(layer.indices.max()) < layer.rows,
        f"indices must be 0 to {layer.rows - 1}",
    )
    same_column = np.diff(layer.column_of_entry()) == 0
    require(
        bool(np.all(np.diff(layer.indices)[same_column] > 0)),
        "indices must rise within each column",
    )
