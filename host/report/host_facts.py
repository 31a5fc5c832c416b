"""What a report says of a model that was cut: fields of its JSON."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HostFacts"]


@dataclass(frozen=True)
class HostFacts:
    """What the host does of a model, and what the accelerator does."""

    #: Names of the layers on the accelerator.
    layers: tuple[str, ...]
    #: Operations on the host before them, with how often each comes; empty if there are none.
    before: str
    #: Operations on the host behind them; empty if there are none.
    behind: str
    #: Shape of one input of the model.
    input_shape: tuple[int, ...]
    #: Shape of what the accelerator takes for it.
    features: tuple[int, ...]
    #: Vectors that the accelerator takes for it: one, or one for each position of an image.
    vectors: int
    #: Shape of one output of the model.
    output_shape: tuple[int, ...]
    #: Multiply-adds on the host for one input.
    multiply_adds: int
    #: Numbers that the host holds: weights, biases, statistics.
    parameters: int
    #: Multiply-adds on the accelerator for one input, before pruning.
    head_multiply_adds: int
    #: Those whose weight pruning left.
    head_multiply_adds_kept: int
    #: Inputs of the calibration that went through the host's part; None without calibration.
    calibrated: int | None
    #: Share of what the host gives for them that is not zero; None without calibration.
    active: float | None
