"""One layer of a compressed network: its matrix in compressed sparse columns of codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.real_arrays import real_array
from eie.hls.boundary.text import counted, shown
from eie.hls.spec.cell import GATES, SUM_FRAC
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, SLOPE_BITS, WriteBack
from eie.hls.spec.matrix_format import CODEBOOK_SIZE
from eie.host.network.layer_checks import RECURRENT, TABLED, check_layer

__all__ = ["INPUT", "Activation", "Layer"]

Activation = Literal["none", "relu", "leaky_relu", "sigmoid", "tanh", "lstm", "gru"]

#: Stands for the network's input in :attr:`Layer.source`.
INPUT = -1
#: Fields of every layer that are no arrays, and those that are written only if they are not usual.
PLAIN_SCALARS = (
    "name",
    "rows",
    "columns",
    "activation",
    "input_frac",
    "weight_frac",
    "output_frac",
)
_USUAL = {
    "low": CODE_MIN,
    "high": CODE_MAX,
    "slope": 0,
    "half_even": False,
    "accumulate": False,
    "source": None,
}


@dataclass(frozen=True, eq=False, repr=False)
class Layer:
    """One fully connected layer ``y = f(W a + b)``; W in compressed sparse columns of codes.

    Or a part of one: the sums of layers that accumulate are those of the next one, too. Compared by
    contents. Arrays are made read-only.

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
        int64, shape (rows,): bias at accumulator precision (input_frac + weight_frac); 0 for a
        layer that accumulates.
    activation
        ``"none"``, ``"relu"``, ``"leaky_relu"``, ``"sigmoid"``, ``"tanh"``, ``"lstm"`` or
        ``"gru"``. The rows of the last two are gates in torch's order, gate after gate: i, f, g, o
        and r, z, n_x, n_h.
    input_frac
        Fraction bits of the inputs.
    weight_frac
        Fraction bits of the codebook.
    output_frac
        Fraction bits of the results: 15 for a sigmoid, tanh, LSTM or GRU, and those of the sums
        for a layer that accumulates.
    low, high
        Lowest and highest code of the results, with ``"none"`` and ``"relu"`` (whose low is 0).
    slope
        What negative codes are multiplied by in a LeakyReLU, in units of ``2**-16``; else 0.
    half_even
        Whether ties are rounded to the even code rather than up.
    accumulate
        Whether the next layer adds to the same sums, which are not written back here.
    source
        What the layer takes. None: what arrives, which is what the layer before gives, or the
        network's input. Else what is held: :data:`INPUT`, the results of the layer of that index,
        or, if the index is its own, its own results for the vector before.
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
    low: int = CODE_MIN
    high: int = CODE_MAX
    slope: int = 0
    half_even: bool = False
    accumulate: bool = False
    source: int | None = None

    def __post_init__(self) -> None:
        if self.activation == "relu" and self.low == CODE_MIN:
            object.__setattr__(self, "low", 0)
        problems = Problems(f"layer {shown(self.name)}")
        check_layer(self, problems)
        problems.raise_as(InputError)
        for name in ("indptr", "indices", "codes", "codebook", "bias"):
            array = np.ascontiguousarray(getattr(self, name))
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
    def results(self) -> int:
        """Results of the layer: its rows, or its units if it is an LSTM or a GRU."""
        return self.rows // GATES if self.recurrent else self.rows

    @property
    def sum_frac(self) -> int:
        """Fraction bits of the sums."""
        return self.input_frac + self.weight_frac

    @property
    def written_frac(self) -> int:
        """Fraction bits of the codes that write-back gives, before a function takes them."""
        return SUM_FRAC if self.activation in TABLED else self.output_frac

    @property
    def shift(self) -> int:
        """Right shift at write-back, in bits; 0 for a layer that accumulates."""
        return self.sum_frac - self.written_frac

    @property
    def write_back(self) -> WriteBack:
        """How the sums become codes; what a function makes of them comes after it."""
        slope = self.slope if self.activation == "leaky_relu" else None
        return WriteBack(self.shift, self.low, self.high, slope, self.half_even)

    @property
    def relu(self) -> bool:
        """Whether the layer ends in a ReLU."""
        return self.activation == "relu"

    @property
    def recurrent(self) -> bool:
        """Whether rows are the gates of an LSTM or a GRU."""
        return self.activation in RECURRENT

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
        **more: Any,
    ) -> Layer:
        """Build a layer from a dense (rows, columns) matrix of codebook indices, 0: no weight.

        `more` are fields that have a default.
        """
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
            **more,
        )

    def select_rows(self, rows: npt.NDArray[np.int64]) -> Layer:
        """Give the layer of some outputs alone: `rows`, int64, rising, of shape (outputs kept,)."""
        new_row = np.full(self.rows, -1, np.int32)
        new_row[rows] = np.arange(len(rows), dtype=np.int32)
        indices = new_row[self.indices]
        kept = indices >= 0
        return replace(
            self,
            rows=len(rows),
            indptr=np.concatenate([[0], np.cumsum(kept)])[self.indptr],
            indices=indices[kept],
            codes=self.codes[kept],
            bias=self.bias[rows],
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layer):
            return NotImplemented
        return self.scalars() == other.scalars() and all(
            np.array_equal(mine, theirs)
            for mine, theirs in zip(self.arrays().values(), other.arrays().values(), strict=True)
        )

    __hash__ = None  # type: ignore[assignment]  # holds arrays

    def __repr__(self) -> str:
        return (
            f"<Layer {shown(self.name)}: {self.columns} -> {self.rows}, "
            f"{counted(self.nonzeros, 'weight')} ({100 * self.density:.1f} %), {self.ending}>"
        )

    @property
    def ending(self) -> str:
        """What becomes of the sums, in a few words."""
        if self.accumulate:
            return "adds to the next"
        text: str = self.activation
        if self.activation == "leaky_relu":
            text += f" of {self.slope / (1 << SLOPE_BITS):.4g}"
        lowest = 0 if self.relu else CODE_MIN
        if (self.low, self.high) != (lowest, CODE_MAX):
            scale = 2.0**-self.output_frac
            text += f", {self.low * scale:.6g} to {self.high * scale:.6g}"
        return text + (", ties to even" if self.half_even else "")

    def scalars(self) -> dict[str, Any]:
        """Everything that is no array, by name; without what is as in a layer that has no more.

        So a layer that uses nothing new has the fields that it always had.
        """
        usual = _USUAL | {"low": 0 if self.relu else CODE_MIN}
        names = [name for name, value in usual.items() if getattr(self, name) != value]
        return {name: getattr(self, name) for name in (*PLAIN_SCALARS, *names)}

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Every array, by name."""
        return {
            name: getattr(self, name) for name in ("indptr", "indices", "codes", "codebook", "bias")
        }
