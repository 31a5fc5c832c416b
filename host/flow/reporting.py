"""The report of an accelerated model: everything that was found, handed to the room of reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from eie.hls.spec.design import Design
from eie.host.flow.findings import Findings
from eie.host.network import Network
from eie.host.report import Report, make_report
from eie.host.report.facts import HostFacts
from eie.host.search.fit import Fit

if TYPE_CHECKING:
    from eie.hls.tools.manifest import Manifest

__all__ = ["report_of"]


def report_of(
    network: Network,
    design: Design,
    found: Findings,
    *,
    fit: Fit | None = None,
    build: Manifest | None = None,
    files: Mapping[str, str] | None = None,
    host: HostFacts | None = None,
) -> Report:
    """Make the report of a network on a design.

    Parameters
    ----------
    network, design
        What it is about.
    found
        What they give for the samples.
    fit
        Why this design.
    build
        Of its bitstream, if there is one.
    files
        Paths to name in commands, as :func:`eie.host.report.make_report` takes them.
    host
        What the host does of a model that was cut.
    """
    return make_report(
        network=network,
        design=design,
        fit=fit,
        run=found.batch,
        single=found.single,
        evaluation=found.evaluation,
        comparison=found.comparison,
        agreement=found.agreements,
        build=build,
        files=files,
        host=host,
    )
