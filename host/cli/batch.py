"""What `emulate`, `simulate` and `run` take through a network, and what they write of it.

Vectors, or of a recurrent network sequences: an array (batch, steps, features), or of different
lengths an ``.npz`` with an array (steps, features) for each.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.text import counted
from eie.hls.model.allowance import RunAllowance
from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import dequantize
from eie.host.cli.arrays import read_array, read_data, read_inputs, write_array, write_arrays
from eie.host.flow.data import ModelSizes
from eie.host.flow.labels import check_labels
from eie.host.flow.sequence_data import check_model_data
from eie.host.network import Network
from eie.host.network.sequence_codes import (
    Outputs,
    SequenceCodes,
    only_last,
    sequence_codes,
)
from eie.host.packing.tiling import Plan
from eie.host.run.costs import Costs, measure_costs
from eie.host.run.report import RunReport
from eie.host.run.step_costs import measure_step_costs

__all__ = ["Batch", "costs_of", "read_batch"]


@dataclass(frozen=True, eq=False)
class Batch:
    """What a command takes through a network, with what belongs to it."""

    network: Network
    #: int16 (batch, inputs), or of sequences a list of (steps, inputs).
    codes: Any
    #: Input values that 16 bits could not hold.
    saturated: int
    #: As :func:`~eie.host.flow.labels.check_labels` gives them, for every output; None without any.
    labels: npt.NDArray[Any] | None
    #: Of a recurrent network; else None.
    sequences: SequenceCodes | None = None
    #: Whether sequences give an output for their last step alone.
    last: bool = False

    @property
    def outputs(self) -> Outputs | None:
        """Of what steps there are outputs; None without sequences."""
        return None if self.sequences is None else "last" if self.last else "all"

    @property
    def unit(self) -> str:
        """What a vector is."""
        return "vector" if self.sequences is None else "step"

    @property
    def vectors(self) -> int:
        """Vectors, or steps of all sequences."""
        return len(self.codes) if self.sequences is None else self.sequences.steps

    def values(self, found: Any) -> npt.NDArray[np.float32]:
        """Give outputs as real numbers, float32 (n, outputs), one sequence behind the other."""
        together = np.concatenate(found) if isinstance(found, list) else found
        return dequantize(together, self.network.output_frac)

    def write(self, path: Path, found: Any) -> str:
        """Write outputs, codes as the library gives them, as real numbers; say what they are."""
        if self.sequences is None:
            write_array(path, self.values(found))
            return f"{len(found)} vectors of {self.network.outputs} outputs"
        each = [row[np.newaxis] for row in found] if self.last else found
        answer = self.sequences.answer(self.network, each, last=self.last)
        if isinstance(answer, dict):
            write_arrays(path, answer)
        else:
            write_array(path, answer)
        outputs, steps = counted(self.network.outputs, "output"), counted(self.vectors, "step")
        sequences = counted(len(self.codes), "sequence")
        of = f"the last step of {sequences}, of {steps} together"
        return f"{outputs} of {of if self.last else f'each of {steps} of {sequences}'}"


def read_batch(options: argparse.Namespace, network: Network) -> Batch:
    """Read inputs and labels, before anything is run.

    Raises
    ------
    InputError
        If they are not what they must be, do not belong together, or the outputs cannot have the
        name that they are to have; names all that is wrong.

    Warns
    -----
    SaturationWarning
        If values lie beyond what the network's inputs hold.
    """
    name, labels_name = f"inputs in {options.inputs}", f"labels in {options.labels}"
    if not network.recurrent:
        if options.steps is not None:
            raise InputError("--steps must be left out: the network has no recurrent layer")
        codes, saturated = read_inputs(options.inputs, network)
        labels = None
        if options.labels is not None:
            wanted = read_array(options.labels)
            labels = check_labels(wanted, len(codes), network.outputs, name=labels_name)
        return Batch(network, codes, saturated, labels)
    last = only_last(network, options.steps)
    given = read_data(options.inputs)
    data = check_model_data(
        given,
        None if options.labels is None else read_data(options.labels),
        ModelSizes((network.inputs,), network.outputs, last),
        name=name,
        labels_name=labels_name,
        problems=_name_problems(options.outputs, by_name=isinstance(given, Mapping) and not last),
    )
    taken = sequence_codes(network, _as_reals(given), name=name)
    return Batch(network, list(taken.codes), taken.saturated, data.labels, taken, last)


def costs_of(
    batch: Batch,
    design: Design,
    *,
    plan: Plan | None,
    whole: RunReport | None = None,
    paper: bool = False,
    allowance: RunAllowance | None = None,
) -> Costs:
    """Count what a vector, or a step of a sequence, costs alone and among others.

    Parameters are those of :func:`eie.host.run.costs.measure_costs`.
    """
    if batch.sequences is not None:
        assert plan is not None  # no sequences on the paper's machine
        return measure_step_costs(plan, batch.codes, allowance)
    return measure_costs(
        batch.network, design, batch.codes, plan=plan, whole=whole, paper=paper, allowance=allowance
    )


def _as_reals(given: Any) -> Any:
    """Give floats for whole numbers, which files have where the library takes codes."""
    if isinstance(given, Mapping):
        return {name: _as_reals(each) for name, each in given.items()}
    return given if given.dtype.kind == "f" else given.astype(np.float64)


def _name_problems(outputs: Path, *, by_name: bool) -> list[str]:
    if by_name == (outputs.suffix == ".npz"):
        return []
    if by_name:
        return [
            "--outputs must end in .npz, since there are outputs for every step of sequences that "
            f"came by name, not {outputs.name!r}"
        ]
    return [f"--outputs must end in .npy, since it is one array, not {outputs.name!r}"]
