"""LUTs and flip-flops of each process: by the estimate's parts, and by Vitis HLS.

Vitis HLS says of each module what it expects it to take, submodules included. A process is a module
of its name, with its template arguments behind; of those that are alike the mean is shown.
"""

from __future__ import annotations

import re
import statistics
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eie.hls.boundary.tables import as_text
from eie.hls.model.area import AreaRow, Estimate, estimate
from eie.hls.spec.design import Design
from eie.hls.tools.reports.elements import range_of
from eie.hls.tools.reports.project import csynth_of

__all__ = ["ModuleArea", "compare_modules", "module_areas", "modules_as_text"]

#: What the name of a module has that was made of a loop or a function inside a process.
_INSIDE = re.compile(r"_(Pipeline|Loop|Block|Outline)_")


@dataclass(frozen=True)
class ModuleArea:
    """A process of the kernel, or several of a kind."""

    #: Name in C++, without template arguments.
    process: str
    #: How many modules the report has of it.
    modules: int
    #: LUTs and flip-flops of one by the sum over its parts.
    parts: tuple[float, float]
    #: The mean that Vitis HLS expects of one.
    reported: tuple[float, float]

    @property
    def ratio(self) -> float:
        """Reported LUTs over those of the parts."""
        return self.reported[0] / self.parts[0]


def compare_modules(project: Path) -> tuple[ModuleArea, ...]:
    """Lay processes beside modules for a project; () without a report, or one without modules."""
    path = csynth_of(project)
    if path is None:
        return ()
    return module_areas(path, Design.load(project / "design.toml"))


def module_areas(path: Path, design: Design) -> tuple[ModuleArea, ...]:
    """Lay the processes of `design` beside the modules of the ``csynth.xml`` at `path`.

    The file has been read as a report before, which says what is wrong with it. Modules without
    LUTs or flip-flops, as some releases leave out what is zero, are passed over.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    for name, lut, ff in _modules(path):
        found.setdefault(name, []).append((lut, ff))
    areas = []
    for process, parts in _processes(estimate(design)).items():
        alike = [
            each
            for name, figures in found.items()
            if re.fullmatch(rf"{process}(_.*)?", name) and not _INSIDE.search(name)
            for each in figures
        ]
        if alike:
            reported = (
                statistics.fmean(luts for luts, _ in alike),
                statistics.fmean(ffs for _, ffs in alike),
            )
            areas.append(ModuleArea(process, len(alike), parts, reported))
    return tuple(areas)


def modules_as_text(areas: tuple[ModuleArea, ...]) -> str:
    """Lay them out for a terminal; an empty text without any."""
    if not areas:
        return ""
    head = ("process, one of a kind", "modules", "LUTs, by parts", "Vitis HLS", "ratio",
            "flip-flops, by parts", "Vitis HLS")  # fmt: skip
    rows = [
        (
            each.process,
            each.modules,
            f"{each.parts[0]:,.0f}",
            f"{each.reported[0]:,.0f}",
            f"{each.ratio:.2f}",
            f"{each.parts[1]:,.0f}",
            f"{each.reported[1]:,.0f}",
        )
        for each in areas
    ]
    return as_text([head, *rows])


def _modules(path: Path) -> Iterator[tuple[str, int, int]]:
    for module in ET.fromstring(path.read_bytes()).iterfind("ModuleInformation/Module"):
        resources = module.find("AreaEstimates/Resources")
        if resources is None:
            continue
        counts = [range_of(resources.find(tag)) for tag in ("LUT", "FF")]
        if counts[0] is not None and counts[1] is not None:
            yield (module.findtext("Name") or "").strip(), counts[0][1], counts[1][1]


def _processes(needed: Estimate) -> dict[str, tuple[float, float]]:
    """LUTs and flip-flops of one process, by its name in C++; the mean where there are several."""
    kinds: dict[str, list[AreaRow]] = {}
    for row in needed.rows:
        if re.fullmatch("[a-z_0-9]+( .*)?", row.name) and not row.name.startswith("stream "):
            kinds.setdefault(row.name.split(" ")[0], []).append(row)
    return {
        name: (
            sum(row.all.lut for row in rows) / sum(row.count for row in rows),
            sum(row.all.ff for row in rows) / sum(row.count for row in rows),
        )
        for name, rows in kinds.items()
        if all(row.kernel for row in rows)
    }
