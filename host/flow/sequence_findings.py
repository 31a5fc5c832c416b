"""What a recurrent network gives for its sequences: findings, by steps."""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import EieWarning
from eie.hls.model.allowance import RunAllowance
from eie.hls.spec.fixed_point import dequantize
from eie.host.flow.comparison import Comparison, compare_sequences
from eie.host.flow.data import Data
from eie.host.flow.engines import Engine, Engines
from eie.host.flow.evaluation import Evaluation, evaluate_outputs
from eie.host.flow.findings import Findings
from eie.host.flow.inputs import typical_vectors
from eie.host.flow.sequence_data import SequenceData
from eie.host.network.sequence_codes import only_last, sequence_codes
from eie.host.packing.tiling import Plan
from eie.host.report.facts import EngineAgreement
from eie.host.run.batch import RunResult
from eie.host.run.costs import Costs
from eie.host.run.step_costs import one_step, several_sequences, side_by_side

if TYPE_CHECKING:
    from eie.host.compress.dense_layer import DenseModel
    from eie.host.compress.sequence_model import SequenceModel
    from eie.host.cut import HostParts

__all__ = ["SequenceFindings", "findings_of"]

#: Sequences that layers are compared with the model on, and engines with each other, at most.
_COMPARED = 64


class SequenceFindings(Findings):
    """Findings of a recurrent network: costs are those of a step.

    Without sequences, random ones stand in: the golden vectors as the steps of one.

    Parameters
    ----------
    plan, engines, allowance
        As of :class:`~eie.host.flow.findings.Findings`.
    model
        The model before compression; None if it is not known.
    data
        Sequences and labels, as far as there are.
    """

    def __init__(
        self,
        plan: Plan,
        engines: Engines,
        model: SequenceModel | None,
        data: SequenceData,
        allowance: RunAllowance | None = None,
    ) -> None:
        super().__init__(plan, engines, None, data, allowance)
        self._sequence_model = model
        self._sequence_data = data
        self._last = only_last(plan.network, None)
        self.unit = "sequence" if self._last else "step"

    @cached_property
    def sequences(self) -> tuple[npt.NDArray[np.int16], ...]:
        """int16, each of shape (steps, inputs): what runs."""
        given = self._sequence_data.sequences
        if not given:
            return (typical_vectors(self._plan.network),)
        return sequence_codes(self._plan.network, list(given)).codes

    @cached_property
    def outputs(self) -> npt.NDArray[np.float32]:
        """float32, shape (n, outputs): of each sequence, or of each step, one behind the other."""
        return self._outputs_of(self.sequences, "emulator")

    @cached_property
    def single(self) -> RunResult:
        """A step by itself, as in a stream, in the state that others have left."""
        return one_step(self._plan, self.sequences, self._allowance)

    @cached_property
    def batch(self) -> RunResult:
        """About 64 steps of several sequences at the same time, as many as there are lanes."""
        return several_sequences(self._plan, self.sequences, self._allowance)

    @property
    def costs(self) -> Costs:
        """Latency of a step alone, and throughput of several sequences at the same time."""
        assert self.single.report is not None and self.batch.report is not None
        lanes = self._plan.passes[0].packed.held.lanes
        beside = len(side_by_side(self.sequences, lanes))
        return Costs(self.single.report, self.batch.report, beside)

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """Accuracy and error; None without model and labels, or sequences."""
        data, model = self._sequence_data, self._sequence_model
        if not data.sequences or (data.labels is None and model is None):
            return None
        exact = None if model is None else model.forward(data.sequences, last=self._last)
        return evaluate_outputs(self.outputs, labels=data.labels, float_outputs=exact)

    @cached_property
    def comparison(self) -> Comparison | None:
        """Each layer beside the model's, on the first 64 sequences; None without model or any."""
        sequences, model = self._sequence_data.sequences, self._sequence_model
        if not sequences or model is None:
            return None
        with warnings.catch_warnings():  # told of with `sequences`
            warnings.simplefilter("ignore", EieWarning)
            return compare_sequences(self._plan.network, model, sequences[:_COMPARED])

    def agreement(self, engine: Engine) -> EngineAgreement:
        """Run the first 64 sequences on an engine, and count outputs that are the emulator's."""
        some = self.sequences[:_COMPARED]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EieWarning)
            outputs = self._outputs_of(some, engine)
        equal = int(np.count_nonzero(outputs == self.outputs[: len(outputs)]))
        found = EngineAgreement(self._engines.name_of(engine), len(outputs), outputs.size, equal)
        self.take_agreement(found)
        return found

    def _outputs_of(
        self, sequences: tuple[npt.NDArray[np.int16], ...], engine: Engine
    ) -> npt.NDArray[np.float32]:
        found = self._engines.run_sequences(sequences, engine, last=self._last, keep=False)
        return dequantize(np.concatenate(found), self._plan.network.output_frac)


def findings_of(
    plan: Plan,
    engines: Engines,
    model: DenseModel | SequenceModel | None,
    data: Data,
    allowance: RunAllowance | None,
    host: HostParts | None = None,
) -> Findings:
    """Give the findings of a network on its design, recurrent or not."""
    if plan.network.recurrent:
        of_sequences = data if isinstance(data, SequenceData) else SequenceData()
        known = cast("SequenceModel | None", model)
        return SequenceFindings(plan, engines, known, of_sequences, allowance)
    return Findings(plan, engines, cast("DenseModel | None", model), data, allowance, host)
