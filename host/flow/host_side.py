"""What the host does of a model that was cut: found beside a network, and put into words."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eie.hls.boundary.errors import NetworkFileError
from eie.hls.boundary.installation import how_to_install
from eie.hls.boundary.text import counted, listed
from eie.host.flow.data import Data
from eie.host.network import Network
from eie.host.network.head_record import HeadRecord
from eie.host.network.input_shape import shape_text
from eie.host.report.facts import HostFacts

if TYPE_CHECKING:
    from eie.host.cut import HostParts

__all__ = ["cut_lines", "host_facts", "host_of"]


def host_of(folder: Path, network: Network) -> HostParts | None:
    """Read what the host does of the model that `network` is the head of; None if it is all of it.

    Raises
    ------
    ModelError
        If a file is missing or damaged, or of another network.
    NetworkFileError
        If the network's record of it is none, or of another network.
    ImportError
        If torch is not installed.
    """
    record = HeadRecord.of(network)
    if record is None:
        return None
    sizes = math.prod(record.features), math.prod(record.result)
    if sizes != (network.inputs * record.vectors, network.outputs * record.vectors):
        raise NetworkFileError(
            f"{folder}: the record of what the host does must be of this network: it takes "
            f"{network.inputs} values and gives {network.outputs}, {record.vectors} times an input"
        )
    try:
        from eie.host.cut import HostParts
    except ImportError as error:
        raise ImportError(
            "torch must be installed, since the network is the head of a model and the host does "
            f"the rest of it ({_names(record)}): {how_to_install('compress')}. Without torch, "
            f"eie.convert({str(folder / 'network.npz')!r}) takes the head alone: its inputs are "
            f"what the host makes of the model's, of shape {shape_text(record.features)} each"
        ) from error
    return HostParts.load(folder, record)


def host_facts(host: HostParts | None, network: Network, data: Data) -> HostFacts | None:
    """Say where a model is cut and what either side costs, as values of the report."""
    if host is None:
        return None
    record = host.record
    weights = sum(layer.rows * layer.columns for layer in network.layers)
    kept = sum(layer.nonzeros for layer in network.layers)
    samples = data.samples
    active = None if samples is None else float(np.count_nonzero(samples) / max(1, samples.size))
    return HostFacts(
        layers=tuple(layer.name for layer in network.layers),
        before=record.front,
        behind=record.behind,
        input_shape=record.input_shape,
        features=record.features,
        vectors=record.vectors,
        output_shape=record.outputs,
        multiply_adds=host.multiply_adds,
        parameters=host.parameters,
        head_multiply_adds=weights * record.vectors,
        head_multiply_adds_kept=kept * record.vectors,
        calibrated=None if samples is None else len(samples) // record.vectors,
        active=active,
    )


def cut_lines(host: HostParts, network: Network, data: Data) -> list[str]:
    """Say where a model is cut and what either side costs, a line each."""
    facts = host_facts(host, network, data)
    assert facts is not None
    total = facts.multiply_adds + facts.head_multiply_adds
    share = 100 * facts.head_multiply_adds / total
    lines = [
        f"cut: {listed(facts.layers)} on the accelerator; on the host, with torch, {_does(facts)}",
        f"multiply-adds of an input: {facts.multiply_adds:,} on the host "
        f"({facts.parameters:,} parameters), {facts.head_multiply_adds:,} on the "
        f"accelerator ({share:.1f} % of all), of which pruning leaves "
        f"{facts.head_multiply_adds_kept:,}",
    ]
    if facts.calibrated is not None:
        lines.append(
            f"calibration: {counted(facts.calibrated, 'input')} went through the host's part; "
            f"{100 * (facts.active or 0):.0f} % of what it gives is not zero"
        )
    return lines


def _does(facts: HostFacts) -> str:
    """Say what the host does before and behind the accelerator, with the shapes that it gives."""
    given = shape_text(facts.features)
    if facts.vectors > 1:
        given += f", {facts.vectors} vectors of {facts.features[0]}"
    before = f"{facts.before or 'nothing'} before it ({shape_text(facts.input_shape)} -> {given})"
    if not facts.behind:
        return before
    return f"{before}, {facts.behind} behind it (-> {shape_text(facts.output_shape)})"


def _names(record: HeadRecord) -> str:
    return "; ".join(text for text in (record.front, record.behind) if text)
