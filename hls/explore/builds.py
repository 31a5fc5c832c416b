"""Synthesise the designs of a front on build machines, with the same fan-out that evaluated them.

Never run with the real tool: it is not where this was written. Tests put a stub in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eie.hls.design import Design
from eie.hls.explore.fan_out import fan_out
from eie.hls.explore.result import PointResult
from eie.hls.generator import generate
from eie.hls.reports import compare_project
from eie.hls.toolchain import run_hls
from eie.host.errors import EieError

__all__ = ["Build", "build_front"]


@dataclass(frozen=True)
class Build:
    """A design that was given to the tool."""

    design: Design
    #: The project, on the machine that built it.
    project: str
    #: Reports beside the estimate, or what went wrong.
    text: str
    succeeded: bool


def build_front(
    front: Sequence[PointResult],
    folder: Path,
    *,
    scheduler: str | None = None,
    workers: int | None = 1,
    path: str | None = None,
) -> Iterator[Build]:
    """Generate and synthesise each design; gives each as it is done.

    Parameters
    ----------
    front
        What to build.
    folder
        Where projects go; on a cluster a folder that its machines share.
    scheduler, workers
        Where to run; on this machine one at a time, as a synthesis takes gigabytes.
    path
        Folders in which to look for the tools; ``PATH`` if it is None.
    """
    designs = [Design(**dict(result.design)) for result in front]
    shared = (str(folder.resolve()), path)
    for _, build in fan_out(_build, shared, designs, scheduler=scheduler, workers=workers):
        yield build


def _build(shared: tuple[str, str | None], design: Design) -> Build:
    folder, path = shared
    project = Path(folder) / f"{design.board}-{design.pes}pe-{design.id:08x}"
    try:
        generate(design, project)
        run_hls(project, steps=("csynth",), path=path)
        return Build(design, str(project), compare_project(project).as_text(), True)
    except EieError as error:
        return Build(design, str(project), str(error), False)
