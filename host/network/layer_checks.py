"""What a layer must be: the checks of :class:`eie.host.network.Layer`, all problems at once."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import Problems
from eie.hls.boundary.text import shown
from eie.hls.spec.cell import GATES, RESULT_FRAC, SUM_FRAC
from eie.hls.spec.fixed_point import (
    CODE_MAX,
    CODE_MIN,
    FRAC_MAX,
    FRAC_MIN,
    MAX_SHIFT,
    SLOPE_BITS,
)
from eie.hls.spec.matrix_format import CODEBOOK_SIZE
from eie.hls.spec.packets import MAX_COLUMNS

__all__ = [
    "MAX_BIAS_BITS",
    "RECURRENT",
    "TABLED",
    "Checked",
    "check_layer",
]

#: A bias is a signed integer of at most this many bits, at accumulator precision.
MAX_BIAS_BITS = 48
#: Activations whose rows are gates, and those that have a table.
RECURRENT = ("lstm", "gru")
TABLED = ("sigmoid", "tanh", *RECURRENT)
_ACTIVATIONS = ("none", "relu", "leaky_relu", *TABLED)


class Checked(Protocol):
    """What of a :class:`~eie.host.network.Layer` is checked here."""

    @property
    def name(self) -> str:
        """As the layer's."""

    @property
    def rows(self) -> int:
        """As the layer's."""

    @property
    def columns(self) -> int:
        """As the layer's."""

    @property
    def indptr(self) -> npt.NDArray[np.int64]:
        """As the layer's."""

    @property
    def indices(self) -> npt.NDArray[np.int32]:
        """As the layer's."""

    @property
    def codes(self) -> npt.NDArray[np.uint8]:
        """As the layer's."""

    @property
    def codebook(self) -> npt.NDArray[np.int16]:
        """As the layer's."""

    @property
    def bias(self) -> npt.NDArray[np.int64]:
        """As the layer's."""

    @property
    def activation(self) -> str:
        """As the layer's."""

    @property
    def input_frac(self) -> int:
        """As the layer's."""

    @property
    def weight_frac(self) -> int:
        """As the layer's."""

    @property
    def output_frac(self) -> int:
        """As the layer's."""

    @property
    def low(self) -> int:
        """As the layer's."""

    @property
    def high(self) -> int:
        """As the layer's."""

    @property
    def slope(self) -> int:
        """As the layer's."""

    @property
    def half_even(self) -> bool:
        """As the layer's."""

    @property
    def accumulate(self) -> bool:
        """As the layer's."""

    @property
    def source(self) -> int | None:
        """As the layer's."""

    @property
    def recurrent(self) -> bool:
        """As the layer's."""

    @property
    def sum_frac(self) -> int:
        """As the layer's."""

    @property
    def shift(self) -> int:
        """As the layer's."""

    def column_of_entry(self) -> npt.NDArray[np.int32]:
        """As the layer's."""


def check_layer(layer: Checked, problems: Problems) -> None:
    """Note in `problems` all that is wrong with a layer in itself."""
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
    shaped &= require(
        isinstance(layer.activation, str) and layer.activation in _ACTIVATIONS,
        f"activation must be one of {', '.join(map(repr, _ACTIVATIONS))}, not "
        f"{shown(layer.activation)}",
    )
    shaped &= _check_rights(layer, problems)
    for name in ("input_frac", "weight_frac", "output_frac"):
        value = getattr(layer, name)
        shaped &= require(
            type(value) is int and FRAC_MIN <= value <= FRAC_MAX,
            f"{name} must be {FRAC_MIN} to {FRAC_MAX}, not {shown(value)}",
        )
    if not shaped:
        return
    _check_ending(layer, problems)
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


def _check_rights(layer: Checked, problems: Problems) -> bool:
    """Check the types of what only some layers have, and whether they may have it."""
    require = problems.require
    typed = True
    for name in ("low", "high"):
        value = getattr(layer, name)
        typed &= require(
            type(value) is int and CODE_MIN <= value <= CODE_MAX,
            f"{name} must be {CODE_MIN} to {CODE_MAX}, not {shown(value)}",
        )
    for name in ("half_even", "accumulate"):
        value = getattr(layer, name)
        typed &= require(type(value) is bool, f"{name} must be true or false, not {shown(value)}")
    typed &= require(
        type(layer.slope) is int, f"slope must be an integer, not {shown(layer.slope)}"
    )
    require(
        layer.source is None or (type(layer.source) is int and layer.source >= -1),
        "source must be nothing, -1 for the network's input, or the index of a layer, not "
        f"{shown(layer.source)}",
    )
    if not typed:
        return False
    bounded = layer.activation in ("none", "relu")
    require(
        layer.low <= layer.high,
        f"low must be at most high, not {layer.low} with a high of {layer.high}",
    )
    require(
        bounded or (layer.low, layer.high) == (CODE_MIN, CODE_MAX),
        f"low and high must be {CODE_MIN} and {CODE_MAX} with {shown(layer.activation)}, not "
        f"{layer.low} and {layer.high}",
    )
    require(
        layer.activation != "relu" or layer.low == 0,
        f"low must be 0 with 'relu', not {layer.low}; with 'none' it may be any code",
    )
    if layer.activation == "leaky_relu":
        most = (1 << SLOPE_BITS) - 1
        require(1 <= layer.slope <= most, f"slope must be 1 to {most}, not {shown(layer.slope)}")
    else:
        require(layer.slope == 0, f"slope must be 0 without 'leaky_relu', not {layer.slope}")
    return True


def _check_ending(layer: Checked, problems: Problems) -> None:
    """Check what becomes of the sums: their fraction bits, and what an open sum has not."""
    require = problems.require
    if layer.activation in TABLED:
        require(
            layer.output_frac == RESULT_FRAC,
            f"output_frac must be {RESULT_FRAC} with {layer.activation!r}, not {layer.output_frac}",
        )
        require(
            0 <= layer.shift <= MAX_SHIFT,
            f"input_frac + weight_frac must be {SUM_FRAC} to "
            f"{SUM_FRAC + MAX_SHIFT} with {layer.activation!r}, not {layer.sum_frac}",
        )
    elif not layer.accumulate:
        require(
            0 <= layer.shift <= MAX_SHIFT,
            f"input_frac + weight_frac - output_frac must be 0 to {MAX_SHIFT}, not {layer.shift}",
        )
    require(
        not layer.recurrent or layer.rows % GATES == 0,
        f"rows must be a multiple of {GATES} with {layer.activation!r}, not {layer.rows}",
    )
    if not layer.accumulate:
        return
    require(
        layer.output_frac == layer.sum_frac,
        "output_frac must be input_frac + weight_frac in a layer that accumulates "
        f"({layer.sum_frac}), not {layer.output_frac}",
    )
    require(
        layer.activation == "none"
        and (layer.low, layer.high, layer.half_even) == (CODE_MIN, CODE_MAX, False),
        "a layer that accumulates must have no activation, bounds or rounding: they are those of "
        "the layer that ends the sums",
    )
    require(
        not np.any(layer.bias),
        "bias must be 0 in a layer that accumulates: it is that of the layer that ends the sums",
    )


def _check_sparse(layer: Checked, problems: Problems) -> None:
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
