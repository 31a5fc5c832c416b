"""Whether what a board does is what it is to do: golden outputs, and the clock."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DeviceError
from eie.hls.boundary.warning import warn
from eie.hls.spec.design import Design
from eie.host.board.overlay import CLOCK_TOLERANCE

__all__ = ["check_clock", "compare_golden"]


def compare_golden(outputs: npt.NDArray[np.int16], expected: npt.NDArray[np.int16]) -> None:
    """Refuse outputs, int16 of shape (vectors, outputs), that are not the golden ones.

    Raises
    ------
    DeviceError
        If one differs; says how many do, and the first.
    """
    wrong = np.argwhere(outputs != expected)
    if len(wrong):
        vector, output = (int(index) for index in wrong[0])
        raise DeviceError(
            f"{len(wrong)} of {expected.size} golden outputs differ; the first is output "
            f"{output} of vector {vector}: {outputs[vector, output]} instead of "
            f"{expected[vector, output]}; check that the bitstream met timing"
        )


def check_clock(clock_mhz: float | None, design: Design) -> None:
    """Warn of a fabric that runs faster than its timing was checked for."""
    if clock_mhz is not None and clock_mhz > design.clock_mhz * CLOCK_TOLERANCE:
        warn(
            f"clock 0 of the fabric runs at {clock_mhz:.3f} MHz, the accelerator was built for "
            f"{design.clock_mhz} MHz: outputs may be wrong; set pynq.Clocks.fclk0_mhz"
        )
