"""How good outputs are, in a line: for the commands that are given labels."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from eie.host.flow.evaluation import Evaluation, evaluate_outputs

__all__ = ["quality_of", "quality_text"]


def quality_of(outputs: npt.NDArray[Any], labels: npt.NDArray[Any], name: str = "labels") -> str:
    """Say how good outputs are, real numbers of shape (n, outputs).

    Raises
    ------
    InputError
        If the labels are not what they must be.
    """
    return quality_text(evaluate_outputs(outputs, labels=labels, name=name))


def quality_text(found: Evaluation) -> str:
    """Say in a line what is known; empty if nothing is."""
    parts = []
    if found.accuracy is not None:
        right = f"{found.correct} of {found.vectors}"
        parts.append(f"accuracy {100 * found.accuracy:.2f} % ({right})")
    if found.float_accuracy is not None:
        parts.append(f"of the model before compression {100 * found.float_accuracy:.2f} %")
    if found.same_class is not None:
        parts.append(f"same class as the model {found.same_class} of {found.vectors}")
    if found.rms_error is not None:
        parts.append(f"error against the model {100 * found.rms_error:.2f} % rms")
    if found.target_error is not None:
        parts.append(f"error against the labels {found.target_error:.4g} rms")
    return ", ".join(parts)
