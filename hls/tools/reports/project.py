"""The reports that the tools have left in a project."""

from __future__ import annotations

from pathlib import Path

from eie.hls.boundary.errors import EieError, InputError
from eie.hls.boundary.text import shown
from eie.hls.model.allowance import ASSUMED, RunAllowance, allowance_of
from eie.hls.spec.design import Design
from eie.hls.tools.reports.comparison import Comparison, compare
from eie.hls.tools.reports.csynth import CsynthReport, read_csynth
from eie.hls.tools.reports.depths import reported_allowance
from eie.hls.tools.reports.messages import HlsLog, read_log
from eie.hls.tools.reports.path_slack import read_paths
from eie.hls.tools.reports.timing import read_timing
from eie.hls.tools.reports.utilization import read_utilization

__all__ = ["DESIGN_RECORD", "compare_project", "project_allowance", "project_csynth"]

#: Where ``vitis/run_hls.tcl`` and the unified flow of ``hls_config.cfg`` leave reports; the first
#: wins, as it does in ``vivado/build.tcl``. With each, the logs that may tell of it, the first that
#: is there: what `eie build` keeps, and what the tool writes itself.
_SYNTHESIS = {
    "build/hls/eie/solution/syn/report": (
        "build/hls.log",
        "build/hls/eie/solution/solution.log",
        "build/hls/vitis_hls.log",
    ),
    "build/hls_component/hls/syn/report": (
        "build/hls_component/hls.log",
        "build/hls_component/logs/v++_hls.log",
        "build/hls_component/vitis_hls.log",
        "build/hls_component/hls/vitis_hls.log",
    ),
}
#: Where ``vivado/implement.tcl`` leaves its own, before it looks whether timing is met.
_IMPLEMENTATION = "build/vivado/result"
#: The design that a folder of reports is of: a copy of the project's, which the scripts leave
#: there.
DESIGN_RECORD = "design.toml"


def compare_project(project: Path) -> Comparison:
    """Read every report in `project`, and lay them beside the estimate of its design.

    Parameters
    ----------
    project
        Folder made by the generator, in which Vitis HLS has run, and perhaps Vivado.

    Raises
    ------
    InputError
        If there is no report, one cannot be read, or is of another design; see :func:`compare` and
        the readers.
    """
    design = Design.load(project / "design.toml")
    csynth = project_csynth(project, design)
    result = project / _IMPLEMENTATION
    utilization, timing = result / "utilization.rpt", result / "timing.rpt"
    if csynth is None and not utilization.is_file() and not timing.is_file():
        first = project / next(iter(_SYNTHESIS)) / "csynth.xml"
        raise InputError(
            f"project {project} must have reports to compare: run `eie build {project} --hls-only` "
            f"or vitis/run_hls.tcl first, which leaves {first}"
        )
    if utilization.is_file() or timing.is_file():
        _check_design(result, design, project)
    return compare(
        design,
        csynth,
        read_utilization(utilization) if utilization.is_file() else None,
        read_timing(timing) if timing.is_file() else None,
        log=_log(project, csynth),
        paths=read_paths(timing) if timing.is_file() else (),
    )


def project_csynth(project: Path, design: Design) -> CsynthReport | None:
    """Read what Vitis HLS reported of a project; None where it has not run.

    Raises
    ------
    InputError
        If the report cannot be read, or is of another design than `design`.
    """
    summaries = [project / folder / "csynth.xml" for folder in _SYNTHESIS]
    path = next((path for path in summaries if path.is_file()), None)
    if path is None:
        return None
    _check_design(path.parent, design, project)
    return read_csynth(path, sorted(path.parent.glob("*_csynth.xml")))


def project_allowance(project: Path, design: Design) -> RunAllowance:
    """What a run takes on top of what is counted, as far as the project's synthesis tells.

    Parameters
    ----------
    project
        Folder of a project; need not have been synthesised, nor be one.
    design
        The design that runs.

    Returns
    -------
    RunAllowance
        With assumed depths where there is no report, or none of this design; its source says so.
    """
    try:
        csynth = project_csynth(project, design)
    except EieError:
        # Whoever runs a network need not have whole reports.
        return allowance_of(
            design,
            source=f"{ASSUMED}: the project's synthesis is of no use, `eie reports` says why",
        )
    return allowance_of(design) if csynth is None else reported_allowance(csynth, design)


def _log(project: Path, csynth: CsynthReport | None) -> HlsLog | None:
    """The log of the synthesis that a report is of; None if there is none."""
    if csynth is None:
        return None
    folder = next(each for each in _SYNTHESIS if project / each == csynth.path.parent)
    files = [project / name for name in _SYNTHESIS[folder]]
    found = next((each for each in files if each.is_file()), None)
    return None if found is None else read_log(found)


def _check_design(folder: Path, design: Design, project: Path) -> None:
    """Hold the design that a folder of reports was made for against the project's.

    Reports themselves name part and clock alone. Without a record, as the unified flow leaves none,
    nothing is known.
    """
    record = folder / DESIGN_RECORD
    if not record.is_file():
        return
    theirs, ours = Design.load(record).parameters(), design.parameters()
    differ = [
        f"{name} {shown(theirs[name])} there, {shown(ours[name])} here"
        for name in ours
        if theirs[name] != ours[name]
    ]
    if differ:
        raise InputError(
            f"the reports in {folder} must be of the design of {project}, not of another one: "
            f"{'; '.join(differ)}; run the tools again"
        )
