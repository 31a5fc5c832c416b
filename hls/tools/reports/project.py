"""The reports that the tools have left in a project."""

from __future__ import annotations

from pathlib import Path

from eie.hls.boundary.errors import InputError
from eie.hls.spec.design import Design
from eie.hls.tools.reports.comparison import Comparison, compare
from eie.hls.tools.reports.csynth import read_csynth
from eie.hls.tools.reports.timing import read_timing
from eie.hls.tools.reports.utilization import read_utilization

__all__ = ["compare_project", "csynth_of"]

#: Where ``vitis/run_hls.tcl`` and the unified flow of ``hls_config.cfg`` leave reports; the first
#: wins, as it does in ``vivado/build.tcl``.
_SYNTHESIS = ("build/hls/eie/solution/syn/report", "build/hls_component/hls/syn/report")
#: Where ``vivado/implement.tcl`` leaves its own, before it looks whether timing is met.
_IMPLEMENTATION = "build/vivado/result"


def compare_project(project: Path) -> Comparison:
    """Read every report in `project`, and lay them beside the estimate of its design.

    Parameters
    ----------
    project
        Folder made by the generator, in which Vitis HLS has run, and perhaps Vivado.

    Raises
    ------
    InputError
        If there is no report, or one cannot be read; see :func:`compare` and the readers.
    """
    design = Design.load(project / "design.toml")
    csynth = csynth_of(project)
    utilization = project / _IMPLEMENTATION / "utilization.rpt"
    timing = project / _IMPLEMENTATION / "timing.rpt"
    if csynth is None and not utilization.is_file() and not timing.is_file():
        raise InputError(
            f"project {project} must have reports to compare: run `eie build {project} --hls-only` "
            f"or vitis/run_hls.tcl first, which leaves {_summaries(project)[0]}"
        )
    return compare(
        design,
        read_csynth(csynth, sorted(csynth.parent.glob("*_csynth.xml"))) if csynth else None,
        read_utilization(utilization) if utilization.is_file() else None,
        read_timing(timing) if timing.is_file() else None,
    )


def csynth_of(project: Path) -> Path | None:
    """Find the report of the synthesis of `project`, if Vitis HLS has left one."""
    return next((path for path in _summaries(project) if path.is_file()), None)


def _summaries(project: Path) -> list[Path]:
    return [project / folder / "csynth.xml" for folder in _SYNTHESIS]
