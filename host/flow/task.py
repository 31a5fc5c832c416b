"""What a flow is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy.typing as npt

from eie.host.network import Network
from eie.host.network.sequence_codes import only_last

__all__ = ["FlowTask", "GivenArrays", "gives_arrays"]

#: What a file of data holds: an array, or several by name.
GivenArrays: TypeAlias = npt.NDArray[Any] | Mapping[str, npt.NDArray[Any]]


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
    #: Of a recurrent model sequences: (n, steps, features), or (steps, features) of each by name.
    inputs: GivenArrays | None = None
    #: Classes of shape (n,), or wanted outputs of shape (n, outputs); of a recurrent model that
    #: gives all steps, for each step.
    labels: GivenArrays | None = None
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


def gives_arrays(task: FlowTask, network: Network) -> bool:
    """Whether outputs are several arrays by name: of every step of sequences that came so."""
    return isinstance(task.inputs, Mapping) and not only_last(network, None)
