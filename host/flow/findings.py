"""What an accelerated model gives for its samples: each thing found when it is first asked for."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import EieWarning
from eie.hls.model.allowance import RunAllowance
from eie.hls.spec.fixed_point import dequantize
from eie.host.flow.comparison import Comparison, compare_with
from eie.host.flow.data import Data
from eie.host.flow.engines import Engine, Engines
from eie.host.flow.evaluation import Evaluation, evaluate_through
from eie.host.flow.inputs import typical_vectors
from eie.host.network.input_codes import quantize_inputs, saturated_inputs
from eie.host.packing.tiling import Plan
from eie.host.report.facts import EngineAgreement
from eie.host.run.batch import RunResult, emulate_plan
from eie.host.run.costs import SAMPLE, Costs

if TYPE_CHECKING:
    from eie.host.compress.dense_layer import DenseModel
    from eie.host.cut import HostParts

__all__ = ["Findings"]

#: Vectors that layers are compared with the model on, and engines with each other, at most.
_COMPARED = 1024
_EMULATOR = "numpy emulator"


class Findings:
    """What a network on its design gives for the samples that it has.

    Without samples the network's golden vectors stand in, or random ones.

    Parameters
    ----------
    plan
        The network on its design.
    engines
        What runs it.
    model
        The model before compression; None if it is not known.
    data
        Samples and labels, as far as there are.
    allowance
        What the cycle model leaves out; the assumed one of the design if it is None.
    host
        What the host does behind the network; None if that is the whole model. `data` has what the
        network takes, and labels of what the model gives.
    """

    def __init__(
        self,
        plan: Plan,
        engines: Engines,
        model: DenseModel | None,
        data: Data,
        allowance: RunAllowance | None = None,
        host: HostParts | None = None,
    ) -> None:
        self._plan = plan
        self._engines = engines
        self._model = model
        self._data = data
        self._allowance = allowance
        self._host = host
        self._agreements: dict[str, EngineAgreement] = {}

    #: What each row of :attr:`outputs` is of.
    unit = "vector"

    @cached_property
    def codes(self) -> npt.NDArray[np.int16]:
        """int16, shape (n, inputs): what runs; warns of samples that 16 bits cannot hold."""
        samples = self._data.samples
        if samples is None:
            return typical_vectors(self._plan.network)
        return quantize_inputs(self._plan.network, samples)

    @cached_property
    def outputs(self) -> npt.NDArray[np.float32]:
        """float32, shape (n, outputs): what the emulator gives for them."""
        codes = self._engines.run(self.codes, "emulator")
        return dequantize(codes, self._plan.network.output_frac)

    def take_outputs(self, outputs: npt.NDArray[np.float32]) -> None:
        """Take :attr:`outputs` that are known from an earlier run."""
        self.__dict__["outputs"] = outputs

    @cached_property
    def single(self) -> RunResult:
        """The first vector alone, with report and counters."""
        return self._counted(1)

    @cached_property
    def batch(self) -> RunResult:
        """The first :data:`~eie.host.run.costs.SAMPLE` vectors, with report and counters."""
        return self._counted(SAMPLE)

    @property
    def costs(self) -> Costs:
        """Latency of one vector alone, and throughput in a batch."""
        assert self.single.report is not None and self.batch.report is not None
        return Costs(self.single.report, self.batch.report)

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """Accuracy and error on all samples; None without model and labels, or samples."""
        samples, labels = self._data.samples, self._data.labels
        if samples is None or (labels is None and self._model is None):
            return None
        exact = None if self._model is None else self._model.forward(samples)
        return evaluate_through(self._host, self.outputs, labels=labels, float_outputs=exact)

    @cached_property
    def comparison(self) -> Comparison | None:
        """Each layer beside the model's, on the first 1,024 samples; None without model or any."""
        if self._model is None or self._data.samples is None:
            return None
        with warnings.catch_warnings():  # told of with `codes`
            warnings.simplefilter("ignore", EieWarning)
            return compare_with(self._plan.network, self._model, self._data.samples[:_COMPARED])

    @property
    def agreements(self) -> tuple[EngineAgreement, ...]:
        """The emulator on the golden vectors, and every engine that :meth:`agreement` ran."""
        network = self._plan.network
        if len(network.golden_inputs) and _EMULATOR not in self._agreements:
            outputs = self._engines.run(network.golden_inputs, "emulator")
            equal = int(np.count_nonzero(outputs == network.golden_outputs))
            self._agreements[_EMULATOR] = EngineAgreement(
                _EMULATOR, len(outputs), outputs.size, equal, "torch integer reference"
            )
        # The emulator first: the others are compared with it.
        return tuple(sorted(self._agreements.values(), key=lambda each: each.engine != _EMULATOR))

    def agreement(self, engine: Engine) -> EngineAgreement:
        """Run the first 1,024 vectors on an engine, and count outputs that are the emulator's.

        Nothing is warned of: the emulator tells of what is cut off.
        """
        codes = self.codes[:_COMPARED]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EieWarning)
            outputs = dequantize(self._engines.run(codes, engine), self._plan.network.output_frac)
        equal = int(np.count_nonzero(outputs == self.outputs[: len(codes)]))
        found = EngineAgreement(self._engines.name_of(engine), len(codes), outputs.size, equal)
        self.take_agreement(found)
        return found

    def take_agreement(self, found: EngineAgreement) -> None:
        """Take what :meth:`agreement` found in an earlier run."""
        self._agreements[found.engine] = found

    def _counted(self, vectors: int) -> RunResult:
        codes = self.codes[:vectors]
        result = emulate_plan(self._plan, codes, allowance=self._allowance)
        if self._data.samples is None or result.report is None:
            return result
        network, samples = self._plan.network, self._data.samples[:vectors]
        lost = int(saturated_inputs(network, samples, codes).sum())
        return replace(result, report=replace(result.report, saturated_inputs=lost))
