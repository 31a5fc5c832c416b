"""What a step of a sequence costs alone, as in a stream, and among steps of other sequences."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import SaturationWarning
from eie.hls.model.allowance import RunAllowance
from eie.hls.model.emulator import Emulator
from eie.host.packing.run_tags import RunTags
from eie.host.packing.tiling import Plan
from eie.host.protocol.client import Session
from eie.host.protocol.saturation import Saturation
from eie.host.run.batch import RunResult, emulate
from eie.host.run.costs import SAMPLE, Costs
from eie.host.run.report import report_run

__all__ = ["measure_step_costs", "one_step", "several_sequences", "side_by_side"]

Codes = npt.NDArray[np.int16]


def one_step(
    plan: Plan, sequences: Sequence[Codes], allowance: RunAllowance | None = None
) -> RunResult:
    """Run a step of the longest sequence by itself, in the state that the steps before it leave.

    The first step of a sequence would say little: its state is zero, and zeros cost nothing.

    Parameters
    ----------
    plan
        A recurrent network on its design.
    sequences
        int16 codes, each of shape (steps, inputs).
    allowance
        What the cycle model leaves out, for the report.
    """
    sequence = max(sequences, key=len)[:SAMPLE]
    packed, emulator = plan.passes[0].packed, Emulator(plan.design)
    session = Session(emulator, packed)
    before = len(sequence) - 1
    if before:
        session.run(sequence[:-1], RunTags.of_sequence(before, start=True))
    outputs = session.run(sequence[-1:], RunTags.of_sequence(1, start=not before))
    counters = emulator.last_counters
    activations = emulator.last_activations[:-1]
    report = report_run(packed, activations, counters, session.saturated, allowance)
    saturation = Saturation.of_run(plan.network, 1, 0, session.saturated)
    return RunResult(outputs, saturation, report, counters)


def several_sequences(
    plan: Plan, sequences: Sequence[Codes], allowance: RunAllowance | None = None
) -> RunResult:
    """Run the first steps of the first sequences, as many as there are lanes; about 64 steps."""
    some = side_by_side(sequences, plan.passes[0].packed.held.lanes)
    with warnings.catch_warnings():  # told of already, with all sequences
        warnings.simplefilter("ignore", SaturationWarning)
        return emulate(
            plan.network, plan.design, some, plan=plan, allowance=allowance, outputs="all"
        )


def side_by_side(sequences: Sequence[Codes], lanes: int) -> list[Codes]:
    """Give the first steps of the first sequences, one a lane: about :data:`SAMPLE` of them."""
    some = sequences[: max(1, lanes)]
    most = max(1, SAMPLE // len(some))
    return [each[:most] for each in some]


def measure_step_costs(
    plan: Plan, sequences: Sequence[Codes], allowance: RunAllowance | None = None
) -> Costs:
    """Count the cycles of a step alone, and of steps of several sequences at a time.

    Parameters
    ----------
    plan, sequences, allowance
        As for :func:`one_step`.
    """
    single = one_step(plan, sequences, allowance).report
    batch = several_sequences(plan, sequences, allowance).report
    assert single is not None and batch is not None
    return Costs(single, batch, len(side_by_side(sequences, plan.passes[0].packed.held.lanes)))
