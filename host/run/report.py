"""The report of a run: what each layer cost, as JSON (the contract of the command line)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.text import counted
from eie.hls.model.allowance import RunAllowance, allowance_of
from eie.hls.model.paper import paper_cycles
from eie.hls.spec.counters import Counters
from eie.hls.spec.group_order import nonzero_of_groups
from eie.host.network.table import Summarized, Table
from eie.host.packing.packed_layer import PackedLayer
from eie.host.packing.packed_network import PackedNetwork

__all__ = [
    "LayerReport",
    "RunReport",
    "latency_text",
    "paper_report",
    "report_run",
    "throughput_text",
]


@dataclass(frozen=True)
class LayerReport:
    """What a layer cost, summed over the vectors of a run.

    Attributes
    ----------
    name
        Of the layer.
    rows
        Outputs.
    columns
        Inputs.
    nonzeros
        Weights kept.
    entries
        Entries stored, padding included.
    padding_entries
        Padding entries among them.
    active_columns
        Non-zero activations met.
    ideal_cycles
        Weights met by them, once for all vectors of a group, over the number of PEs.
    cycles
        Cycles of the run from the layer's first activations, of any vector, to the next first ones
        of any layer.
    efficiency
        ``ideal_cycles / cycles``. In a batch, where layers of several vectors are under way, that
        of a layer can be above 1, at the cost of another; not that of them all.
    saturated
        Results that 16 bits could not hold.
    """

    name: str
    rows: int
    columns: int
    nonzeros: int
    entries: int
    padding_entries: int
    active_columns: int
    ideal_cycles: float
    cycles: int
    efficiency: float
    saturated: int

    @classmethod
    def total(cls, shares: Sequence[LayerReport]) -> LayerReport:
        """Sum up the reports of a layer's shares of rows, which meet the same activations."""
        cycles = sum(share.cycles for share in shares)
        ideal = sum(share.ideal_cycles for share in shares)
        return replace(
            shares[0],
            rows=sum(share.rows for share in shares),
            nonzeros=sum(share.nonzeros for share in shares),
            entries=sum(share.entries for share in shares),
            padding_entries=sum(share.padding_entries for share in shares),
            ideal_cycles=ideal,
            cycles=cycles,
            efficiency=ideal / cycles if cycles else 0.0,
            saturated=sum(share.saturated for share in shares),
        )


@dataclass(frozen=True)
class RunReport(Summarized):
    """What a run cost.

    Attributes
    ----------
    design
        Parameters of the design.
    machine
        ``"eie"``, or ``"paper"`` for the paper's machine.
    vectors
        Vectors of the run; the counts below are sums over them.
    layers
        What each layer cost, in order.
    total_cycles
        Cycles of the run: those that the model counts, so the least that it takes.
    latency_us
        Microseconds a vector, at the design's clock: the latency in a run of one vector, and what a
        vector takes of the batch in others. At least.
    saturated_inputs
        Input values that 16 bits could not hold, where real numbers came in.
    passes
        How many loads of weights the run took: more than one for a network larger than the chip.
    load_cycles
        Cycles of the run that went into them, a beat a cycle; 0 for a network that stays resident.
    allowance_cycles
        What stages of pipelines and starts of loops may add to `total_cycles`: of a vector
        alone what they do add, of a batch at most (:mod:`eie.hls.model.allowance`). None for the
        paper's machine, of which only the cycles are known.
    allowance_source
        Where the depths of the pipelines are from: ``"assumed"``, or a report of the tool.
    unit
        What a vector of the run is: ``"vector"``, or ``"step"`` of a sequence.
    """

    design: dict[str, int | str]
    machine: str
    vectors: int
    layers: tuple[LayerReport, ...]
    total_cycles: int
    latency_us: float
    saturated_inputs: int = 0
    passes: int = 1
    load_cycles: int = 0
    allowance_cycles: int | None = None
    allowance_source: str = ""
    unit: str = "vector"

    @property
    def allowed_us(self) -> float | None:
        """Microseconds a vector with the allowance; None where there is none."""
        if self.allowance_cycles is None or not self.vectors:
            return None
        cycles = self.total_cycles + self.allowance_cycles
        return cycles / int(self.design["clock_mhz"]) / self.vectors

    @classmethod
    def total(cls, parts: Sequence[RunReport]) -> RunReport:
        """Sum up the reports of runs of one network on one design."""
        vectors = sum(part.vectors for part in parts)
        total_cycles = sum(part.total_cycles for part in parts)
        layers = []
        for same in zip(*(part.layers for part in parts), strict=True):
            cycles = sum(layer.cycles for layer in same)
            ideal = sum(layer.ideal_cycles for layer in same)
            layers.append(
                replace(
                    same[0],
                    active_columns=sum(layer.active_columns for layer in same),
                    ideal_cycles=ideal,
                    cycles=cycles,
                    efficiency=ideal / cycles if cycles else 0.0,
                    saturated=sum(layer.saturated for layer in same),
                )
            )
        latency = sum(part.latency_us * part.vectors for part in parts) / vectors
        return replace(
            parts[0],
            vectors=vectors,
            layers=tuple(layers),
            total_cycles=total_cycles,
            latency_us=latency,
            allowance_cycles=_sum_allowed(parts),
        )

    @classmethod
    def of_passes(cls, stages: Sequence[Sequence[RunReport]], load_cycles: int) -> RunReport:
        """Put the reports of a network's passes together.

        Parameters
        ----------
        stages
            For each stage the reports of its passes, over the same vectors. Passes of one stage
            are shares of one layer.
        load_cycles
            Cycles to load them all; counted in the total if there are several.
        """
        first, passes = stages[0][0], sum(len(stage) for stage in stages)
        if passes == 1:
            return first
        layers: list[LayerReport] = []
        for stage in stages:
            shares = [report.layers for report in stage]
            layers += shares[0] if len(shares) == 1 else [LayerReport.total([s[0] for s in shares])]
        run_cycles = sum(report.total_cycles for stage in stages for report in stage)
        total = run_cycles + load_cycles
        clock = int(first.design["clock_mhz"])
        return replace(
            first,
            layers=tuple(layers),
            total_cycles=total,
            latency_us=total / clock / first.vectors if first.vectors else 0.0,
            passes=passes,
            load_cycles=load_cycles,
            allowance_cycles=_sum_allowed([report for stage in stages for report in stage]),
        )

    def summary(self) -> Table:
        """Give cycles by layer, and the time of the run, as a table of a few lines.

        Returns
        -------
        Table
        """
        rows = [
            (
                layer.name,
                f"{layer.columns} -> {layer.rows}",
                layer.nonzeros,
                layer.cycles,
                f"{layer.ideal_cycles:.0f}",
                # Of a batch only all layers together have one: vectors share the array.
                f"{100 * layer.efficiency:.0f} %" if self.vectors == 1 else "-",
                layer.saturated,
            )
            for layer in self.layers
        ]
        head = ("layer", "size", "weights", "cycles", "ideal", "efficiency", "saturated")
        notes = [f"{counted(self.total_cycles, 'cycle')} in all at {self.design['clock_mhz']} MHz"]
        if self.vectors == 1:
            notes.append(f"latency of one {self.unit}: {latency_text(self)}")
        elif self.vectors and self.latency_us:
            notes.append(
                f"throughput of the batch: {throughput_text(self)} "
                f"(at least {self.latency_us:.2f} us each)"
            )
            cycles = sum(layer.cycles for layer in self.layers)
            ideal = sum(layer.ideal_cycles for layer in self.layers)
            notes.append(f"efficiency of all layers together: {100 * ideal / cycles:.0f} %")
        if self.saturated_inputs:
            notes.append(f"{counted(self.saturated_inputs, 'input value')} saturated")
        if self.passes > 1:
            notes.append(f"in {self.passes} passes: {self.load_cycles} cycles load weights")
        machine = "" if self.machine == "eie" else f" on the {self.machine}'s machine"
        title = f"{counted(self.vectors, self.unit)} on {counted(int(self.design['pes']), 'PE')}"
        return Table(title + machine, head, rows, notes)

    def as_json(self) -> dict[str, Any]:
        """Give the report as plain dictionaries and lists.

        The fields of the contract, with ``machine`` and ``vectors`` so that a file says what its
        sums are over, and whose cycles they are; and what passes cost if there are several.
        """
        passes = {"passes": self.passes, "load_cycles": self.load_cycles}
        return {
            "machine": self.machine,
            "design": dict(self.design),
            "vectors": self.vectors,
            "layers": [asdict(layer) for layer in self.layers],
            "total_cycles": self.total_cycles,
            "latency_us": self.latency_us,
            "saturated_inputs": self.saturated_inputs,
            "allowance_cycles": self.allowance_cycles,
            "allowance_source": self.allowance_source,
            "allowed_us": self.allowed_us,
            **(passes if self.passes > 1 else {}),
        }


def latency_text(report: RunReport) -> str:
    """Say what a vector takes in microseconds: at least, and with the allowance."""
    text = f"at least {report.latency_us:.2f} us at {report.design['clock_mhz']} MHz"
    if report.allowed_us is None:
        return text
    return (
        f"{text}; {report.allowed_us:.2f} us with {counted(report.allowance_cycles or 0, 'cycle')} "
        f"allowed for pipeline stages ({report.allowance_source})"
    )


def throughput_text(report: RunReport) -> str:
    """Say how many vectors a second there are: at most, and with the allowance."""
    text = f"at most {1e6 / report.latency_us:,.0f} {report.unit}s a second"
    if report.allowed_us is None:
        return text
    return (
        f"{text}; {1e6 / report.allowed_us:,.0f} with what is allowed for pipeline stages "
        f"({report.allowance_source})"
    )


def report_run(
    packed: PackedNetwork,
    activations: Sequence[npt.NDArray[np.int16]],
    counters: Counters,
    saturated: Sequence[int],
    allowance: RunAllowance | None = None,
) -> RunReport:
    """Report a run on the generated kernel.

    Parameters
    ----------
    packed
        The network.
    activations
        What each layer took, by slot: int16 of shape (batch, columns).
    counters
        Of that run, with the cycles of each layer.
    saturated
        Results of each layer that were saturated.
    allowance
        What the model leaves out; the assumed one of the design if it is None.
    """
    layers = [
        _report_layer(part, values, cycles, count, packed.design.abreast)
        for part, values, cycles, count in zip(
            packed.layers, activations, counters.layer_cycles, saturated, strict=True
        )
    ]
    allowed = allowance or allowance_of(packed.design)
    vectors = len(activations[0])
    return replace(
        _report(packed, "eie", vectors, layers, counters.cycles),
        allowance_cycles=allowed.of(len(layers), vectors),
        allowance_source=allowed.source,
        unit="step" if packed.network.recurrent else "vector",
    )


def paper_report(
    packed: PackedNetwork,
    activations: Sequence[npt.NDArray[np.int16]],
    saturated: Sequence[int],
) -> RunReport:
    """Report the same run on the paper's machine; `packed` in natural row order."""
    layers = []
    for part, values, count in zip(packed.layers, activations, saturated, strict=True):
        lengths = part.encoded.lengths()
        cycles = sum(
            paper_cycles(lengths[:, np.flatnonzero(vector)], packed.design.queue_depth)
            for vector in values
        )
        layers.append(_report_layer(part, values, cycles, count))
    total = sum(layer.cycles for layer in layers)
    return _report(packed, "paper", len(activations[0]), layers, total)


def _report_layer(
    part: PackedLayer,
    activations: npt.NDArray[np.int16],
    cycles: int,
    saturated: int,
    abreast: int = 1,
) -> LayerReport:
    encoded = part.encoded
    codes = encoded.entries >> encoded.index_bits
    # Weights of each column over all PEs, without padding.
    lengths = encoded.lengths()
    stored = np.repeat(np.arange(lengths.size) % encoded.columns, lengths.ravel())
    weights = np.bincount(stored[codes != 0], minlength=encoded.columns)
    # Where vectors go abreast, a weight is met once for all of a group.
    met = nonzero_of_groups(activations, abreast)
    ideal = float((met @ weights).sum()) / encoded.pes
    return LayerReport(
        name=part.layer.name,
        rows=part.layer.rows,
        columns=part.layer.columns,
        nonzeros=part.layer.nonzeros,
        entries=len(encoded.entries),
        padding_entries=encoded.padding,
        active_columns=int(np.count_nonzero(activations)),
        ideal_cycles=ideal,
        cycles=cycles,
        efficiency=ideal / cycles if cycles else 0.0,
        saturated=saturated,
    )


def _report(
    packed: PackedNetwork, machine: str, vectors: int, layers: list[LayerReport], total: int
) -> RunReport:
    return RunReport(
        design=packed.design.parameters(),
        machine=machine,
        vectors=vectors,
        layers=tuple(layers),
        total_cycles=total,
        latency_us=total / packed.design.clock_mhz / vectors if vectors else 0.0,
    )


def _sum_allowed(parts: Sequence[RunReport]) -> int | None:
    """Sum up what is allowed in several runs; None if it is not known of all."""
    found = [part.allowance_cycles for part in parts if part.allowance_cycles is not None]
    return sum(found) if len(found) == len(parts) else None
