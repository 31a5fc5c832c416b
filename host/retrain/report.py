"""What a retraining tells: a report a step, how PEs are loaded, and the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from torch import nn

from eie.hls.spec.design import NO_BOARD
from eie.host.network import Network
from eie.host.network.table import Summarized, Table
from eie.host.retrain.sensitivity import Sensitivity

__all__ = ["HEAD", "Balance", "LayerLoad", "Retrained", "StepReport"]

#: Columns of the table of steps.
HEAD = ("step", "accuracy", "density", "weights", "activations", "bytes", "cycles", "latency")


@dataclass(frozen=True)
class StepReport:
    """What a step left.

    Attributes
    ----------
    title
        Name of the step.
    accuracy
        Share that is right, 0 to 1.
    density
        Share of the weights that are not zero.
    weight_bits
        Bits of a weight that is kept: 32, or 4 once weights are shared.
    activation_bits
        Bits of an activation.
    size
        Bytes: float32 numbers that are not zero as long as weights are not shared, without their
        places; then what is loaded onto the chip. Where the network is not for the accelerator, a
        byte for each weight kept (4 bits of code, 4 of gap) and float32 for what else there is.
    cycles
        Least cycles of one vector on the board's design for this network; None where there is none.
    latency_us
        Microseconds of one vector, with what is allowed for pipeline stages; None as `cycles`.
    """

    title: str
    accuracy: float
    density: float
    weight_bits: int
    activation_bits: int
    size: int
    cycles: int | None = None
    latency_us: float | None = None

    def cells(self) -> tuple[str, ...]:
        """Give a row of the table."""
        return (
            self.title,
            f"{100 * self.accuracy:.2f} %",
            f"{100 * self.density:.2f} %",
            f"{self.weight_bits} bits",
            f"{self.activation_bits} bits",
            f"{self.size:,}",
            "-" if self.cycles is None else f"{self.cycles:,}",
            "-" if self.latency_us is None else f"{self.latency_us:.2f} us",
        )


@dataclass(frozen=True)
class LayerLoad:
    """How evenly a layer's weights lie on the PEs: heaviest over the mean of those with rows.

    Attributes
    ----------
    name
        The layer.
    natural
        With row i on PE i mod N, as in the paper.
    packed
        With the rows as the packer deals them.
    """

    name: str
    natural: float
    packed: float


@dataclass(frozen=True)
class Balance:
    """How evenly the PEs are loaded, and what that makes of the cycles of one vector.

    Attributes
    ----------
    pes
        PEs of the design.
    layers
        By layer.
    natural_cycles
        With row i on PE i mod N, and inputs as they come.
    packed_cycles
        As the packer deals rows and inputs.
    """

    pes: int
    layers: tuple[LayerLoad, ...]
    natural_cycles: int
    packed_cycles: int

    def __str__(self) -> str:
        loads = ", ".join(
            f"{each.name} {each.natural:.2f} / {each.packed:.2f}" for each in self.layers
        )
        return (
            f"heaviest over mean PE of {self.pes}, rows in turn / as packed: {loads}; cycles of a "
            f"vector: {self.natural_cycles:,} / {self.packed_cycles:,}"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Retrained(Summarized):
    """A model with pruned and shared weights, and how it came to be.

    ``eie.convert(retrained.part, keep_weights=True, calibration=retrained.calibration)`` takes it
    as it is. Where activations were trained in fixed point, the part rounds them by itself, with
    the steps that it was trained with.

    Attributes
    ----------
    model
        The whole model, a copy of the one that was given, in evaluation mode.
    part
        What is for the accelerator: the model, or the submodule named ``head``.
    calibration
        Inputs of the part, which formats were chosen by; None without calibration.
    reports
        One a step, in order.
    densities
        What each matrix was pruned to.
    sensitivity
        The scan that densities were taken from; None where they were given.
    network
        The part in fixed point; None where it is not for the accelerator.
    balance
        How evenly PEs are loaded; None as `network`.
    board
        Whose latency is predicted.
    not_integer
        Why there is no network; empty if there is one.
    """

    model: nn.Module
    part: nn.Module
    calibration: npt.NDArray[np.float64] | None
    reports: tuple[StepReport, ...]
    densities: Mapping[str, float]
    sensitivity: Sensitivity | None = None
    network: Network | None = None
    balance: Balance | None = None
    board: str = NO_BOARD
    not_integer: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def loss(self) -> float:
        """Points of accuracy between the model as it was given and the last step."""
        return 100 * (self.reports[0].accuracy - self.reports[-1].accuracy)

    @property
    def accuracies(self) -> dict[str, float]:
        """Accuracy by step."""
        return {each.title: each.accuracy for each in self.reports}

    def summary(self) -> Table:
        """Give accuracy, density, bits, bytes and latency of each step, as a table.

        Returns
        -------
        Table
        """
        kept = ", ".join(f"{name} {100 * each:.4g} %" for name, each in self.densities.items())
        notes = [f"{-self.loss:+.2f} points against the model as it was given", f"kept: {kept}"]
        if self.balance is not None:
            notes.append(str(self.balance))
        if self.not_integer:
            notes.append(f"in real numbers only: {self.not_integer}")
        else:
            where = "a design of 64 PEs" if self.board == NO_BOARD else f"a design for {self.board}"
            notes.append(
                f"cycles and latency: one vector on {where}, predicted, with what is allowed for "
                "pipeline stages (assumed; not synthesised)"
            )
        return Table(
            "retrained", HEAD, [each.cells() for each in self.reports], [*notes, *self.notes]
        )

    def __repr__(self) -> str:
        last = self.reports[-1]
        return (
            f"<Retrained: {100 * last.accuracy:.2f} % ({-self.loss:+.2f} points), "
            f"{100 * last.density:.1f} % of the weights in {last.weight_bits} bits>"
        )
