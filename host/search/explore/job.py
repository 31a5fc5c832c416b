"""What is to be done, by whichever workers there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["UNGUARDED", "Job"]


#: A process that is started imports the script that started it.
UNGUARDED = (
    'In a script, what explores must stand under `if __name__ == "__main__":`, as each process '
    "imports the script"
)


@dataclass(frozen=True)
class Job:
    """``function(shared, item)`` for each item; the fields are those of ``fan_out``."""

    function: Callable[[Any, Any], Any]
    shared: Any
    items: Sequence[Any]
    #: Whether an item has its worker to itself.
    alone: bool
    #: Seconds to wait for what is not there.
    wait: float
    #: Told what happens to the cluster.
    on_notice: Callable[[str], None]
