"""Take a design out of the results of an exploration, by its number in the table."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from eie.hls.boundary.errors import DesignError, InputError
from eie.hls.boundary.text import shown
from eie.hls.spec.design import Design

__all__ = ["FRONT_FORMAT", "FRONT_NAME", "pick"]

#: File of a folder of results in which the front is.
FRONT_NAME = "pareto.json"
FRONT_FORMAT = "eie front 1"
#: Bytes of it at most: a design takes one thousand.
_MAX_BYTES = 64 << 20


def pick(folder: str | os.PathLike[str], number: int) -> Design:
    """Give the design with a number of ``pareto.txt``; nothing is evaluated again.

    Parameters
    ----------
    folder
        Where :meth:`eie.host.search.explore.exploration.Exploration.save` has written.
    number
        From 1, the best by the goal of the exploration.

    Raises
    ------
    InputError
        If the folder has no such results, they are damaged, or there is no such number.
    """
    path = Path(folder) / FRONT_NAME
    front = _read(path)
    if not front:
        raise InputError(f"{path} has no design to pick: none of those explored fits")
    if not 1 <= number <= len(front):
        raise InputError(
            f"the number to pick must be 1 to {len(front)}, as in {path.parent / 'pareto.txt'}, "
            f"not {shown(number)}"
        )
    try:
        return Design(**front[number - 1]["design"])
    except (TypeError, KeyError, DesignError) as error:
        raise InputError(f"{path}: design {number} is damaged ({error}): explore again") from error


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror}; --pick takes the folder that eie explore "
            "wrote to (its --out)"
        ) from error
    try:
        found = json.loads(data) if len(data) <= _MAX_BYTES else None
    except (ValueError, RecursionError):
        found = None
    if (
        not isinstance(found, dict)
        or found.get("format") != FRONT_FORMAT
        or not isinstance(found.get("front"), list)
        or not all(isinstance(each, dict) for each in found["front"])
    ):
        raise InputError(f"{path} must be the front of an exploration: explore again")
    front: list[dict[str, Any]] = found["front"]
    return front
