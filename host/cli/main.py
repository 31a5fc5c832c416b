"""The command line. Commands and options are a contract: scripts of users rest on them."""

from __future__ import annotations

import argparse
import datetime
import io
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from eie.hls.boundary.errors import DoesNotFitError, EieError, InputError
from eie.hls.boundary.file_kinds import identify, is_regular, refusal
from eie.hls.boundary.numerals import integer, seconds
from eie.hls.boundary.text import counted
from eie.hls.model.paper import PAPER_CLOCK_MHZ
from eie.hls.spec.boards import BOARDS, find_board
from eie.hls.spec.design import NO_BOARD, Design
from eie.hls.spec.fixed_point import dequantize
from eie.host.cli.arrays import read_array, read_inputs, write_array, write_json
from eie.host.cli.density_option import densities
from eie.host.cli.describe import describe, describe_design, error_of
from eie.host.cli.output_paths import check_suffix, check_targets
from eie.host.cli.signals import Ended, raising_signals
from eie.host.cli.warning_lines import warnings_as_lines
from eie.host.network import Network
from eie.host.packing.row_assignment import Assignment

__all__ = ["main"]

_INTEGER_PARAMETERS = (
    "pes",
    "index_bits",
    "queue_depth",
    "entries_per_pe",
    "pointers_per_pe",
    "length_bits",
    "rows_per_pe",
    "biases_per_pe",
    "layers",
    "hidden_activations",
    "accumulator_bits",
    "result_depth",
    "clock_mhz",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 for success, 2 for bad input.

    `selftest` gives 1 if the accelerator failed a check. A signal that ends the program gives 128
    and its number, as in a shell, after everything is tidied up.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names in a file may be of any script, and a terminal of none.
            stream.reconfigure(errors="backslashreplace")
    try:
        with raising_signals():
            return _main(arguments)
    except Ended as ended:
        print(f"eie: ended by {ended.name}", file=sys.stderr)
        return ended.status
    except KeyboardInterrupt:
        print("eie: interrupted", file=sys.stderr)
        return 130


def _main(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    for name, value in vars(options).items():
        # Some versions of argparse make an empty list of `--option=--`, whatever its type.
        if isinstance(value, list) and (not value or [] in value):
            parser.error(f"argument --{name.replace('_', '-')}: expected one argument, not '--'")
    command: Callable[[argparse.Namespace], int | None] = options.command
    try:
        with warnings_as_lines():
            _check_files(options)
            return command(options) or 0
    except (EieError, ImportError) as error:
        print(f"eie: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(f"eie: cannot read or write {what}", file=sys.stderr)
        return 2


def _check_files(options: argparse.Namespace) -> None:
    """Refuse targets that cannot be written, or that are read or written as something else."""
    paths = {name: value for name, value in vars(options).items() if isinstance(value, Path)}
    check_targets(
        {name: paths[name] for name in options.files if name in paths},
        {name: path for name, path in paths.items() if name not in options.files},
    )


def _compress(options: argparse.Namespace) -> None:
    check_suffix(options.out, ".npz")
    from eie.host.compress import compress  # torch is only needed here

    keywords: dict[str, Any] = {"keep_weights": options.keep_weights}
    if options.density is not None:
        if options.keep_weights:
            raise InputError("--density must not be given with --keep-weights: nothing is pruned")
        keywords["density"] = densities(options.density)
    if options.calibration is not None:
        keywords["calibration"] = read_array(options.calibration)
    network = compress(options.model, **keywords)
    network.save(options.out)
    describe(network)


def _fit(options: argparse.Namespace) -> None:
    from eie.host.search.fit import fit

    check_suffix(options.out, ".toml")
    board = find_board(options.board).name
    network = Network.load(options.network)
    try:
        result = fit(network, board, passes=options.passes, **_fixed_parameters(options))
    except DoesNotFitError as error:
        raise DoesNotFitError(str(error).replace("passes=True", "--passes")) from error
    result.design.save(options.out)  # first: printing fails when nobody listens any more
    print(result.explain())
    pes = counted(result.design.pes, "PE")
    print(f"{options.out}: {pes}, {result.estimate.bram36} BRAM36, ", end="")
    print(f"{result.estimate.uram} UltraRAM, {result.estimate.dsp} DSP (exact), ", end="")
    low, high = result.estimate.lut
    print(f"{low} to {high} LUTs (uncalibrated)")


def _generate(options: argparse.Namespace) -> None:
    from eie.host.project.generate import generate

    project = generate(Design.load(options.design), options.out)
    print(f"wrote {project}; its README.md says what to do next")


def _emulate(options: argparse.Namespace) -> None:
    from eie.host.run.batch import emulate
    from eie.host.search.fit import fit

    network = Network.load(options.network)
    fixed = _fixed_parameters(options)
    if options.design is not None:
        if fixed:
            raise InputError(f"--design must not be given with {', '.join(sorted(fixed))}")
        design = Design.load(options.design)
    else:
        # The paper deals rows out as they come, which may fill one PE more than the others.
        assignment: Assignment = "natural" if options.paper else "balanced"
        if options.paper:
            fixed.setdefault("clock_mhz", PAPER_CLOCK_MHZ)
        design = fit(network, NO_BOARD, assignment=assignment, **fixed).design
    codes, saturated = read_inputs(options.inputs, network)
    result = emulate(
        network,
        design,
        codes,
        report=options.report is not None,
        paper=options.paper,
        saturated_inputs=saturated,
    )
    _write_results(options, network, result.outputs, result.report)


def _simulate(options: argparse.Namespace) -> None:
    from eie.hls.tools.compiled_kernel import CompiledKernel
    from eie.host.run.batch import simulate

    design = _project_design(options.project)
    network = Network.load(options.network)
    codes, saturated = read_inputs(options.inputs, network)
    with CompiledKernel(options.project) as kernel:
        result = simulate(
            network,
            design,
            kernel,
            codes,
            report=options.report is not None,
            saturated_inputs=saturated,
        )
    _write_results(options, network, result.outputs, result.report)


def _build(options: argparse.Namespace) -> None:
    from eie.hls.tools.vendor import build_bitstream, run_block, run_hls

    design = _project_design(options.project)
    if options.block is not None:
        solution = run_block(options.project, options.block)
        print(f"synthesised {options.block}: reports are in {solution / 'syn' / 'report'}")
        return
    out = options.out or Path("bitstreams") / f"{design.board}-{design.pes}pe"
    solution = run_hls(options.project)
    if options.hls_only:
        print(f"synthesised: reports are in {solution / 'syn' / 'report'}")
        return
    manifest = build_bitstream(options.project, out, date=datetime.date.today())
    print(f"wrote {out}: slack {manifest.wns_ns:.3f} ns, {manifest.tool}")


def _reports(options: argparse.Namespace) -> None:
    from eie.hls.tools.reports import compare_project

    print(compare_project(options.project).as_text())


def _run(options: argparse.Namespace) -> None:
    from eie.host.board.driver import Accelerator
    from eie.host.board_emulator import EmulatedBoard

    network = Network.load(options.network)
    codes, _ = read_inputs(options.inputs, network)
    with ExitStack() as stack:
        if options.emulated_board is not None:
            from eie.hls.spec.design import target_board
            from eie.hls.tools.compiled_kernel import CompiledKernel

            design = _project_design(options.emulated_board)
            board = EmulatedBoard(
                target_board(design), lambda: CompiledKernel(options.emulated_board)
            )
            bitfile = stack.enter_context(board).bitfile
        else:
            bitfile = options.bitstream
        accelerator = stack.enter_context(Accelerator(bitfile, timeout=options.timeout))
        accelerator.load(network)
        outputs = accelerator.run(codes)
    _write_results(options, network, outputs, None)


def _explore(options: argparse.Namespace) -> None:
    from eie.host.cli.explore import run_explore

    run_explore(options, (*_INTEGER_PARAMETERS, "memory"))


def _selftest(options: argparse.Namespace) -> int:
    from eie.host.cli.selftest import run_selftest

    return run_selftest(options)


def _info(options: argparse.Namespace) -> None:
    path: Path = options.file
    kind = identify(path)
    if path.suffix == ".npz" or kind.name == "network":
        describe(Network.load(path))
    elif path.suffix == ".toml" or kind.name == "design":
        describe_design(Design.load(path))
    elif path.suffix == ".bit":
        from eie.hls.tools.manifest import Manifest

        if not path.is_file():
            raise InputError(f"no bitstream {path}")
        manifest = Manifest.load(path.parent)
        manifest.verify(path.parent)
        print(f"built with {manifest.tool} on {manifest.date} for {manifest.part}")
        print(f"clock {manifest.clock_hz / 1e6:.3f} MHz, slack {manifest.wns_ns:.3f} ns")
        describe_design(manifest.design)
    elif kind.name == "missing":
        raise InputError(f"no file {path}")
    else:
        advice = f": {kind.advice}" if kind.advice else ""
        raise InputError(
            f"{path} must be a network (.npz), a design (.toml) or a bitstream (.bit), not "
            f"{kind.text}{advice}"
        )


def _project_design(project: Path) -> Design:
    if is_regular(project):
        raise InputError(refusal(project, "project"))
    return Design.load(project / "design.toml")


def _fixed_parameters(options: argparse.Namespace) -> dict[str, Any]:
    """Parameters of the design that were given on the command line."""
    names = (*_INTEGER_PARAMETERS, "memory")
    given = {name: getattr(options, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def _write_results(
    options: argparse.Namespace,
    network: Network,
    outputs: np.ndarray[Any, np.dtype[np.int16]],
    report: Any,
) -> None:
    write_array(options.outputs, dequantize(outputs, network.output_frac))
    print(f"wrote {options.outputs}: {len(outputs)} vectors of {network.outputs} outputs")
    print(f"error of the network against its model: {error_of(network)}")
    if report is not None:
        write_json(options.report, report.as_json())
        print(
            f"wrote {options.report}: {report.total_cycles} cycles, "
            f"{report.latency_us:.2f} us a vector at {report.design['clock_mhz']} MHz"
        )
        if report.passes > 1:
            print(
                f"in {report.passes} passes, since the network is larger than the design: "
                f"{report.load_cycles} of the cycles load weights, once for the whole batch"
            )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="eie",
        description="Pruned, weight-shared networks on PYNQ boards, after EIE (ISCA 2016).",
    )
    parser.add_argument("--version", action="version", version=f"eie {version('eie')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int | None], text: str, *files: str
    ) -> Any:
        # `files`: options that name a file to write, looked at before any work is done.
        sub = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.set_defaults(command=run, files=files)
        return sub

    sub = command("compress", _compress, "make a network file of a torch.export program", "out")
    sub.add_argument("model", type=Path, metavar="MODEL.pt2")
    sub.add_argument("--out", type=Path, required=True, metavar="NET.npz")
    sub.add_argument(
        "--density",
        action="append",
        metavar="F | LAYER=F",
        help="share of the weights to keep, of all layers or of one (repeated, or with commas); "
        "without one 0.1, or all that are not zero in a layer pruned or shared already",
    )
    sub.add_argument(
        "--calibration", type=Path, metavar="X.npy", help="real inputs to choose formats by"
    )
    sub.add_argument(
        "--keep-weights",
        action="store_true",
        help="weights are pruned and shared already (at most 15 distinct ones a layer)",
    )

    sub = command("fit", _fit, "choose a design for a network and a board", "out")
    sub.add_argument("network", type=Path, metavar="NET.npz")
    sub.add_argument("--board", required=True, help=", ".join(BOARDS))
    sub.add_argument("--out", type=Path, required=True, metavar="DESIGN.toml")
    sub.add_argument(
        "--passes",
        action="store_true",
        help="if the network is larger than the board, choose a design to run it in passes",
    )
    _add_parameters(sub)

    sub = command("generate", _generate, "write the HLS project of a design")
    sub.add_argument("design", type=Path, metavar="DESIGN.toml")
    sub.add_argument("--out", type=Path, required=True, metavar="PROJECT")

    sub = command(
        "emulate", _emulate, "run a network in numpy, with cycle counts", "outputs", "report"
    )
    sub.add_argument("network", type=Path, metavar="NET.npz")
    sub.add_argument("--design", type=Path, metavar="DESIGN.toml")
    _add_parameters(sub)
    _add_inputs_outputs(sub)
    sub.add_argument("--report", type=Path, metavar="R.json")
    sub.add_argument("--paper", action="store_true", help="count the paper's machine's cycles")

    sub = command(
        "simulate",
        _simulate,
        "compile a project with g++ and run a network on it; the project's code runs with your "
        "rights, so take projects that you trust (SECURITY.md)",
        "outputs",
        "report",
    )
    sub.add_argument("project", type=Path, metavar="PROJECT")
    sub.add_argument("network", type=Path, metavar="NET.npz")
    _add_inputs_outputs(sub)
    sub.add_argument("--report", type=Path, metavar="R.json")

    sub = command(
        "build",
        _build,
        "build the bitstream of a project with Vitis HLS and Vivado, which run its scripts with "
        "your rights",
    )
    sub.add_argument("project", type=Path, metavar="PROJECT")
    sub.add_argument("--out", type=Path, help="folder for the result (bitstreams/BOARD-Npe)")
    sub.add_argument("--hls-only", action="store_true", help="stop after Vitis HLS")
    sub.add_argument("--block", help="synthesise one part only: lnzd, broadcast, pe, ...")

    sub = command("reports", _reports, "lay what the tools reported beside the estimate")
    sub.add_argument("project", type=Path, metavar="PROJECT")

    sub = command("run", _run, "run a network on a board, or on an emulated one", "outputs")
    sub.add_argument("network", type=Path, metavar="NET.npz")
    where = sub.add_mutually_exclusive_group(required=True)
    where.add_argument("--bitstream", type=Path, metavar="F.bit")
    where.add_argument(
        "--emulated-board",
        type=Path,
        metavar="PROJECT",
        help="a project whose code is compiled and run here, with your rights: one that you trust",
    )
    _add_inputs_outputs(sub)
    sub.add_argument("--timeout", type=seconds, default=60.0, help="seconds a packet may take (60)")

    sub = command("explore", _explore, "compare many designs of a network on boards")
    sub.add_argument("network", type=Path, metavar="NET.npz")
    sub.add_argument("--board", required=True, action="append", help="again for more than one")
    sub.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    for name in _INTEGER_PARAMETERS:
        sub.add_argument(f"--{name.replace('_', '-')}", metavar="VALUES", help="8,16 or 8:64:8")
    sub.add_argument("--memory", metavar="VALUES", help="bram, uram or bram,uram (both)")
    sub.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="a Dask scheduler, which is trusted: what it sends is run (this machine)",
    )
    sub.add_argument("--workers", type=integer, metavar="N", help="processes here (one a core)")
    sub.add_argument(
        "--wait",
        type=seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long to wait for scheduler and workers that are not there, or not any more (60)",
    )
    sub.add_argument(
        "--build", action="store_true", help="synthesise the best with Vitis HLS afterwards"
    )
    sub.add_argument(
        "--build-workers", type=integer, metavar="N", help="syntheses at the same time here (1)"
    )

    sub = command(
        "selftest", _selftest, "try a board out; prints a report to attach to an issue", "out"
    )
    where = sub.add_mutually_exclusive_group(required=True)
    where.add_argument("--bitstream", type=Path, metavar="F.bit")
    where.add_argument("--emulated-design", type=Path, metavar="DESIGN.toml")
    sub.add_argument("--out", type=Path, metavar="REPORT.txt")
    sub.add_argument("--timeout", type=seconds, default=10.0, help="seconds a packet may take (10)")

    sub = command("info", _info, "say what a network, a design or a bitstream is")
    sub.add_argument("file", type=Path, metavar="NET.npz|DESIGN.toml|F.bit")
    return parser


def _add_inputs_outputs(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--inputs", type=Path, required=True, metavar="X.npy")
    sub.add_argument("--outputs", type=Path, required=True, metavar="Y.npy")


def _add_parameters(sub: argparse.ArgumentParser) -> None:
    for name in _INTEGER_PARAMETERS:
        sub.add_argument(f"--{name.replace('_', '-')}", type=integer, metavar="N")
    sub.add_argument("--memory", choices=("bram", "uram"))


if __name__ == "__main__":
    sys.exit(main())
