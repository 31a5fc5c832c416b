"""When is how much pruned, and how long is trained: the plan of a retraining."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.text import shown

__all__ = ["Kind", "Plan", "Schedule", "Step"]

#: What a step does before it trains.
Kind = Literal["float", "prune", "share", "train codebooks", "fix", "train fixed", "integer"]


@dataclass(frozen=True)
class Schedule:
    """How long each part takes, and with which step sizes.

    Attributes
    ----------
    prunings
        Steps of gradual pruning. The share that is still to be removed falls with the cube of the
        steps that are left (Zhu and Gupta, arXiv 1710.01878): much at first, little at the end.
    epochs
        Epochs of retraining after each pruning but the last.
    last_epochs
        Epochs after the last pruning.
    codebook_epochs
        Epochs in which the shared weights learn.
    fixed_epochs
        Epochs against the fixed-point arithmetic.
    learning_rate, codebook_learning_rate, fixed_learning_rate
        Step sizes of the optimiser at the start of each part; they fall to 0 along a cosine.
    """

    prunings: int = 4
    epochs: int = 10
    last_epochs: int = 20
    codebook_epochs: int = 8
    fixed_epochs: int = 3
    learning_rate: float = 1e-3
    codebook_learning_rate: float = 3e-4
    fixed_learning_rate: float = 1e-4

    def __post_init__(self) -> None:
        problems = Problems("schedule")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("learning_rate"):
                real = isinstance(value, (int, float)) and not isinstance(value, bool)
                problems.require(
                    real and math.isfinite(value) and value > 0,
                    f"{field.name} must be a number above 0, not {shown(value)}",
                )
                continue
            least = 1 if field.name == "prunings" else 0
            problems.require(
                isinstance(value, int) and not isinstance(value, bool) and value >= least,
                f"{field.name} must be an integer of at least {least}, not {shown(value)}",
            )
        problems.raise_as(InputError)

    def densities(self, final: Mapping[str, float], step: int) -> dict[str, float]:
        """Density of each matrix after pruning `step`, 1 to :attr:`prunings`."""
        left = (1 - step / self.prunings) ** 3
        return {name: density + (1 - density) * left for name, density in final.items()}


@dataclass(frozen=True)
class Step:
    """A part of the way, which ends in a report."""

    #: Name in tables, and unique.
    title: str
    kind: Kind
    epochs: int = 0
    learning_rate: float = 0.0
    #: Number of the pruning, from 1.
    pruning: int = 0


@dataclass(frozen=True)
class Plan:
    """All steps in order."""

    steps: Sequence[Step]

    @classmethod
    def of(cls, schedule: Schedule, *, bits: int, integer: bool) -> Plan:
        """Lay out a schedule.

        Parameters
        ----------
        schedule
            How long each part takes.
        bits
            Of activations in fixed point.
        integer
            Whether there is fixed-point arithmetic to train against.
        """
        steps = [Step("float", "float")]
        for number in range(1, schedule.prunings + 1):
            last = number == schedule.prunings
            epochs = schedule.last_epochs if last else schedule.epochs
            title = "pruned" if last else f"pruning {number} of {schedule.prunings}"
            steps.append(Step(title, "prune", epochs, schedule.learning_rate, number))
        steps.append(Step("shared", "share"))
        if schedule.codebook_epochs:
            steps.append(
                Step(
                    "shared, trained",
                    "train codebooks",
                    schedule.codebook_epochs,
                    schedule.codebook_learning_rate,
                )
            )
        if integer:
            steps.append(Step(f"fixed point, {bits} bits", "fix"))
            if schedule.fixed_epochs:
                steps.append(
                    Step(
                        "fixed point, trained",
                        "train fixed",
                        schedule.fixed_epochs,
                        schedule.fixed_learning_rate,
                    )
                )
            steps.append(Step("integer", "integer"))
        return cls(tuple(steps))
