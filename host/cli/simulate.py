"""The command `eie simulate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from eie.host.cli.batch import costs_of, read_batch
from eie.host.cli.parser import Commands
from eie.host.cli.progress import showing
from eie.host.cli.project_design import project_design
from eie.host.cli.results import (
    COUNTED,
    add_inputs_outputs,
    write_outputs,
    write_report,
)
from eie.host.network import Network

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command."""
    sub = commands.add(
        "simulate",
        run,
        "compile a project with g++ and run a network on it",
        "outputs",
        "report",
        more=f"; {COUNTED}; the project's code runs with your rights, so take projects that you "
        "trust (SECURITY.md)",
    )
    sub.add_argument("project", type=Path, metavar="PROJECT")
    sub.add_argument("network", type=Path, metavar="NET.npz")
    add_inputs_outputs(sub)
    sub.add_argument("--report", type=Path, metavar="R.json", help="what each layer cost")


def run(options: argparse.Namespace) -> None:
    """Compile, run, write the outputs and print what they cost."""
    from eie.hls.tools.compiled_kernel import CompiledKernel
    from eie.hls.tools.reports import project_allowance
    from eie.host.packing.tiling import plan_passes
    from eie.host.run.batch import simulate

    design = project_design(options.project)
    network = Network.load(options.network)
    batch = read_batch(options, network)
    allowance = project_allowance(options.project, design)
    with showing("compiling the project with g++"):
        kernel = CompiledKernel(options.project)
    with kernel, showing("running the compiled project"):
        plan = plan_passes(network, design)
        result = simulate(
            network,
            design,
            kernel,
            batch.codes,
            report=options.report is not None,
            saturated_inputs=batch.saturated,
            plan=plan,
            allowance=allowance,
            outputs=batch.outputs,
        )
        costs = costs_of(batch, design, plan=plan, whole=result.report, allowance=allowance)
    write_outputs(options, batch, result.outputs)
    if result.report is not None:
        write_report(options.report, result.report)
    print(costs.as_text())
