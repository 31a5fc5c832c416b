"""The command `eie simulate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from eie.host.cli.arrays import read_inputs
from eie.host.cli.parser import Commands
from eie.host.cli.progress import showing
from eie.host.cli.project_design import project_design
from eie.host.cli.results import (
    COUNTED,
    add_inputs_outputs,
    read_labels,
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
    from eie.host.run.costs import measure_costs

    design = project_design(options.project)
    network = Network.load(options.network)
    codes, saturated = read_inputs(options.inputs, network)
    labels = read_labels(options.labels, len(codes), network.outputs)
    allowance = project_allowance(options.project, design)
    with showing("compiling the project with g++"):
        kernel = CompiledKernel(options.project)
    with kernel, showing("running the compiled project"):
        plan = plan_passes(network, design)
        result = simulate(
            network,
            design,
            kernel,
            codes,
            report=options.report is not None,
            saturated_inputs=saturated,
            plan=plan,
            allowance=allowance,
        )
        costs = measure_costs(
            network, design, codes, plan=plan, whole=result.report, allowance=allowance
        )
    write_outputs(options, network, result.outputs, labels, saturated)
    if result.report is not None:
        write_report(options.report, result.report)
    print(costs.as_text())
