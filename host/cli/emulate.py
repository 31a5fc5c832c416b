"""The command `eie emulate`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from eie.hls.boundary.errors import InputError
from eie.hls.model.paper import PAPER_CLOCK_MHZ
from eie.hls.spec.design import NO_BOARD, Design
from eie.host.cli.batch import costs_of, read_batch
from eie.host.cli.parameters import add_parameters, given_parameters
from eie.host.cli.parser import Commands
from eie.host.cli.progress import showing
from eie.host.cli.results import (
    COUNTED,
    add_inputs_outputs,
    write_outputs,
    write_report,
)
from eie.host.network import Network

if TYPE_CHECKING:
    from eie.host.packing.row_assignment import Assignment

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add(
        "emulate",
        run,
        "run a network without hardware, with cycle counts",
        "outputs",
        "report",
        more=f"; {COUNTED}",
    )
    sub.add_argument("network", type=Path, metavar="NET.npz")
    sub.add_argument(
        "--design", type=Path, metavar="DESIGN.toml", help="without one, one that is large enough"
    )
    add_inputs_outputs(sub)
    sub.add_argument("--report", type=Path, metavar="R.json", help="what each layer cost")
    sub.add_argument("--paper", action="store_true", help="count the paper's machine's cycles")
    add_parameters(sub)


def run(options: argparse.Namespace) -> None:
    """Emulate, write the outputs and print what they cost."""
    from eie.hls.tools.reports import project_allowance
    from eie.host.packing.tiling import plan_passes
    from eie.host.run.batch import emulate
    from eie.host.run.paper_machine import refuse_paper

    network = Network.load(options.network)
    if options.paper:
        refuse_paper(network)
    batch = read_batch(options, network)
    design = _design(options, network)
    allowance = None
    if options.design is not None and not options.paper:
        # A design.toml that lies in a project may have been synthesised.
        allowance = project_allowance(options.design.parent, design)
    with showing("emulating"):
        plan = None if options.paper else plan_passes(network, design)
        result = emulate(
            network,
            design,
            batch.codes,
            report=options.report is not None,
            paper=options.paper,
            saturated_inputs=batch.saturated,
            plan=plan,
            allowance=allowance,
            outputs=batch.outputs,
        )
        costs = costs_of(
            batch,
            design,
            plan=plan,
            whole=result.report,
            paper=options.paper,
            allowance=allowance,
        )
    write_outputs(options, batch, result.outputs)
    if result.report is not None:
        write_report(options.report, result.report)
    print(costs.as_text())


def _design(options: argparse.Namespace, network: Network) -> Design:
    from eie.host.search.fit import fit

    fixed = given_parameters(options)
    if options.design is not None:
        if fixed:
            raise InputError(f"--design must not be given with {', '.join(sorted(fixed))}")
        design = Design.load(options.design)
        if not options.paper:
            return design
        from eie.host.search.paper import paper_design

        print(
            f"--paper: PEs, zero runs, depth of queues and clock are those of {options.design}; "
            "the paper's machine has neither its capacities nor its board"
        )
        return paper_design(network, design)
    # The paper deals rows out as they come, which may fill one PE more than the others.
    assignment: Assignment = "natural" if options.paper else "balanced"
    if options.paper:
        fixed.setdefault("clock_mhz", PAPER_CLOCK_MHZ)
    with showing("sizing a design"):
        return fit(network, NO_BOARD, assignment=assignment, **fixed).design
