"""Faults to inject into the emulated board."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from eie.host.dma import DmaStatus

__all__ = ["Faults"]


@dataclass
class Faults:
    """What goes wrong next. Set a field; it happens once, and the field is back at its default."""

    #: The DMA stops with this error bit instead of sending the next request.
    mm2s_error: DmaStatus | None = None
    #: The DMA stops with this error bit instead of writing the next answer.
    s2mm_error: DmaStatus | None = None
    #: The kernel takes the next request and then stands still until the bitstream is loaded again.
    hang: bool = False
    #: The next request loses its end: only this many beats arrive, TLAST with the last.
    truncate_request: int | None = None
    #: This bit of the next answer is inverted, counted from its first byte's lowest.
    flip_answer_bit: int | None = None
    #: The next answer comes without TLAST.
    drop_tlast: bool = False

    def take(self, name: str) -> Any:
        """Give the value of the field `name`, and set it back."""
        value = getattr(self, name)
        default = {field.name: field.default for field in fields(self)}[name]
        setattr(self, name, default)
        return value
