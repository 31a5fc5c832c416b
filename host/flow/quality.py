"""How good outputs are, and how busy PEs, in a line each: for the command line."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from eie.hls.boundary.text import printable
from eie.host.flow.comparison import Comparison
from eie.host.flow.evaluation import Evaluation, evaluate_outputs
from eie.host.run.batch import RunResult

__all__ = ["layer_lines", "load_line", "quality_of", "quality_text"]


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


def layer_lines(found: Comparison) -> list[str]:
    """Say what each layer lost against the model, a line each."""
    lines = []
    for layer in found.layers:
        error = "" if layer.rms_error is None else f"error {100 * layer.rms_error:.2f} % rms, "
        lines.append(
            f"layer {printable(layer.name)}: model's outputs {layer.low:.4g} to {layer.high:.4g}, "
            f"{error}{layer.saturated} of {layer.outputs:,} cut off"
        )
    return lines


def load_line(run: RunResult) -> str:
    """Say how busy the PEs were in a run that was counted."""
    counters = run.counters
    assert counters is not None
    busy = 100 * counters.busy / max(1, counters.cycles)
    return (
        f"PEs busy {busy.mean():.0f} % of the batch's cycles, the least busy {busy.min():.0f} %, "
        f"the busiest {busy.max():.0f} %"
    )
