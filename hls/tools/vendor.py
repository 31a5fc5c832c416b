"""Runs Vitis HLS and Vivado on a generated project, and collects what they built.

Both tools run the project's own scripts, ``vitis/run_hls.tcl`` and ``vivado/build.tcl``, so that
what happens here can be repeated by hand. Their output goes to a log file in ``build/``.
"""

from __future__ import annotations

import datetime
import fcntl
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from eie.hls.boundary.atomic import open_growing
from eie.hls.boundary.errors import InputError, Problems, ToolError
from eie.hls.boundary.partials import partial_folder
from eie.hls.compiler.processes import running
from eie.hls.model.area import warn_beyond_board
from eie.hls.spec.dataflow import BLOCKS, blocks_of
from eie.hls.spec.design import NO_BOARD, Design
from eie.hls.tools.manifest import BITSTREAM, MANIFEST, Manifest, sha256_of
from eie.hls.tools.rtl.verdict import RtlVerdict, verdict_of

__all__ = ["DEFAULT_STEPS", "STEPS", "build_bitstream", "run_block", "run_hls"]

#: What blocks were called once.
_OLD_BLOCK_NAMES = {
    "receiver": "receive",
    "control": "control_activations",
    "lnzd": "detect_nonzero",
    "collector": "collect",
    "sender": "send",
}
#: Steps of ``vitis/run_hls.tcl``, in the order in which they run.
STEPS = ("csynth", "export", "csim")
#: Those that run unless others are asked for. C simulation is not among them: its headers are the
#: one thing that no other step needs, and what it shows, g++ shows without the tool.
DEFAULT_STEPS = ("csynth", "export")

#: The oldest release that the scripts are written for.
_RELEASE = "2023.2"
#: Lines of a log that an error shows.
_TAIL = 15
#: What ``vivado/build.tcl`` leaves: the bitstream, what pynq reads, two reports.
_FILES = (BITSTREAM, "eie.hwh", "utilization.rpt", "timing.rpt")
#: All that a folder with a build has.
_BUILD = (*_FILES, MANIFEST)


def run_hls(
    project: Path, *, steps: Sequence[str] = DEFAULT_STEPS, path: str | None = None
) -> Path:
    """Run Vitis HLS on a project: synthesize and package the kernel, or simulate it.

    Parameters
    ----------
    project
        Folder made by the generator.
    steps
        Some of :data:`STEPS`. ``"export"`` needs a synthesis, now or earlier.
    path
        Folders in which to look for the tools; ``PATH`` if it is None.

    Returns
    -------
    Path
        The tool's solution folder: reports are in ``syn/report``, the IP is in ``impl/ip``.

    Raises
    ------
    InputError
        If the project is not one, or a step does not exist.
    ToolError
        If Vitis is not installed, or a step failed; the message ends with the log's last lines.
    """
    problems = Problems("high-level synthesis")
    script = _check_project(project, "vitis/run_hls.tcl", problems)
    problems.require(len(steps) > 0, "steps must name at least one step")
    for step in steps:
        problems.require(step in STEPS, f"step must be one of {', '.join(STEPS)}, not {step!r}")
    problems.raise_as(InputError)
    warn_beyond_board(Design.load(project / "design.toml"))
    return _synthesize(project, script, "hls", steps, path)


def run_block(project: Path, block: str, *, path: str | None = None) -> Path:
    """Synthesize one part of the kernel alone, to look at its schedule and size.

    Parameters
    ----------
    project
        Folder made by the generator.
    block
        One of :data:`eie.hls.spec.dataflow.BLOCKS`.
    path
        Folders in which to look for the tools; ``PATH`` if it is None.

    Returns
    -------
    Path
        The tool's solution folder: reports are in ``syn/report``.

    Raises
    ------
    InputError
        If the project is not one, or the block does not exist.
    ToolError
        If Vitis is not installed, or failed; the message ends with the log's last lines.
    """
    problems = Problems("high-level synthesis")
    script = _check_project(project, "vitis/run_hls.tcl", problems)
    renamed = f": it is called {_OLD_BLOCK_NAMES[block]!r} now" if block in _OLD_BLOCK_NAMES else ""
    problems.require(
        block in BLOCKS, f"block must be one of {', '.join(BLOCKS)}, not {block!r}{renamed}"
    )
    problems.raise_as(InputError)
    there = blocks_of(Design.load(project / "design.toml"))
    problems.require(
        block in there, f"block must be one of {', '.join(there)} in this design, not {block!r}"
    )
    problems.raise_as(InputError)
    return _synthesize(project, script, f"hls_{block}", ("csynth",), path, block)


def _synthesize(
    project: Path,
    script: Path,
    name: str,
    steps: Sequence[str],
    path: str | None,
    block: str = "",
) -> Path:
    """Run ``run_hls.tcl``, which works in ``build/NAME``, and return the solution folder."""
    if launcher := shutil.which("vitis_hls", path=path):
        command = [launcher, "-f", str(script)]
    elif launcher := shutil.which("vitis-run", path=path):
        command = [launcher, "--mode", "hls", "--tcl", str(script)]
    else:
        raise _missing("Vitis HLS", "vitis_hls or vitis-run")
    solution = project.resolve() / "build" / name / "eie" / "solution"
    results = {"csynth": solution / "syn" / "report", "export": solution / "impl" / "ip"}
    expected = {step: folder for step, folder in results.items() if step in steps}
    variables = {"EIE_HLS_STEPS": " ".join(steps), "EIE_HLS_BLOCK": block}
    log = project / "build" / f"{name}.log"
    _run(command, log, path, variables, list(expected.values()))
    for step, folder in expected.items():
        if not folder.is_dir():
            raise ToolError(f"the tool reported no error, but step {step} left no {folder}")
    return solution


def build_bitstream(
    project: Path, out: Path, *, date: datetime.date, path: str | None = None
) -> Manifest:
    """Run Vivado on a project whose kernel is packaged, and collect the bitstream.

    Parameters
    ----------
    project
        Folder made by the generator, after :func:`run_hls` with the step ``"export"``.
    out
        Folder for ``eie.bit``, ``eie.hwh``, the reports and ``manifest.json``. It appears whole
        or not at all; an earlier build in its place is replaced.
    date
        Day of the build, for the manifest.
    path
        Folders in which to look for the tools; ``PATH`` if it is None.

    Returns
    -------
    Manifest
        What was built.

    Raises
    ------
    InputError
        If the project is not one, has no board or no packaged kernel, or `out` is in the way.
    ToolError
        If Vivado is not installed or failed, for instance because timing was not met; the message
        ends with the log's last lines.
    """
    design = _check_build(project, out)
    vivado = shutil.which("vivado", path=path)
    if vivado is None:
        raise _missing("Vivado", "vivado")
    result = project.resolve() / "build" / "vivado" / "result"
    script = project.resolve() / "vivado" / "build.tcl"
    # What is known of the RTL before Vivado takes it; hours later it may be another.
    rtl = verdict_of(project)
    command = [vivado, "-mode", "batch", "-notrace", "-nolog", "-nojournal", "-source", str(script)]
    _run(command, project / "build" / "vivado.log", path, {}, [result])
    manifest = _read_result(result, design, date, rtl)
    _collect(result, out, manifest)
    return manifest


def _check_project(project: Path, script: str, problems: Problems) -> Path:
    """Return the full path of `script` in `project`, or note what is wrong."""
    full = project.resolve() / script
    problems.require(
        full.is_file(), f"project must be a folder made by `eie generate`: {full} is missing"
    )
    problems.require(
        not any(character.isspace() for character in str(full)),
        f"the path of a project must be free of spaces, where the tools split it, not {full}",
    )
    return full


def _component(project: Path) -> tuple[Path, Path]:
    """Return where run_hls.tcl and the unified flow leave the packaged kernel's description."""
    build = project.resolve() / "build"
    return (
        build / "hls" / "eie" / "solution" / "impl" / "ip" / "component.xml",
        build / "hls_component" / "hls" / "impl" / "ip" / "component.xml",
    )


def _check_build(project: Path, out: Path) -> Design:
    """Check everything that a build rests on before hours go into it."""
    problems = Problems("bitstream")
    design = Design.load(project / "design.toml")
    if problems.require(
        design.board != NO_BOARD, f"the design must name a board, not {design.board!r}"
    ):
        _check_project(project, "vivado/build.tcl", problems)
        problems.require(
            any(path.is_file() for path in _component(project)),
            f"the kernel must be packaged first, by `run_hls`: {_component(project)[0]} is missing",
        )
    if os.path.lexists(out) and not out.is_dir():
        problems.require(False, f"out must be a new folder or an earlier build, not {out}")
    elif out.is_dir():
        # What is replaced is gone, so it must be nothing but a build.
        others = sorted(file.name for file in out.iterdir() if file.name not in _BUILD)
        problems.require(
            not others,
            f"out must be a new folder or an earlier build and nothing else; {out} has "
            f"{', '.join(others[:5])}",
        )
    problems.raise_as(InputError)
    return design


def _missing(tool: str, commands: str) -> ToolError:
    """Say in one sentence what is missing and how to get it."""
    return ToolError(
        f"{tool} was not found ({commands} on PATH): install AMD Vitis {_RELEASE} or later, which "
        "brings Vivado with it, and source the settings64.sh in its folder"
    )


def _run(
    command: list[str],
    log: Path,
    path: str | None,
    variables: Mapping[str, str],
    results: Sequence[Path],
) -> None:
    """Run a tool in the folder of `log`, which gets all of its output.

    The folders `results` are removed first: what an earlier run left must not pass for this one's.
    """
    environment = {**os.environ, **variables}
    if path is not None:
        environment["PATH"] = path
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        descriptor = open_growing(log, os.O_WRONLY)
    except OSError as error:
        raise ToolError(f"cannot write {log}: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as output:
        try:
            # The tool inherits the lock, and so keeps it if it should outlive us.
            fcntl.flock(output, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ToolError(
                f"another run of the tool is writing {log}: wait for it, or generate the project "
                "into another folder"
            ) from error
        output.truncate()
        for folder in results:
            shutil.rmtree(folder, ignore_errors=True)
        try:
            with running(
                command, cwd=log.parent, environment=environment, output=output
            ) as process:
                status = process.wait()
        except OSError as error:
            raise ToolError(f"cannot run {command[0]}: {error}") from error
    if status != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        raise ToolError(
            f"{Path(command[0]).name} ended with status {status}; {log} ends with\n"
            + "\n".join(f"  {line}" for line in lines[-_TAIL:])
        )


def _read_result(result: Path, design: Design, date: datetime.date, rtl: RtlVerdict) -> Manifest:
    """Make a manifest of what ``vivado/build.tcl`` left."""
    missing = [name for name in (*_FILES, "build.txt") if not (result / name).is_file()]
    if missing:
        raise ToolError(
            f"Vivado reported no error, but {', '.join(missing)} is missing in {result}"
        )
    lines = (result / "build.txt").read_text(encoding="utf-8").splitlines()
    summary = dict(line.partition(" ")[::2] for line in lines)
    try:
        return Manifest(
            design=design,
            part=summary["part"],
            board_part=summary["board_part"],
            tool=f"Vivado {summary['vivado']}",
            date=date.isoformat(),
            clock_hz=round(float(summary["clock_hz"])),
            wns_ns=float(summary["wns_ns"]),
            whs_ns=float(summary["whs_ns"]),
            files={name: sha256_of(result / name) for name in _FILES},
            rtl=rtl,
        )
    except (KeyError, ValueError) as error:
        raise ToolError(f"{result / 'build.txt'} is not a summary of a build: {error}") from error


def _collect(result: Path, out: Path, manifest: Manifest) -> None:
    """Copy the files of a build to `out`, which appears whole or stays as it was."""
    out = out.resolve()
    # Not among what is swept: killed between the two renames, it is all that there is.
    replaced = out.with_name(f".{out.name}.{secrets.token_hex(8)}.replaced")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with partial_folder(out.parent) as partial:
            for name in manifest.files:
                shutil.copyfile(result / name, partial / name)
            (partial / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
            manifest.verify(partial)
            try:
                if out.exists():
                    out.rename(replaced)
                partial.rename(out)
            except BaseException:
                if replaced.exists() and not out.exists():
                    replaced.rename(out)
                raise
    except OSError as error:
        raise ToolError(f"cannot write the build to {out}: {error.strerror or error}") from error
    finally:
        if out.exists():
            shutil.rmtree(replaced, ignore_errors=True)
