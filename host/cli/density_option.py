"""The option ``--density``: one number for all layers, or numbers by layer name."""

from __future__ import annotations

from collections.abc import Sequence

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.numerals import number

__all__ = ["densities"]


def densities(texts: Sequence[str]) -> float | dict[str, float]:
    """Read what was given: ``["0.1"]``, or ``["fc1=0.3,fc2=0.1"]`` or ``["fc1=0.3", "fc2=0.1"]``.

    Raises
    ------
    InputError
        If a text is neither, a layer is named twice, or both forms are mixed.
    """
    parts = [part.strip() for text in texts for part in text.split(",")]
    problems = Problems("--density")
    by_layer: dict[str, float] = {}
    for part in parts:
        name, equals, text = part.rpartition("=")
        try:
            value = number(text)
        except InputError:
            problems.require(False, f"must be a number, or LAYER=number, not {part!r}")
            continue
        if not equals:
            if len(parts) == 1:
                return value
            problems.require(
                False,
                f"must be one number for all layers, or LAYER=number for each, not {part!r} "
                "beside others",
            )
        problems.require(name not in by_layer, f"must name layer {name!r} once")
        by_layer[name] = value
    problems.raise_as(InputError)
    return by_layer
