"""What is kept of a simulation of the RTL: beside it, and in the manifest of a build."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import InputError, Problems, ToolError
from eie.hls.boundary.text import shown
from eie.hls.tools.rtl.sources import RtlSources, rtl_folder

__all__ = ["RtlVerdict", "RunTime", "verdict_file", "verdict_of"]

_TYPES: Mapping[str, type] = {
    "passed": bool,
    "text": str,
    "simulator": str,
    "bench": str,
    "seed": int,
    "packets": int,
    "cycles": int,
    "rtl_sha256": str,
    "runs": list,
    "warnings": list,
}


@dataclass(frozen=True)
class RunTime:
    """How long a run took, beside what the model says."""

    #: Of the golden packet.
    name: str
    #: Cycles by the model, by the register ``cycles``, and between the beats on the streams.
    model: int
    register: int
    measured: int


@dataclass(frozen=True)
class RtlVerdict:
    """Whether the RTL was simulated before the bitstream was built, and how."""

    #: Whether it was simulated and found right. A build stops at RTL that was found wrong.
    passed: bool
    #: In one sentence; where it was not simulated, why.
    text: str
    #: Name and version of the simulator, and of the bench's packages; empty without one.
    simulator: str = ""
    bench: str = ""
    #: Seed of the stalls.
    seed: int = 0
    #: Packets played and clock cycles simulated, over all passes.
    packets: int = 0
    cycles: int = 0
    #: SHA-256 over all files of the RTL.
    rtl_sha256: str = ""
    #: Time of each run without stalls, beside the model's.
    runs: tuple[RunTime, ...] = field(default=())
    #: What to look at, and what could not be judged.
    warnings: tuple[str, ...] = field(default=())

    @classmethod
    def not_simulated(cls, reason: str) -> RtlVerdict:
        """The verdict without a simulation."""
        return cls(passed=False, text=f"RTL not simulated: {reason}")

    def to_document(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Any, problems: Problems) -> RtlVerdict | None:
        """Read what :meth:`to_document` gave; notes what is wrong, and then returns None."""
        if not problems.require(
            isinstance(document, dict), f"rtl must be an object, not {shown(document)}"
        ):
            return None
        good = True
        for name, kind in _TYPES.items():
            value = document.get(name)
            good &= problems.require(
                type(value) is kind,
                f"rtl.{name} must be of type {kind.__name__}, not {shown(value)}",
            )
        if not good:
            return None
        try:
            runs = tuple(RunTime(**run) for run in document["runs"])
        except TypeError as error:
            problems.require(False, f"rtl.runs must be times of runs: {error}")
            return None
        values = {name: document[name] for name in _TYPES}
        return cls(**values | {"runs": runs, "warnings": tuple(map(str, document["warnings"]))})

    def save(self, project: Path) -> Path:
        """Keep the verdict beside the RTL that it is of; returns the file."""
        target = verdict_file(project)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, json.dumps(self.to_document(), indent=2) + "\n")
        except OSError as error:
            raise ToolError(f"cannot write {target}: {error.strerror or error}") from error
        return target


def verdict_file(project: Path) -> Path:
    """Where the verdict on a project's RTL is kept."""
    return project.resolve() / "build" / "rtl" / "verdict.json"


def verdict_of(project: Path) -> RtlVerdict:
    """What is known of the RTL that a project has now; never that of an older one."""
    unknown = RtlVerdict.not_simulated("nobody ran `eie rtl-check` on this RTL")
    try:
        document = json.loads(verdict_file(project).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return unknown
    verdict = RtlVerdict.from_document(document, Problems("verdict"))
    if verdict is None or not verdict.passed:
        return verdict or unknown
    try:
        same = RtlSources.load(rtl_folder(project)).digest() == verdict.rtl_sha256
    except (InputError, OSError):
        same = False
    return verdict if same else unknown
