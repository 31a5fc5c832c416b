"""What a vector costs alone and in a batch: latency and throughput, counted by the model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import SaturationWarning
from eie.hls.boundary.text import counted
from eie.hls.model.allowance import RunAllowance
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.tiling import Plan
from eie.host.run.batch import emulate, emulate_plan
from eie.host.run.report import RunReport, latency_text, throughput_text

__all__ = ["SAMPLE", "Costs", "batch_text", "measure_costs"]

#: Vectors that a throughput is counted on, everywhere: the first of a batch, as far as there are.
#: Counting takes longer than computing, and more vectors change the mean little.
SAMPLE = 64


@dataclass(frozen=True)
class Costs:
    """Latency and throughput of a network on a design.

    Cycles are those that the kernel's loops take by construction, so the least; what fills and
    drains the pipelines of a synthesised kernel is the allowance (:mod:`eie.hls.model.allowance`).
    """

    #: The run of the first vector alone.
    single: RunReport
    #: A run of the first :data:`SAMPLE` vectors, or as many as there are, one after another.
    batch: RunReport
    #: Of a recurrent network, how many sequences those of the batch are steps of; else 0.
    sequences: int = 0

    @property
    def latency_us(self) -> float:
        """Microseconds of one vector alone, loading of passes included; at least."""
        return self.single.latency_us

    @property
    def batch_text(self) -> str:
        """Of what the throughput is."""
        return batch_text(self.batch.vectors, self.batch.unit, self.sequences)

    def as_text(self) -> str:
        """Say both, each under its own name: bounds, and what pipeline stages make of them."""
        each = self.batch.total_cycles / self.batch.vectors
        of = "the paper's machine" if self.single.machine == "paper" else "the kernel"
        unit = self.single.unit
        return (
            f"latency of one {unit} alone: at least {self.single.total_cycles} cycles of {of}, "
            f"{latency_text(self.single).removeprefix('at least ')}\n"
            f"throughput {self.batch_text}: at least {each:.1f} cycles a {unit}, "
            f"{throughput_text(self.batch)}"
        )


def batch_text(vectors: int, unit: str, sequences: int) -> str:
    """Say of what a throughput is: the first of a batch, or steps of so many sequences."""
    if not sequences:
        return f"in a batch of the first {vectors}"
    steps = f"of {counted(vectors, unit)} of {counted(sequences, 'sequence')}"
    return f"{steps} at a time" if sequences > 1 else steps


def measure_costs(
    network: Network,
    design: Design,
    codes: npt.NDArray[np.int16],
    *,
    plan: Plan | None = None,
    whole: RunReport | None = None,
    paper: bool = False,
    allowance: RunAllowance | None = None,
) -> Costs:
    """Count the cycles of the first vector alone, and of a batch of the first :data:`SAMPLE`.

    Parameters
    ----------
    network, design
        What runs on which hardware.
    codes
        int16 codes, shape (batch, inputs).
    plan
        Of the network on the design, where there is one already.
    whole
        The report of all vectors, if there is one already: not counted again where it will do.
    paper
        Count the cycles of the paper's machine.
    allowance
        What the model leaves out; the assumed one of the design if it is None.
    """

    def report_of(part: npt.NDArray[np.int16]) -> RunReport:
        if plan is not None and not paper:
            result = emulate_plan(plan, part, allowance=allowance)
        else:
            with warnings.catch_warnings():  # told of already, with the whole batch
                warnings.simplefilter("ignore", SaturationWarning)
                result = emulate(network, design, part, paper=paper, allowance=allowance)
        assert result.report is not None
        return result.report

    if whole is None or len(codes) > SAMPLE:
        whole = report_of(codes[:SAMPLE])
    return Costs(report_of(codes[:1]), whole)
