"""What an example tells of its network: a line of the table in docs/tutorial/examples.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import eie
from eie.host.network.sizes import float32_bytes
from eie.host.packing.tiling import plan_passes

__all__ = ["BOARD", "Outcome", "measured"]

#: The board of every example.
BOARD = "pynq-z2"


@dataclass(frozen=True)
class Outcome:
    """An example's figures; None where it has none."""

    #: What it is, and the network.
    name: str
    network: str
    #: Share of the test data that the model gets right, before anything was done to it.
    float_accuracy: float
    #: Share that is right at the end: on the accelerator's integers where there are cycles.
    accuracy: float
    #: Share of the weights that are kept.
    density: float
    #: Bytes in float32, and those that are loaded onto the chip.
    float_bytes: int
    size: int
    #: Least cycles of one vector on the design for :data:`BOARD`.
    cycles: int | None = None
    #: What a reader must know of these figures.
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """Give a row of the table."""
        return (
            self.name,
            self.network,
            f"{100 * self.float_accuracy:.2f} %",
            f"{100 * self.accuracy:.2f} %",
            f"{100 * self.density:.1f} %",
            f"{self.float_bytes:,}",
            f"{self.size:,}",
            "-" if self.cycles is None else f"{self.cycles:,}",
            self.note,
        )

    def __str__(self) -> str:
        cycles = "" if self.cycles is None else f", {self.cycles:,} cycles a vector at least"
        return (
            f"{self.name}: {100 * self.accuracy:.2f} % of the test data right "
            f"(model: {100 * self.float_accuracy:.2f} %), {100 * self.density:.1f} % of the "
            f"weights, {self.size:,} bytes of {self.float_bytes:,}{cycles}"
        )


def measured(
    name: str,
    acc: eie.AcceleratedModel,
    inputs: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    float_accuracy: float,
    note: str = "",
) -> Outcome:
    """Measure a converted model on test data."""
    layers = acc.network.layers
    sizes = [layers[0].columns, *(layer.rows for layer in layers)]
    weights = sum(layer.rows * layer.columns for layer in layers)
    found = acc.evaluate(inputs, labels)
    assert found.accuracy is not None
    return Outcome(
        name,
        "-".join(map(str, sizes)),
        float_accuracy,
        found.accuracy,
        sum(layer.nonzeros for layer in layers) / weights,
        float32_bytes(acc.network),
        plan_passes(acc.network, acc.design).loaded_bytes,
        acc.findings.costs.single.total_cycles,
        note,
    )
