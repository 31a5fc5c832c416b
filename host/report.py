"""The report of a run: what each layer cost, as JSON (the contract of the command line)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.host.cycles import Counters
from eie.host.packer import PackedLayer, PackedNetwork
from eie.host.paper import paper_cycles

__all__ = ["LayerReport", "RunReport", "paper_report", "report_run"]


@dataclass(frozen=True)
class LayerReport:
    """What a layer cost, summed over the vectors of a run."""

    name: str
    rows: int
    columns: int
    #: Weights kept.
    nonzeros: int
    #: Entries stored, padding included.
    entries: int
    #: Padding entries among them.
    padding_entries: int
    #: Non-zero activations met.
    active_columns: int
    #: Weights met by them, over the number of PEs.
    ideal_cycles: float
    #: Cycles that the layer took.
    cycles: int
    #: ``ideal_cycles / cycles``.
    efficiency: float


@dataclass(frozen=True)
class RunReport:
    """What a run cost."""

    #: Parameters of the design.
    design: dict[str, int | str]
    #: ``"eie"``, or ``"paper"`` for the paper's machine.
    machine: str
    #: Vectors of the run; the counts below are sums over them.
    vectors: int
    layers: tuple[LayerReport, ...]
    #: Cycles of the run.
    total_cycles: int
    #: Microseconds a vector, at the design's clock.
    latency_us: float

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
                )
            )
        latency = sum(part.latency_us * part.vectors for part in parts) / vectors
        return replace(
            parts[0],
            vectors=vectors,
            layers=tuple(layers),
            total_cycles=total_cycles,
            latency_us=latency,
        )

    def as_json(self) -> dict[str, Any]:
        """Give the report as plain dictionaries and lists.

        The fields of the contract, with ``machine`` and ``vectors`` so that a file says what its
        sums are over, and whose cycles they are.
        """
        return {
            "machine": self.machine,
            "design": dict(self.design),
            "vectors": self.vectors,
            "layers": [asdict(layer) for layer in self.layers],
            "total_cycles": self.total_cycles,
            "latency_us": self.latency_us,
        }


def report_run(
    packed: PackedNetwork,
    activations: Sequence[npt.NDArray[np.int16]],
    counters: Counters,
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
    """
    layers = [
        _report_layer(part, values, cycles)
        for part, values, cycles in zip(
            packed.layers, activations, counters.layer_cycles, strict=True
        )
    ]
    return _report(packed, "eie", len(activations[0]), layers, counters.cycles)


def paper_report(packed: PackedNetwork, activations: Sequence[npt.NDArray[np.int16]]) -> RunReport:
    """Report the same run on the paper's machine; `packed` in natural row order."""
    layers = []
    for part, values in zip(packed.layers, activations, strict=True):
        lengths = part.encoded.lengths()
        cycles = sum(
            paper_cycles(lengths[:, np.flatnonzero(vector)], packed.design.queue_depth)
            for vector in values
        )
        layers.append(_report_layer(part, values, cycles))
    total = sum(layer.cycles for layer in layers)
    return _report(packed, "paper", len(activations[0]), layers, total)


def _report_layer(
    part: PackedLayer, activations: npt.NDArray[np.int16], cycles: int
) -> LayerReport:
    encoded = part.encoded
    codes = encoded.entries >> encoded.index_bits
    # Weights of each column over all PEs, without padding.
    lengths = encoded.lengths()
    stored = np.repeat(np.arange(lengths.size) % encoded.columns, lengths.ravel())
    weights = np.bincount(stored[codes != 0], minlength=encoded.columns)
    active = activations != 0
    ideal = float((active @ weights).sum()) / encoded.pes
    return LayerReport(
        name=part.layer.name,
        rows=part.layer.rows,
        columns=part.layer.columns,
        nonzeros=part.layer.nonzeros,
        entries=len(encoded.entries),
        padding_entries=encoded.padding,
        active_columns=int(active.sum()),
        ideal_cycles=ideal,
        cycles=cycles,
        efficiency=ideal / cycles if cycles else 0.0,
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
