"""What the values of an ONNX graph are: data, constants, and sizes of the batch.

Exporters write a reshape as half a dozen nodes that take the batch's size apart and put it
together again, and a weight as a transpose, a cast or a quantiser of another one. What is computed
of constants alone is computed here in numpy, by rules that never make more numbers than went in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.host.compress.readers.quantizers import quantizer

__all__ = ["BATCH", "Constant", "Data", "Sizes", "Value", "compute"]

#: The size of the batch among sizes, whatever it is.
BATCH = None

#: Sizes at most that a shape is put together of.
_MOST_AXES = 64
#: Most bits of a quantised weight.
_WEIGHT_BITS = 8


@dataclass(frozen=True)
class Data:
    """What is computed of the model's input."""

    #: Name of the graph's node that gives it.
    source: str
    #: Without the batch; None behind a node that is not supported.
    shape: tuple[int, ...] | None


@dataclass(frozen=True, eq=False)
class Constant:
    """Numbers of the file, or made of them."""

    array: npt.NDArray[Any]
    #: Name of the tensor that it comes from.
    name: str


@dataclass(frozen=True)
class Sizes:
    """Sizes of data as numbers, the batch among them."""

    values: tuple[int | None, ...]
    #: Whether it is one number without an axis.
    scalar: bool = False


Value: TypeAlias = Data | Constant | Sizes

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
}
#: Types that a cast may make, by their numbers in the format.
_CASTS = {1: np.float32, 6: np.int32, 7: np.int64, 11: np.float64}


def compute(
    kind: str, inputs: Sequence[Constant | Sizes | None], attributes: dict[str, Any]
) -> Constant | Sizes | None:
    """Compute a node whose inputs are constants or sizes; None if there is no rule for it.

    Raises
    ------
    InputError
        If a quantiser of weights is not as it must be.
    """
    first = inputs[0] if inputs else None
    if first is None:
        return None
    if isinstance(first, Sizes) or any(isinstance(each, Sizes) for each in inputs):
        try:
            return _of_sizes(kind, [each for each in inputs if each is not None], attributes)
        except (ValueError, IndexError):
            return None
    constants = [each for each in inputs if isinstance(each, Constant)]
    with np.errstate(all="ignore"):  # folding refuses what is not finite
        array = _of_constants(kind, constants, attributes)
    return None if array is None else replace(first, array=array)


def _of_constants(
    kind: str, inputs: Sequence[Constant], attributes: dict[str, Any]
) -> npt.NDArray[Any] | None:
    array = inputs[0].array
    others = [each.array for each in inputs[1:]]
    try:
        if kind in ("Identity", "Dropout"):
            return array
        if kind == "Transpose":
            return np.asarray(array.transpose(attributes.get("perm")))
        if kind == "Cast" and attributes.get("to") in _CASTS:
            return np.asarray(array.astype(_CASTS[attributes["to"]]))
        if kind == "Reshape":
            return array.reshape([int(size) for size in others[0].ravel()])
        if kind == "Flatten":
            axis = attributes.get("axis", 1)
            return array.reshape(int(np.prod(array.shape[:axis])), -1)
        if kind == "Squeeze":
            axes = others[0].tolist() if others else attributes.get("axes")
            return np.asarray(array.squeeze(None if axes is None else tuple(axes)))
        if kind == "Unsqueeze":
            axes = others[0].tolist() if others else attributes["axes"]
            return np.asarray(np.expand_dims(array, tuple(axes)))
        if kind == "Gather" and attributes.get("axis", 0) == 0 and others[0].size == 1:
            return np.asarray(array[int(others[0].item())]).reshape(
                others[0].shape + array.shape[1:]
            )
        if kind == "Concat" and max(each.ndim for each in (array, *others)) == 1:
            return np.asarray(np.concatenate([array, *others]))
        if kind in _BINARY:
            result = np.broadcast_shapes(array.shape, others[0].shape)
            if np.prod(result, dtype=float) > max(array.size, others[0].size):
                return None
            return np.asarray(_BINARY[kind](array, others[0]))
        if kind == "Quant":
            return _quantized(inputs, attributes)
        if kind == "BipolarQuant":
            return np.where(array >= 0, others[0], -others[0]).astype(array.dtype)
    except InputError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError):
        return None  # no such axis, shape or input: refused where it is used
    return None


def _quantized(inputs: Sequence[Constant], attributes: dict[str, Any]) -> npt.NDArray[Any]:
    """Quantise a weight or a bias."""
    array, scale, zero, bits = (each.array for each in inputs)
    rule = quantizer(float(bits.item()), attributes)
    if array.ndim >= 2 and rule.bits > _WEIGHT_BITS:
        raise InputError(
            f"quantises weights to {rule.bits} bits: at most {_WEIGHT_BITS} are taken; train with "
            "fewer (4 go in exactly), or give the model without quantisers"
        )
    steps = rule.steps(array / scale + zero)
    return np.asarray((steps - zero) * scale).astype(array.dtype)


def _of_sizes(
    kind: str, inputs: Sequence[Constant | Sizes], attributes: dict[str, Any]
) -> Sizes | None:
    """Take sizes apart and put them together."""
    first = inputs[0]
    if kind in ("Identity", "Cast", "Unsqueeze", "Squeeze", "Reshape") and isinstance(first, Sizes):
        scalar = kind == "Squeeze" or (first.scalar and kind not in ("Unsqueeze", "Reshape"))
        return replace(first, scalar=scalar) if len(first.values) == 1 or not scalar else None
    if kind == "Concat":
        values: list[int | None] = []
        for each in inputs:
            values += each.values if isinstance(each, Sizes) else _whole(each.array)
        return Sizes(tuple(values))
    constants = [_whole(each.array) for each in inputs[1:] if isinstance(each, Constant)]
    if not isinstance(first, Sizes) or len(constants) != len(inputs) - 1:
        return None
    if kind == "Gather":
        picked = tuple(first.values[place] for place in constants[0])
        return Sizes(picked, scalar=inputs[1].array.ndim == 0)  # type: ignore[union-attr]
    if kind == "Slice" and all(len(each) == 1 for each in constants):
        step = constants[3][0] if len(constants) > 3 else 1
        return Sizes(first.values[constants[0][0] : constants[1][0] : step])
    return None


def _whole(array: npt.NDArray[Any]) -> list[int]:
    """Whole numbers, as many as a shape has.

    Raises
    ------
    ValueError
        If they are others.
    """
    if array.dtype.kind not in "iu" or array.size > _MOST_AXES:
        raise ValueError("no sizes")
    return [int(value) for value in array.ravel()]
