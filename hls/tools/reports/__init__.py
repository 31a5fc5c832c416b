"""What Vitis HLS and Vivado report of a build, laid beside the estimate.

No real report of this kernel exists yet: the readers follow the formats that UG1399 (Vitis HLS) and
UG835, UG906 (Vivado) describe and that published reports of other designs have, from Vitis HLS
2020.2 to 2025.2 and from Vivado 2017.4 to 2022.2. Every value is found by the name of its element,
row or column, never by its place; a value that is missing, undefined or there twice is an error
that names the file, never a guess.
"""

from eie.hls.tools.reports.comparison import Comparison, Row, compare
from eie.hls.tools.reports.csynth import (
    CsynthReport,
    HlsLoop,
    HlsModule,
    loops_above_one,
    read_csynth,
)
from eie.hls.tools.reports.depths import reported_allowance
from eie.hls.tools.reports.messages import HlsLog, read_log
from eie.hls.tools.reports.module_slack import ModuleSlack, module_slacks
from eie.hls.tools.reports.path_slack import ModulePaths, TimingPath, by_module, read_paths
from eie.hls.tools.reports.project import compare_project, project_allowance
from eie.hls.tools.reports.resources import Resources
from eie.hls.tools.reports.timing import Clock, Slack, Timing, read_timing
from eie.hls.tools.reports.utilization import Utilization, read_utilization

__all__ = [
    "Clock",
    "Comparison",
    "CsynthReport",
    "HlsLog",
    "HlsLoop",
    "HlsModule",
    "ModulePaths",
    "ModuleSlack",
    "Resources",
    "Row",
    "Slack",
    "Timing",
    "TimingPath",
    "Utilization",
    "by_module",
    "compare",
    "compare_project",
    "loops_above_one",
    "module_slacks",
    "project_allowance",
    "read_csynth",
    "read_log",
    "read_paths",
    "read_timing",
    "read_utilization",
    "reported_allowance",
]
