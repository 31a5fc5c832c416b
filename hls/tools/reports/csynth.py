"""The synthesis report of Vitis HLS: ``csynth.xml``, and the ``*_csynth.xml`` beside it.

Vitis HLS 2020.2 and later write one ``csynth.xml`` for the whole design into ``syn/report``, with
every module in ``ModuleInformation``, and one ``MODULE_csynth.xml`` for each. Releases differ in
the order of elements and in what they add (``Slack`` since 2022.2, ``SummaryOfViolations`` since
2023.2, ``isPerfectNested`` by 2025.2), not in what is read here.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.tools.reports.elements import ElementReader, range_of
from eie.hls.tools.reports.resources import Resources

__all__ = [
    "TARGET_II",
    "CsynthReport",
    "HlsLoop",
    "HlsModule",
    "loops_above_one",
    "read_csynth",
]

#: The initiation interval that every PIPELINE pragma of the kernel asks for. The report has the one
#: that was achieved only.
TARGET_II = 1

#: Fields of :class:`Resources` by their elements.
_RESOURCES = {"lut": "LUT", "ff": "FF", "bram18": "BRAM_18K", "uram": "URAM", "dsp": "DSP"}


@dataclass(frozen=True)
class HlsLoop:
    """A loop, as it was scheduled."""

    #: The RTL module that has it. A pipelined loop is mostly a module of its own, such as
    #: ``multiply_accumulate_0_Pipeline_entries``.
    module: str
    #: Its label in C++; two loops of a module may have the same.
    name: str
    #: Achieved initiation interval in cycles; None if the loop is not pipelined.
    ii: int | None
    #: Cycles from an iteration's start to its end, at most; None if the tool does not know.
    depth: int | None
    #: Fewest and most iterations; None if they depend on data.
    trip_count: tuple[int, int] | None
    #: Why the tool missed the target, in its words; empty if it does not say.
    issue: str
    #: ``file:line``; empty if the tool does not say.
    source: str
    #: Fewest and most cycles of all its iterations; None if they depend on data.
    latency: tuple[int, int] | None = None


@dataclass(frozen=True)
class HlsModule:
    """What the tool expects of an RTL module."""

    #: Name.
    name: str
    #: Its longest path, in ns, before routing; None if the report leaves it out.
    estimated_ns: float | None
    #: Best and worst latency of a call in cycles; None if it depends on data.
    latency: tuple[int, int] | None


@dataclass(frozen=True)
class CsynthReport:
    """What a synthesis by Vitis HLS came to."""

    #: The file that was read.
    path: Path
    #: Release of the tool.
    version: str
    #: Part, as Vitis HLS spells it: ``xc7z020-clg400-1`` for xc7z020clg400-1.
    part: str
    #: Top function.
    top: str
    #: Clock period asked for, in ns.
    target_ns: float
    #: What of it the tool keeps for routing, in ns.
    uncertainty_ns: float
    #: Longest path that the tool expects before routing, in ns.
    estimated_ns: float
    #: Best and worst latency of a call in cycles; None if it depends on data, as the kernel's does.
    latency: tuple[int, int] | None
    #: What the tool expects the design to take.
    used: Resources
    #: What the part has.
    available: Resources
    #: Every RTL module that was made from a function or loop.
    modules: tuple[str, ...]
    #: Every loop of every module.
    loops: tuple[HlsLoop, ...]
    #: What is expected of every module, in the order of `modules`.
    estimates: tuple[HlsModule, ...] = ()

    @property
    def slack_ns(self) -> float:
        """Time left of the period after the longest path and the uncertainty, in whole ps."""
        return self.slack_of(self.estimated_ns)

    def slack_of(self, path_ns: float) -> float:
        """Time left of the period after a path of `path_ns` and the uncertainty, in whole ps."""
        return round(self.target_ns - self.uncertainty_ns - path_ns, 3)


def loops_above_one(report: CsynthReport) -> tuple[HlsLoop, ...]:
    """Every pipelined loop that takes more than a cycle an iteration, slowest first.

    This is the first thing to look at after a synthesis: the kernel's loops are all written for
    :data:`TARGET_II`, and the cycle model counts on it.
    """
    slow = [loop for loop in report.loops if loop.ii is not None and loop.ii > TARGET_II]
    return tuple(sorted(slow, key=lambda loop: -(loop.ii or 0)))


def read_csynth(path: Path, modules: Sequence[Path] = ()) -> CsynthReport:
    """Read a ``csynth.xml``.

    Parameters
    ----------
    path
        The report of the whole design.
    modules
        The ``*_csynth.xml`` of single modules; read only if `path` has no ``ModuleInformation``.

    Raises
    ------
    InputError
        If a file is missing, is cut short or is not such a report, or if anything that is needed
        is missing, undefined or there twice; names the file and everything that is wrong.
    """
    root = _root(path)
    problems = Problems(f"report {path}")
    reader = ElementReader(problems)
    unit = reader.text(root, "UserAssignments/unit")
    reader.require(unit in ("ns", ""), f"UserAssignments/unit must be ns, not {unit!r}")
    estimates = "PerformanceEstimates"
    overall = f"{estimates}/SummaryOfOverallLatency"
    best = range_of(root.find(f"{overall}/Best-caseLatency"))
    worst = range_of(root.find(f"{overall}/Worst-caseLatency"))
    version = reader.text(root, "ReportVersion/Version")
    part = reader.text(root, "UserAssignments/Part")
    top = reader.text(root, "UserAssignments/TopModelName")
    target = reader.decimal(root, "UserAssignments/TargetClockPeriod")
    uncertainty = reader.decimal(root, "UserAssignments/ClockUncertainty")
    estimated = reader.decimal(root, f"{estimates}/SummaryOfTimingAnalysis/EstimatedClockPeriod")
    used = _resources(root, "AreaEstimates/Resources", reader)
    available = _resources(root, "AreaEstimates/AvailableResources", reader)
    described = [
        _read_module(module, reader) for module in root.iterfind("ModuleInformation/Module")
    ]
    reader.require(
        len(described) > 0 or len(modules) > 0,
        "ModuleInformation is missing, and there are no *_csynth.xml files to read instead",
    )
    problems.raise_as(InputError)
    if not described:
        described = [_read_module_file(module) for module in modules]
    names = [module.name for module, _ in described]
    twice = [name for name, count in Counter(names).items() if count > 1]
    reader.require(not twice, f"modules must be there once, not several times: {', '.join(twice)}")
    reader.require(
        top in names,
        f"the top module {top!r} is missing among the modules",
    )
    problems.raise_as(InputError)
    return CsynthReport(
        path=path,
        version=version,
        part=part,
        top=top,
        target_ns=target,
        uncertainty_ns=uncertainty,
        estimated_ns=estimated,
        latency=(best[0], worst[1]) if best is not None and worst is not None else None,
        used=used,
        available=available,
        modules=tuple(names),
        loops=tuple(loop for _, loops in described for loop in loops),
        estimates=tuple(module for module, _ in described),
    )


def _root(path: Path) -> ET.Element:
    """Read an XML file of the tool; both kinds of report have the same root."""
    try:
        root = ET.fromstring(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read report {path}: {error}") from error
    except (ET.ParseError, ValueError, LookupError) as error:
        raise InputError(f"report {path}: must be whole, well-formed XML: {error}") from error
    if root.tag != "profile":
        raise InputError(
            f"report {path}: must be a csynth.xml of Vitis HLS, whose root element is 'profile', "
            f"not {root.tag!r}"
        )
    return root


def _resources(root: ET.Element, place: str, reader: ElementReader) -> Resources:
    return Resources(
        **{field: reader.count(root, f"{place}/{tag}") for field, tag in _RESOURCES.items()}
    )


def _read_module(
    module: ET.Element, reader: ElementReader
) -> tuple[HlsModule, tuple[HlsLoop, ...]]:
    """An element of ``ModuleInformation``, and its loops."""
    name = reader.text(module, "Name")
    inside = reader.inside(f"module {name!r}")
    inside.element(module, "PerformanceEstimates")
    # A second list of the loops, by which none can get lost unnoticed.
    trees = [tree for loops in module.findall("Loops") for tree in loops]
    listed = sorted(loop.tag for tree in trees for loop in tree.iter())
    found = sorted(loop.tag for loop in _loop_elements(module))
    inside.require(
        module.find("Loops") is None or listed == found,
        f"all loops in Loops must be described, and no others: {', '.join(listed) or 'none'}, "
        f"not {', '.join(found) or 'none'}",
    )
    return _estimates(module, name, inside), _read_loops(module, name, reader)


def _estimates(module: ET.Element, name: str, reader: ElementReader) -> HlsModule:
    """What a module is expected to take; in ``*_csynth.xml`` as in ``ModuleInformation``."""
    estimates = "PerformanceEstimates"
    clock = f"{estimates}/SummaryOfTimingAnalysis/EstimatedClockPeriod"
    text = (module.findtext(clock) or "").strip()
    known = text not in ("", "-", "undef")
    overall = f"{estimates}/SummaryOfOverallLatency"
    best = range_of(module.find(f"{overall}/Best-caseLatency"))
    worst = range_of(module.find(f"{overall}/Worst-caseLatency"))
    return HlsModule(
        name,
        reader.decimal(module, clock) if known else None,
        (best[0], worst[1]) if best is not None and worst is not None else None,
    )


def _read_module_file(path: Path) -> tuple[HlsModule, tuple[HlsLoop, ...]]:
    """The module that a ``*_csynth.xml`` is about, and its loops."""
    root = _root(path)
    problems = Problems(f"report {path}")
    reader = ElementReader(problems)
    name = reader.text(root, "UserAssignments/TopModelName")
    reader.element(root, "PerformanceEstimates")
    loops = _read_loops(root, name, reader)
    module = _estimates(root, name, reader)
    problems.raise_as(InputError)
    return module, loops


def _loop_elements(module: ET.Element) -> Iterator[ET.Element]:
    """All loops of a module, in the order of the file: outer before inner."""
    for summary in module.iterfind("PerformanceEstimates/SummaryOfLoopLatency"):
        for loop in summary:
            yield from _with_nested(loop)


def _with_nested(loop: ET.Element) -> Iterator[ET.Element]:
    """A loop and those inside it, which have a trip count as none of its other elements has."""
    yield loop
    for element in loop:
        if element.find("TripCount") is not None:
            yield from _with_nested(element)


def _read_loops(module: ET.Element, name: str, reader: ElementReader) -> tuple[HlsLoop, ...]:
    issues = _issues_of(module)
    loops = []
    for loop in _loop_elements(module):
        label = (loop.findtext("Name") or loop.tag).strip()
        inside = reader.inside(f"loop {label!r} of module {name!r}")
        ii = None
        if loop.find("PipelineII") is not None or loop.findtext("PipelineType") == "yes":
            ii = inside.count(loop, "PipelineII", least=1)
        depth = range_of(loop.find("IterationLatency" if ii is None else "PipelineDepth"))
        waiting = issues.get(loop.tag)
        issue, source = waiting.pop(0) if waiting else ("", "")
        loops.append(
            HlsLoop(
                module=name,
                name=label,
                ii=ii,
                depth=depth[1] if depth is not None else None,
                trip_count=range_of(loop.find("TripCount")),
                issue=issue,
                source=source,
                latency=range_of(loop.find("Latency")),
            )
        )
    return tuple(loops)


def _issues_of(module: ET.Element) -> dict[str, list[tuple[str, str]]]:
    """Issue and source of each loop, by its name, in the order of the loops of that name.

    Since 2023.2 only, and not always filled in where ``csynth.rpt`` names an issue.
    """
    issues: dict[str, list[tuple[str, str]]] = {}
    place = "PerformanceEstimates/SummaryOfViolations/SummaryOfLoopViolations"
    for summary in module.iterfind(place):
        for element in summary.iter():
            if element.find("IssueType") is None:
                continue
            texts = [
                (element.findtext(tag) or "").strip()
                for tag in ("IssueType", "ViolationType", "SourceLocation")
            ]
            kind, reason, source = ("" if text == "-" else text for text in texts)
            issue = ": ".join(text for text in (kind, reason) if text)
            issues.setdefault(element.tag, []).append((issue, source))
    return issues
