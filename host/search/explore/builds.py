"""Synthesise the designs of a front on build machines, with the same fan-out that evaluated them.

Never run with the real tool: it is not where this was written. Tests put a stub in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from eie.hls.boundary.errors import EieError
from eie.hls.spec.design import Design
from eie.hls.tools.reports import compare_project
from eie.hls.tools.vendor import run_hls
from eie.host.project.generate import generate
from eie.host.search.explore.fan_out import WAIT_SECONDS, fan_out
from eie.host.search.explore.identity import check_version, model_version
from eie.host.search.explore.result import PointResult

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
    workers: int = 1,
    path: str | None = None,
    wait: float = WAIT_SECONDS,
    on_notice: Callable[[str], None] = lambda _: None,
) -> Iterator[Build]:
    """Generate and synthesise each design; gives each as it is done.

    On a cluster each worker has one at a time, as a synthesis takes gigabytes and several threads.

    Parameters
    ----------
    front
        What to build.
    folder
        Where projects go; on a cluster a folder that its machines share.
    scheduler
        Address of a Dask scheduler; None for this machine.
    workers
        How many at a time on this machine.
    path
        Folders in which to look for the tools; ``PATH`` if it is None.
    wait, on_notice
        See :func:`eie.host.search.explore.fan_out.fan_out`.
    """
    # Two builds of one design would write to one folder.
    designs = list(dict.fromkeys(Design(**dict(result.design)) for result in front))
    shared = (str(folder.resolve()), path, model_version())
    with closing(
        fan_out(
            _build,
            shared,
            designs,
            scheduler=scheduler,
            workers=workers,
            alone=True,
            wait=wait,
            on_notice=on_notice,
        )
    ) as done:
        for _, build in done:
            yield build


def _build(shared: tuple[str, str | None, str], design: Design) -> Build:
    folder, path, version = shared
    # The identity leaves board and clock out.
    name = f"{design.board}-{design.pes}pe-{design.clock_mhz}mhz-{design.id:08x}"
    project = Path(folder) / name
    try:
        check_version(version)
        generate(design, project)
        run_hls(project, steps=("csynth",), path=path)
        return Build(design, str(project), compare_project(project).as_text(), True)
    except (EieError, OSError) as error:  # such as a folder that this machine cannot write
        return Build(design, str(project), str(error), False)
