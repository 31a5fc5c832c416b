"""Play the golden packets into the RTL of a project and hold it against the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from eie.hls.boundary.errors import ToolError
from eie.hls.boundary.progress import tell
from eie.hls.project.folder_lock import locked_folder
from eie.hls.spec.design import Design
from eie.hls.tools.rtl.exchanges import Exchange, exchanges_of
from eie.hls.tools.rtl.judge import faults_of, run_times
from eie.hls.tools.rtl.recording import Pass, PassSeen
from eie.hls.tools.rtl.simulator import Simulator, SimulatorMissing
from eie.hls.tools.rtl.sources import RtlSources, rtl_folder
from eie.hls.tools.rtl.structure import look_at
from eie.hls.tools.rtl.verdict import RtlVerdict, verdict_file

__all__ = ["RtlError", "check_before_build", "check_rtl", "judge_passes", "passes_of"]

#: Faults that an error lists.
_MOST = 8


class RtlError(ToolError):
    """The RTL does not do what the model does.

    Cure: look at the fault that is listed first; do not build that RTL. Please report it.
    """


def passes_of(seed: int) -> tuple[Pass, ...]:
    """Without stalls, where time is measured; with short ones; with long ones."""
    return (
        Pass("without stalls", seed, 0.0, 0.0, 1),
        Pass("with short stalls", seed, 0.25, 0.25, 3),
        Pass("with long stalls", seed + 1, 0.02, 0.05, 60),
    )


def check_rtl(project: Path, *, seed: int = 1, path: str | None = None) -> RtlVerdict:
    """Simulate the RTL of a project, and keep the verdict beside it.

    Parameters
    ----------
    project
        Folder made by the generator, after a synthesis.
    seed
        Of the stalls.
    path
        Folders in which to look for the simulator; ``PATH`` if it is None.

    Returns
    -------
    RtlVerdict
        What was found; it passed.

    Raises
    ------
    InputError
        If the project is none, was not synthesised, or its RTL has other ports or lacks files.
    SimulatorMissing
        If the simulator is missing or too old.
    RtlError
        Naming what differs from the model, what hangs, what is too fast, or what the structure of
        the RTL has wrong.
    ToolError
        If the simulator could not compile or run the RTL.
    """
    design = Design.load(project / "design.toml")
    exchanges = exchanges_of(project, design)
    sources = RtlSources.load(rtl_folder(project))
    structure = look_at(sources, design)
    if structure.faults:
        raise _error(sources, "the structure of the RTL", structure.faults)
    simulator = Simulator.find(path)
    folder = verdict_file(project).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked_folder(folder):
            tell("compiling the RTL with Verilator", 0, 2, "steps")
            simulation = simulator.build(sources, folder / "simulation")
            tell("playing packets into the RTL", 1, 2, "steps")
            seen = simulation.play(exchanges, passes_of(seed))
    except OSError as error:
        raise ToolError(f"cannot write {folder}: {error.strerror or error}") from error
    found = RtlVerdict(
        passed=False,
        text="RTL simulated, and it does not do what the model does",
        simulator=simulator.name,
        bench=simulator.bench,
        seed=seed,
        packets=sum(len(each.exchanges) for each in seen),
        cycles=sum(each.cycles for each in seen),
        rtl_sha256=sources.digest(),
        warnings=structure.warnings,
    )
    # Whatever is known of this RTL from before does not count once it has failed.
    found.save(project)
    judge_passes(exchanges, seen, sources)
    verdict = replace(
        found,
        passed=True,
        text=f"RTL simulated: {found.packets} packets in {found.cycles} cycles, every answer right",
        runs=run_times(exchanges, seen[0]),
    )
    verdict.save(project)
    return verdict


def check_before_build(project: Path, *, skip: bool = False, demand: bool = False) -> RtlVerdict:
    """Check what a bitstream is to be built from; without a simulator say so, and go on.

    Parameters
    ----------
    project
        Folder made by the generator, after a synthesis.
    skip
        Whether to leave the simulation out.
    demand
        Whether a missing simulator is an error.

    Returns
    -------
    RtlVerdict
        What :func:`~eie.hls.tools.vendor.build_bitstream` will write into the manifest.

    Raises
    ------
    EieError
        As :func:`check_rtl` does, but for `SimulatorMissing`, which only `demand` lets through.
    """
    reason = "left out on request"
    if not skip:
        try:
            return check_rtl(project)
        except SimulatorMissing as missing:
            if demand:
                raise
            reason = str(missing)
    verdict = RtlVerdict.not_simulated(reason)
    verdict.save(project)
    return verdict


def judge_passes(
    exchanges: Sequence[Exchange], seen: Sequence[PassSeen], sources: RtlSources
) -> None:
    """Judge what was seen in all passes.

    Raises
    ------
    RtlError
        If anything must not be so.
    """
    for each in seen:
        faults = faults_of(exchanges, each)
        if faults:
            raise _error(sources, f"the RTL, played {each.name}", faults)


def _error(sources: RtlSources, what: str, faults: Sequence[str]) -> RtlError:
    lines = [f"  {fault}" for fault in faults[:_MOST]]
    if len(faults) > _MOST:
        lines.append(f"  and {len(faults) - _MOST} more")
    return RtlError("\n".join([f"{what} ({sources.folder}) must be as the model, but:", *lines]))
