"""Reshapes that leave the order of a vector's values alone, with the batch in front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

__all__ = ["Refused", "Shape", "flattened", "reshaped", "squeezed", "unsqueezed"]

#: Sizes of data without the batch.
Shape = tuple[int, ...]


class Refused(Exception):
    """A node for which there are no terms; says why, and the node comes before it."""


def reshaped(shape: Shape, wanted: Sequence[int | None], attributes: dict[str, Any]) -> Shape:
    """Shape without the batch after a Reshape of data of `shape`.

    Parameters
    ----------
    shape
        Before it, without the batch.
    wanted
        Sizes as the node gives them: None for the batch, -1 for what is left.
    attributes
        Of the node.

    Raises
    ------
    Refused
        If the batch does not stay in front.
    """
    first, *rest = wanted or [None]
    sizes = [
        (0, *shape)[place] if size == 0 and not attributes.get("allowzero") else size
        for place, size in enumerate(rest, start=1)
        if size != 0 or attributes.get("allowzero") or place <= len(shape)
    ]
    features = math.prod(shape)
    known = math.prod(size for size in sizes if size is not None and size >= 0)
    if sizes.count(-1) == 1 and known and features % known == 0 and None not in sizes:
        sizes[sizes.index(-1)] = features // known
    result = tuple(size for size in sizes if size is not None)
    # A size that is fixed is that of the example which the model was exported with.
    fixed_batch = first is None or first in (-1, 0) or first >= 1
    if not fixed_batch or None in sizes or -1 in result or math.prod(result) != features:
        texts = ["batch" if size is None else str(size) for size in wanted]
        raise Refused(
            f"must keep the batch in front of the {features} values of each vector, not make the "
            f"shape ({', '.join(texts)}) of it"
        )
    return result


def flattened(shape: Shape, axis: int) -> Shape:
    """Shape after a Flatten at `axis`."""
    if axis not in (1, -len(shape)):
        raise Refused(f"must flatten from axis 1 on, not {axis}: the batch stays in front")
    return (math.prod(shape),)


def squeezed(shape: Shape, axes: Sequence[int] | None) -> Shape:
    """Shape after a Squeeze of `axes`, all of size 1 where they are not given."""
    if axes is None:
        return tuple(size for size in shape if size != 1)
    gone = {axis % (len(shape) + 1) for axis in axes}
    if 0 in gone or any(shape[axis - 1] != 1 for axis in gone):
        raise Refused(f"must take away axes of size 1 behind the batch, not {list(axes)}")
    return tuple(size for axis, size in enumerate(shape, start=1) if axis not in gone)


def unsqueezed(shape: Shape, axes: Sequence[int] | None) -> Shape:
    """Shape after an Unsqueeze of `axes`."""
    places = sorted(axis % (len(shape) + 1 + len(axes or ())) for axis in axes or ())
    if 0 in places:
        raise Refused(f"must keep the batch in front, not put an axis before it ({axes})")
    result = list(shape)
    for place in places:
        result.insert(place - 1, 1)
    return tuple(result)
