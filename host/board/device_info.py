"""What a board runs, in one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eie.hls.spec.design import Design

__all__ = ["DeviceInfo"]


@dataclass(frozen=True)
class DeviceInfo:
    """What a board runs."""

    #: The bitstream in the fabric.
    bitfile: Path
    #: The design that the accelerator reports.
    design: Design
    #: The kernel's registers by name (``eie.hls.spec.registers.PORTS``).
    registers: Mapping[str, int]
    #: Clock 0 of the fabric in MHz, None where it is not known, as on an emulated board.
    clock_mhz: float | None
    #: Passes that a batch takes: 1 if the network's weights stay on the chip, 0 without a network.
    passes: int
