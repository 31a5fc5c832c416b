"""Make a report of what is known of a network on a design."""

from __future__ import annotations

import importlib.metadata
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.text import counted, shown
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.hls.tools.manifest import Manifest
from eie.host.network import Layer, Network
from eie.host.network.head_record import HEAD
from eie.host.network.loss_record import METADATA_KEY
from eie.host.network.sizes import model_weights
from eie.host.packing.tiling import plan_passes
from eie.host.report import given_values
from eie.host.report.board_use import area_of, beyond_board, board_of, resources_of
from eie.host.report.facts import FORMAT, EngineAgreement, Facts, HostFacts, LayerFacts, as_json
from eie.host.report.next_steps import PLACEHOLDERS, next_steps
from eie.host.report.pe_load import layer_loads, pe_activity, size_of
from eie.host.report.rendering import render_page
from eie.host.report.run_cycles import run_cycles
from eie.host.report.sentences import MISSING, limit_of, synthesis_of
from eie.host.run.batch import RunResult
from eie.host.run.report import RunReport

__all__ = ["Report", "make_report"]


@dataclass(frozen=True)
class Report:
    """A report: a page to look at and the same facts as JSON."""

    #: Everything that it says (docs/reference/report.md).
    facts: Facts

    def as_json(self) -> dict[str, Any]:
        """Give the facts as dictionaries and lists, the fields of docs/reference/report.md."""
        fields: dict[str, Any] = as_json(self.facts)
        return fields

    def as_html(self) -> str:
        """Give the page: one HTML document that needs nothing else.

        Raises
        ------
        ToolError
            If jinja2 is not installed.
        """
        return render_page(self.facts)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page, or the facts for a path that ends in ``.json``; whole or not at all.

        Raises
        ------
        InputError
            If the file cannot be written; says why.
        ToolError
            If jinja2 is not installed, which the page needs.
        """
        target = Path(path)
        if target.suffix == ".json":
            text = json.dumps(self.as_json(), indent=2, allow_nan=False) + "\n"
        else:
            text = self.as_html()
        try:
            write_whole(target, text)
        except OSError as error:
            raise InputError(f"cannot write report {target}: {error.strerror}") from error


def make_report(
    *,
    network: Network,
    design: Design,
    fit: object | None = None,
    run: RunResult | RunReport | None = None,
    single: RunResult | RunReport | None = None,
    evaluation: object | None = None,
    comparison: object | None = None,
    agreement: Sequence[EngineAgreement] = (),
    build: Manifest | None = None,
    files: Mapping[str, str] | None = None,
    title: str | None = None,
    host: HostFacts | None = None,
) -> Report:
    """Make a report of what is known; what is not given is left out, and said how to get.

    Nothing is run: the network is packed for the design, and the rest is arithmetic.

    Parameters
    ----------
    network, design
        What it is about.
    fit
        How the design was chosen (:class:`eie.host.search.fit.Fit`).
    run
        A batch of vectors, for the throughput; a result has what the PEs did with it.
    single
        One vector alone, for the latency; a `run` of one vector is that, too.
    evaluation
        Accuracy: an object with the fields of :class:`eie.host.flow.evaluation.Evaluation`, None
        where not known.
    comparison
        Each layer beside the float model's, as :class:`eie.host.flow.comparison.Comparison`:
        ``vectors``, and ``layers``, each with ``name``, ``rms_error``, ``largest_error``, and
        ``low`` and ``high``, the range of the float model's outputs.
    agreement
        Engines and how many of their outputs are equal.
    build
        The manifest of a bitstream of this design.
    files
        Paths to name in the commands, by the words that stand for them there, such as
        ``{"NET.npz": "lenet/net.npz"}``: :data:`~eie.host.report.next_steps.PLACEHOLDERS`.
    title
        Title of the page; the sizes of the layers and the board by default.
    host
        What the host does of a model whose head the network is; None of a whole model.

    Raises
    ------
    InputError
        If what is given belongs to another network or design; names all of it.
    DoesNotFitError
        If the design cannot hold the network, not even in passes.
    """
    batch_report, counters = _taken_apart(run)
    single_report, _ = _taken_apart(single)
    names = {} if files is None else dict(files)
    _check(network, design, batch_report, single_report, agreement, build, names)
    if single_report is None and batch_report is not None and batch_report.vectors == 1:
        single_report = batch_report
    if batch_report is not None and batch_report.vectors == 1:
        batch_report = None
    plan = plan_passes(network, design)
    alone = run_cycles(single_report, plan) if single_report else None
    batch = run_cycles(batch_report, plan) if batch_report else None
    compared = given_values.compared_layers(comparison)
    counted_in = batch_report or single_report
    accuracy, losses = given_values.accuracy_of(evaluation), given_values.losses_of(network)
    activity = pe_activity(counters)
    known = {
        "accuracy": accuracy,
        "losses": losses,
        "single": alone,
        "batch": batch,
        "activity": activity,
        "rms_error": compared or None,
        "agreement": tuple(agreement) or None,
    }
    missing = {name: MISSING[name] for name, value in known.items() if value is None}
    board = board_of(design)
    beyond = beyond_board(design)
    counts = _saturated(network, counted_in)
    inputs_cut = counted_in.saturated_inputs if counted_in else None
    facts = Facts(
        format=FORMAT,
        eie=importlib.metadata.version("eie"),
        title=title or _title(network, design),
        synthesis=synthesis_of(design, build),
        limit=limit_of(alone or batch, network, design, len(plan.passes)),
        warnings=tuple(_warnings(beyond, agreement, inputs_cut, counts)),
        board=board.title if board else None,
        design=design.parameters(),
        passes=len(plan.passes),
        size=size_of(plan),
        layers=tuple(
            _layer_facts(layer, weights, count, compared.get(layer.name, {}))
            for layer, weights, count in zip(
                network.layers, model_weights(network.layers), counts, strict=True
            )
        ),
        compared_vectors=given_values.compared_vectors(comparison),
        host=host,
        feature_fracs=_feature_fracs(network),
        accuracy=accuracy,
        losses=losses,
        single=alone,
        batch=batch,
        saturated_inputs=inputs_cut,
        load=layer_loads(plan),
        activity=activity,
        resources=resources_of(design),
        area=area_of(design),
        agreement=tuple(agreement),
        reasons=given_values.reasons_of(fit),
        missing=missing,
        next_steps=next_steps(
            design,
            built=build is not None,
            beyond=beyond is not None,
            missing=missing,
            agreement=agreement,
            files=names,
        ),
        origin={
            name: text
            for name, text in network.metadata.items()
            if name not in (METADATA_KEY, HEAD)
        },
    )
    return Report(facts)


def _taken_apart(run: RunResult | RunReport | None) -> tuple[RunReport | None, Counters | None]:
    if isinstance(run, RunResult):
        return run.report, run.counters
    return run, None


def _check(
    network: Network,
    design: Design,
    batch: RunReport | None,
    single: RunReport | None,
    agreement: Sequence[EngineAgreement],
    build: Manifest | None,
    files: Mapping[str, str],
) -> None:
    problems = Problems("report")
    shapes = [(layer.name, layer.rows, layer.columns) for layer in network.layers]
    for name, report in (("run", batch), ("single", single)):
        if report is None:
            continue
        problems.require(
            report.machine == "eie",
            f"{name} must be of the generated kernel, not of the machine {shown(report.machine)}",
        )
        problems.require(
            report.design == design.parameters(),
            f"{name} must be a run on the report's design: other parameters were in use",
        )
        problems.require(
            [(layer.name, layer.rows, layer.columns) for layer in report.layers] == shapes,
            f"{name} must be a run of the report's network: its layers are others",
        )
        problems.require(report.vectors >= 1, f"{name} must have at least one vector, not 0")
    problems.require(
        single is None or single.vectors == 1,
        f"single must be a run of one vector, not {single.vectors if single else 1}",
    )
    for each in agreement:
        problems.require(
            0 <= each.equal <= each.outputs,
            f"agreement of {shown(each.engine)} must have 0 to {each.outputs} equal outputs, "
            f"not {each.equal}",
        )
    problems.require(
        build is None or build.design == design,
        "build must be the manifest of the report's design: it was built from another",
    )
    for name in files:
        problems.require(
            name in PLACEHOLDERS,
            f"files must name {', '.join(PLACEHOLDERS)}, not {shown(name)}",
        )
    problems.raise_as(InputError)


def _saturated(network: Network, run: RunReport | None) -> list[int | None]:
    """Outputs of each layer that a run cut off."""
    return [layer.saturated for layer in run.layers] if run else [None] * len(network.layers)


def _feature_fracs(network: Network) -> tuple[int, int] | None:
    fracs = network.feature_fracs
    return None if fracs is None else (int(fracs.min()), int(fracs.max()))


def _layer_facts(
    layer: Layer, weights: int, saturated: int | None, compared: Mapping[str, float | None]
) -> LayerFacts:
    return LayerFacts(
        name=layer.name,
        inputs=layer.columns,
        outputs=layer.rows,
        activation=layer.activation,
        weights=weights,
        weights_kept=layer.nonzeros,
        density=layer.nonzeros / weights,
        input_frac=layer.input_frac,
        weight_frac=layer.weight_frac,
        output_frac=layer.output_frac,
        output_low=layer.low * 2.0**-layer.output_frac,
        output_high=layer.high * 2.0**-layer.output_frac,
        saturated=saturated,
        model_low=compared.get("model_low"),
        model_high=compared.get("model_high"),
        rms_error=compared.get("rms_error"),
        largest_error=compared.get("largest_error"),
    )


def _warnings(
    beyond: str | None,
    agreement: Sequence[EngineAgreement],
    inputs_cut: int | None,
    counts: Sequence[int | None],
) -> list[str]:
    """What should be looked at, the worst first."""
    found = [
        f"{each.engine}: {each.outputs - each.equal:,} of {counted(each.outputs, 'output')} "
        f"differ from those of the {each.reference}: please report this as a bug of eie."
        for each in agreement
        if each.equal != each.outputs
    ]
    if beyond:
        found.append(beyond)
    cut = [
        f"{count:,} {what}{'' if count == 1 else 's'}"
        for count, what in (
            (inputs_cut or 0, "input value"),
            (sum(count or 0 for count in counts), "output value"),
        )
        if count
    ]
    if cut:
        found.append(
            f"In the run {' and '.join(cut)} did not fit in 16 bits and were cut off: compress "
            "with calibration inputs of the same range."
        )
    return found


def _title(network: Network, design: Design) -> str:
    sizes = "-".join(str(size) for size in (network.inputs, *(x.rows for x in network.layers)))
    name = sizes if len(network.layers) <= 6 else f"{counted(len(network.layers), 'layer')}"
    board = board_of(design)
    return f"{name} on {board.title if board else counted(design.pes, 'PE')}"
