"""Shape of one input of the model, as text in a network's metadata."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["INPUT_SHAPE", "parse_shape", "shape_text"]

#: Where a network's metadata has it.
INPUT_SHAPE = "input_shape"
#: Sizes of at most 65,536 and axes of at most 32, as numpy 1 has them.
_SHAPE = re.compile(r"[1-9][0-9]{0,4}(?:x[1-9][0-9]{0,4}){0,30}", re.ASCII)


def shape_text(shape: Sequence[int]) -> str:
    """Write a shape, without the batch: "1x28x28"."""
    return "x".join(map(str, shape))


def parse_shape(text: str) -> tuple[int, ...]:
    """Read what :func:`shape_text` wrote; () if it is something else."""
    return tuple(map(int, text.split("x"))) if _SHAPE.fullmatch(text) else ()
