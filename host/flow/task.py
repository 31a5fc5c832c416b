"""What a flow is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

__all__ = ["FlowTask"]


@dataclass(frozen=True, eq=False)
class FlowTask:
    """A model, a board, data and the folder for all files, much as :func:`eie.convert` has them."""

    #: A saved model (``.pt2``, ``.onnx``, ``.keras``), or a network file.
    model: Path
    #: Name in :data:`eie.hls.spec.boards.BOARDS`.
    board: str
    #: Where the files go; made if it is not there.
    out: Path
    #: Real inputs, shape (n, ...): they calibrate and are run. None: the golden vectors are run.
    inputs: npt.NDArray[Any] | None = None
    #: Classes of shape (n,), or wanted outputs of shape (n, outputs).
    labels: npt.NDArray[Any] | None = None
    #: Share of the weights to keep, of all layers or by layer name.
    density: float | dict[str, float] | None = None
    #: Whether weights are pruned and shared already.
    keep_weights: bool = False
    #: Where the model is cut, as :func:`eie.convert` takes it: paths of modules, None to choose.
    cut: str | tuple[str, str] | Literal[False] | None = None
    #: Whether what another model left in the folder is to be replaced.
    start_over: bool = False
    #: Paths of inputs and labels to name in the report, by :func:`eie.host.report.make_report`'s
    #: names for them.
    sources: Mapping[str, str] = field(default_factory=dict)
