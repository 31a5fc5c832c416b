"""Cycles of a run taken apart: what each layer took, what bounds it, and how all of it adds up."""

from __future__ import annotations

from collections.abc import Iterator

from eie.hls.model.roofline import LayerBounds, LayerWork, layer_bounds
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD
from eie.host.network import Layer
from eie.host.packing.tiling import Plan
from eie.host.report.facts import LayerCycles, RunCycles
from eie.host.run.report import LayerReport, RunReport

__all__ = ["run_cycles"]


def run_cycles(report: RunReport, plan: Plan) -> RunCycles:
    """Take the cycles of a run apart.

    Parameters
    ----------
    report
        Of a run on the generated kernel or its model.
    plan
        How the network runs on the design.
    """
    vectors, clock = report.vectors, plan.design.clock_mhz
    layers = sum(layer.cycles for layer in report.layers)
    bounds = _bounds(plan, report)
    return RunCycles(
        vectors=vectors,
        opening=report.total_cycles - report.load_cycles - layers,
        layers=layers,
        load=report.load_cycles,
        total=report.total_cycles,
        us_per_vector=report.total_cycles / clock / vectors,
        vectors_per_second=vectors * clock * 1e6 / report.total_cycles,
        allowance=report.allowance_cycles or 0,
        allowance_source=report.allowance_source,
        allowed_us=(report.total_cycles + (report.allowance_cycles or 0)) / clock / vectors,
        by_layer=tuple(
            _layer_cycles(layer, bound, vectors)
            for layer, bound in zip(report.layers, bounds, strict=True)
        ),
    )


def _layer_cycles(layer: LayerReport, bounds: LayerBounds, vectors: int) -> LayerCycles:
    return LayerCycles(
        name=layer.name,
        cycles=layer.cycles / vectors,
        activations=layer.active_columns / vectors,
        ideal=bounds.pes,
        broadcast=bounds.broadcast,
        input=bounds.input,
        output=bounds.output,
        bound=bounds.cycles,
        bound_by=bounds.binding,
    )


def _bounds(plan: Plan, report: RunReport) -> Iterator[LayerBounds]:
    """Bounds of each layer for a vector, whatever passes it runs in."""
    of_run = iter(report.layers)
    for stage in plan.stages:
        layers = stage[0].packed.network.layers
        for number, layer in enumerate(layers):
            reported = next(of_run)
            yield _layer_bounds(
                # Passes of one stage are shares of one layer, which all take its inputs.
                [each.packed.network.layers[number] for each in stage],
                plan.design,
                ideal=reported.ideal_cycles / report.vectors,
                activations=reported.active_columns / report.vectors,
                first=number == 0,
                last=layer is layers[-1],
            )


def _layer_bounds(
    shares: list[Layer],
    design: Design,
    *,
    ideal: float,
    activations: float,
    first: bool,
    last: bool,
) -> LayerBounds:
    """Bounds of a layer; hidden vectors stay on the chip, where a word of 16 takes a cycle."""

    def words(values: int) -> int:
        return -(-values // ACTIVATIONS_PER_WORD)

    packets = [
        layer_bounds(LayerWork(share.columns, share.rows, 0, 0), design.pes) for share in shares
    ]
    return LayerBounds(
        pes=ideal,
        broadcast=activations * len(shares),
        input=sum(each.input for each in packets) if first else words(shares[0].columns),
        output=sum(each.output for each in packets) if last else words(shares[0].rows),
    )
