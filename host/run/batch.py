"""Run a batch on an engine, in passes and packets of sensible size, with a report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DeviceError, InputError
from eie.hls.boundary.progress import tell
from eie.hls.boundary.text import counted
from eie.hls.model.allowance import RunAllowance
from eie.hls.model.area import warn_beyond_board
from eie.hls.model.emulator import Emulator
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.network.input_codes import InputCodes, input_codes
from eie.host.network.sequence_codes import Outputs, only_last, sequence_codes
from eie.host.network.table import Summarized, Table
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.tiling import Plan, plan_passes
from eie.host.protocol.client import Session
from eie.host.protocol.engine import Engine
from eie.host.protocol.lane_states import LaneStates
from eie.host.protocol.saturation import Saturation
from eie.host.protocol.sequence_run import run_sequences
from eie.host.protocol.sequences import Schedule
from eie.host.run.paper_machine import paper_plan, refuse_paper
from eie.host.run.report import RunReport, paper_report, report_run

__all__ = ["RunResult", "emulate", "emulate_plan", "simulate"]


@dataclass(frozen=True, eq=False, repr=False)
class RunResult(Summarized):
    """What a batch gave, and what it cost.

    Attributes
    ----------
    outputs
        Shape (batch, outputs): float32 if real numbers went in, int16 codes if codes did. Of
        sequences also (batch, steps, outputs), or a list of (steps, outputs).
    saturation
        Values that 16 bits could not hold.
    report
        None when no report was asked for.
    counters
        What the PEs did, summed over the batch; None when no report was asked for.
    """

    outputs: Any
    saturation: Saturation
    report: RunReport | None
    counters: Counters | None

    def summary(self) -> Table:
        """Give what the run cost, or what was saturated if no report was asked for, as a table.

        Returns
        -------
        Table
        """
        return self.saturation.summary() if self.report is None else self.report.summary()

    def __repr__(self) -> str:
        found = self.outputs
        first = next(iter(found.values() if isinstance(found, dict) else found))
        vectors, outputs = self.saturation.vectors, np.shape(first)[-1]
        cost = "" if self.report is None else f", {counted(self.report.total_cycles, 'cycle')}"
        return f"<RunResult of {counted(vectors, 'vector')}, {outputs} outputs each{cost}>"


def emulate(
    network: Network,
    design: Design,
    inputs: npt.ArrayLike,
    *,
    report: bool = True,
    paper: bool = False,
    saturated_inputs: int = 0,
    plan: Plan | None = None,
    allowance: RunAllowance | None = None,
    outputs: Outputs | None = None,
) -> RunResult:
    """Run a batch on the numpy emulator: real numbers or int16 codes in, and the same out.

    Warns of values that were saturated (:class:`~eie.hls.boundary.errors.SaturationWarning`), and
    of a design that its board does not hold (:class:`~eie.hls.boundary.errors.BeyondBoardWarning`).

    Parameters
    ----------
    network, design
        What to run, on which hardware.
    inputs
        Shape (batch, inputs), or with the network's ``input_shape``: floats are real numbers, which
        are rounded to the network's formats; int16 are codes. For a recurrent network sequences:
        (batch, steps, inputs), a list of (steps, inputs), or a single one.
    report
        Whether to count cycles, which takes longer than the outputs.
    paper
        Count the cycles of the paper's machine (:mod:`eie.hls.model.paper`) instead of the
        kernel's, with rows in natural order. Outputs are the same.
    saturated_inputs
        Input values that were saturated when they were quantised, to be told of with the layers';
        for codes alone, as of real numbers it is known.
    plan
        Of the network on the design, where there is one already; not used with `paper`.
    allowance
        What the cycle model leaves out, for the report; the assumed one of the design if None.
    outputs
        Of sequences: ``"all"`` steps or the ``"last"``; what the model gives if None.

    Returns
    -------
    RunResult
        Outputs are float32 for real numbers, int16 codes for codes.

    Raises
    ------
    InputError
        If the inputs have another shape or type, or are not finite; or if a recurrent network is to
        run on the paper's machine.
    DoesNotFitError
        If the design cannot hold the network, not even in passes.

    Warns
    -----
    SaturationWarning
        If 16 bits could not hold inputs, or results of a layer.
    """
    if paper:
        refuse_paper(network)
    if network.recurrent:
        warn_beyond_board(design)
        emulator = Emulator(design)
        plan = plan or plan_passes(network, design)
        return _run_sequences(
            emulator, emulator if report else None, plan, inputs, outputs, allowance,
            saturated_inputs,
        )  # fmt: skip
    _refuse_outputs(outputs, paper)
    taken = input_codes(network, inputs)
    if paper:
        emulator = Emulator(design)
        plan = paper_plan(network, design)
        result = _run(emulator, emulator, plan, taken.codes, report=report, paper=True)
    else:
        warn_beyond_board(design)
        plan = plan or plan_passes(network, design)
        result = emulate_plan(plan, taken.codes, report=report, allowance=allowance)
    result = _answered(result, network, taken, saturated_inputs)
    result.saturation.warn(network)
    return result


def emulate_plan(
    plan: Plan,
    inputs: npt.NDArray[np.int16],
    *,
    report: bool = True,
    allowance: RunAllowance | None = None,
) -> RunResult:
    """Run int16 codes of shape (batch, inputs) on the numpy emulator, as planned, unwarned."""
    emulator = Emulator(plan.design)
    return _run(emulator, emulator, plan, inputs, report=report, paper=False, allowance=allowance)


def simulate(
    network: Network,
    design: Design,
    engine: Engine,
    inputs: npt.ArrayLike,
    *,
    report: bool = True,
    saturated_inputs: int = 0,
    plan: Plan | None = None,
    allowance: RunAllowance | None = None,
    outputs: Outputs | None = None,
) -> RunResult:
    """Run a batch on the compiled kernel of `design`: real numbers or codes in, and the same out.

    With a report, the emulator runs beside it: it splits the cycles up by layer, and both must
    give the same outputs and counters.

    Parameters
    ----------
    network, design
        What to run, on which hardware.
    engine
        The hardware: a :class:`~eie.hls.tools.compiled_kernel.CompiledKernel` of the design's
        project.
    inputs, report, saturated_inputs, plan, allowance, outputs
        As for :func:`emulate`.

    Returns
    -------
    RunResult
        Outputs are float32 for real numbers, int16 codes for codes.

    Raises
    ------
    InputError
        If the inputs have another shape or type, or are not finite.
    DeviceError
        If kernel and emulator differ.

    Warns
    -----
    SaturationWarning
        As of :func:`emulate`.
    """
    model = Emulator(design) if report else None
    if network.recurrent:
        plan = plan or plan_passes(network, design)
        return _run_sequences(engine, model, plan, inputs, outputs, allowance, saturated_inputs)
    _refuse_outputs(outputs, paper=False)
    taken = input_codes(network, inputs)
    plan = plan or plan_passes(network, design)
    result = _run(engine, model, plan, taken.codes, report=report, paper=False, allowance=allowance)
    result = _answered(result, network, taken, saturated_inputs)
    result.saturation.warn(network)
    return result


def _answered(result: RunResult, network: Network, taken: InputCodes, told: int) -> RunResult:
    """Give outputs in the kind of the inputs, and add what was cut off of these.

    `told` is what the caller knows of codes that it quantised itself.
    """
    saturated = taken.saturated if taken.real else told
    return replace(
        result,
        outputs=taken.answer(network, result.outputs),
        saturation=replace(result.saturation, inputs=saturated),
        report=result.report and replace(result.report, saturated_inputs=saturated),
    )


def _refuse_outputs(outputs: Outputs | None, paper: bool) -> None:
    if outputs is not None:
        why = "the paper's machine has no sequences" if paper else "the network is not recurrent"
        raise InputError(f"outputs must be left out: {why}")


def _run_sequences(
    engine: Engine,
    model: Emulator | None,
    plan: Plan,
    inputs: npt.ArrayLike,
    outputs: Outputs | None,
    allowance: RunAllowance | None,
    told: int,
) -> RunResult:
    """Run sequences, each from a state of zero; counts are of their steps.

    `told` is what the caller knows of codes that it quantised itself.
    """
    network, packed = plan.network, plan.passes[0].packed
    last = only_last(network, outputs)
    taken = sequence_codes(network, inputs, empty=not last)
    results: list[_PassResult] = []

    def send(vectors: npt.NDArray[np.int16], steps: Schedule) -> npt.NDArray[np.int16]:
        result = _run_pass(engine, model, packed, vectors, model is not None, False, allowance,
                           steps)  # fmt: skip
        results.append(result)
        return result.outputs

    found = run_sequences(LaneStates(packed.held.lanes), taken.codes, send, last=last, keep=False)
    (result,) = results
    cut = taken.saturated if taken.real else told
    saturation = Saturation.of_run(network, taken.steps, cut, result.saturated)
    saturation.warn(network)
    report = result.report and replace(result.report, saturated_inputs=cut)
    answered = taken.answer(network, found, last=last)
    return RunResult(answered, saturation, report, result.counters)


def _run(
    engine: Engine,
    model: Emulator | None,
    plan: Plan,
    inputs: npt.NDArray[np.int16],
    *,
    report: bool,
    paper: bool,
    allowance: RunAllowance | None = None,
) -> RunResult:
    codes = plan.network.check_inputs(inputs)
    results: list[_PassResult] = []

    def run_pass(packed: PackedNetwork, values: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        results.append(_run_pass(engine, model, packed, values, report, paper, allowance))
        return results[-1].outputs

    outputs = plan.run(codes, run_pass)
    saturated = plan.by_layer([each.saturated for each in results])
    saturation = Saturation.of_run(plan.network, len(codes), 0, saturated)
    reports = [each.report for each in results if each.report is not None]
    if not reports:
        return RunResult(outputs, saturation, None, None)
    counters = [each.counters for each in results if each.counters is not None]
    of_stage = iter(reports)
    stages = [[next(of_stage) for _ in stage] for stage in plan.stages]
    return RunResult(
        outputs,
        saturation,
        RunReport.of_passes(stages, plan.load_cycles),
        Counters.of_passes(counters) if counters else None,
    )


@dataclass(frozen=True, eq=False)
class _PassResult:
    """What a batch gave in one pass."""

    outputs: npt.NDArray[np.int16]
    #: Results of each layer of the pass that were saturated.
    saturated: tuple[int, ...]
    report: RunReport | None
    counters: Counters | None


def _run_pass(
    engine: Engine,
    model: Emulator | None,
    packed: PackedNetwork,
    codes: npt.NDArray[np.int16],
    report: bool,
    paper: bool,
    allowance: RunAllowance | None,
    steps: Schedule | None = None,
) -> _PassResult:
    session = Session(engine, packed)
    beside = Session(model, packed) if model is not None and model is not engine else None
    given = len(codes) if steps is None else steps.tags.given
    outputs = np.empty((given, packed.network.outputs), np.int16)
    saturated = np.zeros(len(packed.layers), np.int64)
    reports: list[RunReport] = []
    counters: list[Counters] = []
    read_to, most = 0, session.vectors_per_packet
    parts = (
        (slice(start, start + most) for start in range(0, len(codes), most))
        if steps is None
        else steps.parts(most, most)
    )
    for part in parts:
        tell("computing", part.start, len(codes), "vectors")
        tags = None if steps is None else steps.tags_of(part)
        found = session.run(codes[part], tags)
        outputs[read_to : read_to + len(found)] = found
        read_to += len(found)
        saturated += session.saturated
        if not report or model is None:
            continue
        if beside is not None and not np.array_equal(beside.run(codes[part], tags), found):
            raise DeviceError("kernel and emulator give different outputs: please report this")
        if beside is not None and beside.saturated != session.saturated:
            raise DeviceError(
                "kernel and emulator count different saturated values: please report this"
            )
        if paper:
            reports.append(paper_report(packed, model.last_activations[:-1], session.saturated))
            continue
        counted = model.last_counters
        by_pes = bool(packed.design.counters)
        if not counted.reported(by_pes=by_pes).same_as(session.counters()):
            raise DeviceError("kernel and emulator count different cycles: please report this")
        counters.append(counted)
        reports.append(
            report_run(packed, model.last_activations[:-1], counted, session.saturated, allowance)
        )
    return _PassResult(
        outputs,
        tuple(saturated.tolist()),
        RunReport.total(reports) if reports else None,
        Counters.total(counters) if counters else None,
    )
