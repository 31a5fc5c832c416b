"""Arrays from other libraries as numpy's: converted where it is exact, refused by name elsewhere.

``numpy.asarray`` takes nearly everything: it drops the mask of a masked array, makes an array of
one object of a sparse matrix, and text of a list in which one entry is text. This is the one place
where values of a caller become an array.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError

__all__ = ["real_array"]

#: Kinds of numpy types that hold real numbers: floats, integers and truth values.
_REAL_KINDS = "fiub"
#: Axes of an array at most, as numpy 1 has them.
_MOST_AXES = 32
_REASONS = {
    "O": "Python objects: convert them with astype(float)",
    "c": "complex numbers: give real and imaginary part as features of their own",
    "U": "text: convert it with astype(float)",
    "S": "text: convert it with astype(float)",
    "M": "dates: give numbers, such as the seconds since a start",
    "m": "durations: give numbers, such as seconds",
    "V": "records: give their fields as an array with numpy.lib.recfunctions",
}


def real_array(values: Any, name: str) -> npt.NDArray[Any]:
    """Give `values` as an array of real numbers, exactly.

    Numpy arrays are taken as they are, in whatever order in memory; bytes are brought to the
    machine's order. Of torch tensors the values are taken, whether or not they need a gradient,
    and bfloat16 becomes float32, which holds it. Lists of numbers, arrays or tensors are stacked.
    Of tables (pandas), the values are taken; of anything else what it offers numpy.

    Parameters
    ----------
    values
        What a caller gave.
    name
        What it is, for the message.

    Returns
    -------
    ndarray
        Of floats, integers or booleans; `values` itself, or its memory, where that will do.

    Raises
    ------
    InputError
        If `values` are no real numbers, or would lose something: a mask, entries that are not
        stored, rows of unequal length. Says what they are, and what to do.
    """
    if type(values) is not np.ndarray:
        values = _foreign(values, name)
    array: npt.NDArray[Any] = values
    if array.dtype.kind not in _REAL_KINDS:
        reason = _REASONS.get(array.dtype.kind, "something else")
        raise InputError(f"{name} must be real numbers, not dtype {array.dtype}, which is {reason}")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _foreign(values: Any, name: str) -> npt.NDArray[Any]:
    """Give an array of what is not exactly a numpy array; its type is not checked yet."""
    library = type(values).__module__.partition(".")[0]
    torch = sys.modules.get("torch")  # not imported here: a board has none
    if torch is not None and isinstance(values, torch.Tensor):
        return _from_torch(torch, values, name)
    if isinstance(values, np.ma.MaskedArray):
        masked = int(np.count_nonzero(np.asarray(values.mask)))
        if masked:
            raise InputError(
                f"{name} must have no masked values, not {masked}: say what stands for them with "
                "filled(value)"
            )
        return np.asarray(values.data)
    if library == "scipy" and hasattr(values, "toarray"):
        raise InputError(
            f"{name} must be a dense array, not a sparse one of scipy: give values.toarray()"
        )
    if library == "pandas" and hasattr(values, "to_numpy"):
        return _from_pandas(values, name)
    if isinstance(values, (list, tuple)):
        try:
            return _from_list(values, name)
        except RecursionError:
            raise InputError(f"{name} must be an array of numbers, not lists in lists") from None
    if isinstance(values, (bool, int, float, np.ndarray, np.generic)) or hasattr(
        values, "__array__"
    ):
        try:
            return np.asarray(values)
        except Exception as error:  # whatever another library raises
            raise InputError(
                f"{name} must be an array of numbers; {_type(values)} gives none: {error}"
            ) from error
    raise InputError(
        f"{name} must be an array of numbers, not of type {_type(values)}: give a numpy array"
    )


def _from_torch(torch: Any, tensor: Any, name: str) -> npt.NDArray[Any]:
    if tensor.layout is not torch.strided or tensor.is_nested:
        raise InputError(
            f"{name} must be a dense tensor, not one with layout {tensor.layout}: give "
            "values.to_dense(), or values.to_padded_tensor(0.0) of a nested one"
        )
    if tensor.is_quantized:
        raise InputError(f"{name} must not be a quantised tensor: give values.dequantize()")
    if tensor.is_complex():
        raise InputError(f"{name} must be real numbers, not {tensor.dtype}, which is complex")
    if tensor.device.type == "meta":
        raise InputError(f"{name} must have values, which a tensor on device 'meta' has not")
    try:
        with torch.no_grad():
            plain = tensor.detach().cpu().resolve_neg()
            if plain.is_floating_point() and plain.dtype.itemsize <= 2:
                # numpy has no bfloat16 and none of eight bits; single precision holds them all.
                plain = plain if plain.dtype is torch.float16 else plain.to(torch.float32)
            array: npt.NDArray[Any] = plain.numpy()
            return array
    except Exception as error:  # a subclass of Tensor may refuse anything
        raise InputError(
            f"{name} must be a plain tensor of numbers, not {_type(tensor)} of {tensor.dtype}: "
            f"{error}"
        ) from error


def _from_pandas(table: Any, name: str) -> npt.NDArray[Any]:
    """Values of a DataFrame or Series; columns of different numbers become float64."""
    types = list(table.dtypes) if hasattr(table.dtypes, "__iter__") else [table.dtypes]
    labels = [repr(label) for label in getattr(table, "columns", [table.name])]
    wrong = [
        f"{label} ({kind})"
        for label, kind in zip(labels, types, strict=True)
        if getattr(kind, "kind", "O") not in _REAL_KINDS
    ]
    if wrong:
        raise InputError(
            f"{name} must have columns of real numbers, not {', '.join(wrong[:10])}: leave them "
            "out or convert them"
        )
    array = table.to_numpy()
    if array.dtype.kind == "O":  # numbers and truth values, or numbers that may be missing
        try:
            array = table.to_numpy(dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{name} must have no missing values: say what stands for them with "
                f"fillna(value) ({error})"
            ) from error
    return np.asarray(array)


def _from_list(values: list[Any] | tuple[Any, ...], name: str) -> npt.NDArray[Any]:
    if all(type(value) in (int, float, bool) for value in values):
        # By far the most numbers: np.asarray says nothing of them that is not right.
        array = np.asarray(values) if values else np.empty(0)
        if array.dtype.kind == "O":
            raise InputError(f"{name} must be numbers of at most 64 bits: an integer is larger")
        return array
    rows = [
        np.asarray(value)
        if isinstance(value, np.generic)
        else real_array(value, f"{name}[{place}]")
        for place, value in enumerate(values)
    ]
    for place, row in enumerate(rows):
        if row.shape != rows[0].shape:
            raise InputError(
                f"{name} must have entries of one shape: entry 0 has {rows[0].shape}, entry "
                f"{place} has {row.shape}"
            )
    if rows[0].ndim >= _MOST_AXES:
        raise InputError(f"{name} must have at most {_MOST_AXES} axes")
    return np.stack(rows)


def _type(values: Any) -> str:
    kind = type(values)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
