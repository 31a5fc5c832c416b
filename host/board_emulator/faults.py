"""Faults to inject into the emulated board."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from eie.hls.boundary.errors import InputError
from eie.host.board.dma import DmaStatus

__all__ = ["Faults"]


@dataclass
class Faults:
    """What goes wrong next. Set a field; it happens once, and the field is back at its default.

    What takes time is counted in reads of registers, not in seconds, so that tests are quick and
    always the same: the emulated fabric goes on when it is looked at. Who waits for an interrupt
    without looking waits for ever.
    """

    #: The DMA stops with this error bit instead of sending the next request.
    mm2s_error: DmaStatus | None = None
    #: The DMA stops with this error bit instead of writing the next answer.
    s2mm_error: DmaStatus | None = None
    #: The kernel takes the next request and then stands still until the bitstream is loaded again.
    hang: bool = False
    #: The kernel takes the next request only after this many reads (TREADY is low).
    stall: int = 0
    #: The next answer ends only after this many reads; until then a beat of it comes at each read.
    slow: int = 0
    #: The next request loses its end: only this many beats arrive, or all but the last one if it is
    #: shorter; TLAST with the last of them. At least 1, as nothing would arrive otherwise.
    truncate_request: int | None = None
    #: This bit of the next request is inverted, counted from its first byte's lowest, and from
    #: there again where the request is shorter.
    flip_request_bit: int | None = None
    #: This bit of the next answer is inverted, counted likewise.
    flip_answer_bit: int | None = None
    #: The next answer loses its end: only this many beats come, or all but the last one if it is
    #: shorter; TLAST with the last of them.
    truncate_answer: int | None = None
    #: The next answer comes without TLAST.
    drop_tlast: bool = False
    #: In place of the next answer comes the one before once more.
    stale_answer: bool = False
    #: The next bitstream cannot be loaded; the fabric is then in no state at all.
    download_error: bool = False
    #: The fabric is reset when this many beats of the next answer have been written, or all but the
    #: last one if it is shorter: DMA and kernel stand, and the network is lost.
    reset: int | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field, which must be one and fit it: a fault that never comes hides a mistake."""
        known = {field.name: field for field in fields(self)}
        if name not in known:
            raise InputError(f"fault must be one of {', '.join(known)}, not {name!r}")
        default = known[name].default
        if name.endswith("_error") and default is None:
            fits = value is None or (isinstance(value, DmaStatus) and bool(value))
            wanted = "a DmaStatus of eie.host.board.dma, such as DmaStatus.SLAVE_ERROR"
        elif isinstance(default, bool):
            fits, wanted = isinstance(value, bool), "True or False"
        else:
            least = 1 if name == "truncate_request" else 0
            is_count = isinstance(value, int) and not isinstance(value, bool) and value >= least
            fits = is_count or (value is None and default is None)
            wanted = f"an integer of at least {least}"
        if not fits:
            raise InputError(f"fault {name} must be {wanted}, not {value!r}")
        super().__setattr__(name, value)

    def take(self, name: str) -> Any:
        """Give the value of the field `name`, and set it back."""
        value = getattr(self, name)
        default = {field.name: field.default for field in fields(self)}[name]
        setattr(self, name, default)
        return value
