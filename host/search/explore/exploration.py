"""Explore the designs of a network: evaluate a grid in parallel, keep what is known, sum it up."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.tables import as_html
from eie.hls.boundary.text import counted
from eie.hls.model.area import JUDGED, Edge, LutBudget
from eie.hls.spec.design import NO_BOARD
from eie.host.network import Network
from eie.host.packing.row_assignment import Assignment
from eie.host.search.explore.evaluation import evaluate, groups
from eie.host.search.explore.fan_out import WAIT_SECONDS, fan_out
from eie.host.search.explore.grid import Grid, Point
from eie.host.search.explore.identity import check_version, model_version, network_hash
from eie.host.search.explore.pareto import pareto_front, pareto_table
from eie.host.search.explore.pick import FRONT_FORMAT, FRONT_NAME
from eie.host.search.explore.plot import draw
from eie.host.search.explore.result import PointResult
from eie.host.search.explore.store import Header, Store
from eie.host.search.judge import BY_LATENCY, Goal, Judge, check_lut_budget

__all__ = ["Exploration", "Progress", "explore"]


@dataclass(frozen=True)
class Progress:
    """How far an exploration is."""

    done: int
    total: int
    #: Points that an earlier call had evaluated.
    found: int
    seconds: float

    def __str__(self) -> str:
        rate = (self.done - self.found) / self.seconds if self.seconds else 0.0
        left = f"{(self.total - self.done) / rate:.0f} s left" if rate else "time left unknown"
        return f"{self.done} of {self.total} points, {rate:.0f}/s, {left}"


@dataclass(frozen=True)
class Exploration:
    """What was found."""

    #: Results of the grid's points, in its order.
    results: tuple[PointResult, ...]
    #: Those worth looking at, the best first: :func:`eie.host.search.explore.pareto.pareto_front`.
    front: tuple[PointResult, ...]
    #: What they rest on.
    header: Header
    #: Points that were evaluated now; the others were in the file.
    evaluated: int
    seconds: float
    #: By what the front is ordered.
    judge: Judge = BY_LATENCY

    def __str__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        return as_html([(line,) for line in self.as_text().splitlines()])

    def as_text(self) -> str:
        """Give the front as a table, and a line on everything else."""
        fitting = sum(result.fits for result in self.results)
        lines = [pareto_table(self.front), ""] if self.front else []
        lines.append(
            f"{counted(len(self.results), 'point')}, {fitting} of which fit; {self.evaluated} "
            f"evaluated in {self.seconds:.0f} s. Cycles by the exact cycle model; clocks are "
            "targets, LUTs estimated: nothing was synthesised."
        )
        limit = self.judge.latency_us
        if limit is not None and self.front and self.judge.missed_by(self.front[0].merit):
            lines.append(f"no design that fits takes at most {limit:g} us for one vector")
        if not fitting and self.results:
            closest = min(self.results, key=lambda result: result.share)
            pes = counted(closest.design["pes"], "PE")
            on = "" if closest.board == NO_BOARD else f" on {closest.board}"
            lines.append(f"no design fits; the closest, {pes}{on}, lacks:")
            lines += [f"  - {lack}" for lack in closest.lacks]
        return "\n".join(lines)

    def save(self, folder: Path) -> list[Path]:
        """Write table, CSV of all points, JSON of the front and plot; returns their paths."""
        paths = [folder / name for name in ("pareto.txt", "points.csv", FRONT_NAME)]
        texts = [self.as_text() + "\n", _csv(self.results), self._json()]
        for path, text in zip(paths, texts, strict=True):
            write_whole(path, text)
        draw(self.results, self.front, folder / "pareto.png")
        return [*paths, folder / "pareto.png"]

    def _json(self) -> str:
        found = {"format": FRONT_FORMAT, **dataclasses.asdict(self.header)}
        found |= {"points": len(self.results), "goal": self.judge.goal}
        front = [result.as_json() for result in self.front]
        return json.dumps({**found, "front": front}, indent=1) + "\n"


def explore(
    network: Network,
    grid: Grid,
    folder: Path,
    *,
    assignment: Assignment = "balanced",
    goal: Goal | None = None,
    latency_us: float | None = None,
    lut_budget: float | None = None,
    lut_edge: Edge | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    wait: float = WAIT_SECONDS,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_notice: Callable[[str], None] = lambda _: None,
) -> Exploration:
    """Evaluate every point of `grid` that `folder` does not hold yet.

    Parameters
    ----------
    network
        The network. Cycles are those of its first golden vector, or of a random one.
    grid
        What to look at.
    folder
        Where ``points.jsonl`` grows; interrupted, the same call goes on where it stopped.
    assignment
        How rows are dealt to PEs.
    goal, latency_us, lut_budget, lut_edge
        By what the front is ordered, and what fits, as :func:`eie.host.search.fit.fit` takes them.
        For throughput a batch is counted, too, which takes four times as long; points that were
        evaluated without are evaluated again. The others ask for no new evaluation.
    scheduler, workers, wait, on_notice
        Where to run: see :func:`eie.host.search.explore.fan_out.fan_out`.
    on_progress
        Called now and then.

    Raises
    ------
    InputError
        If goal, limit or budget are none, `folder` holds results of something else, or the
        scheduler does not answer.
    ToolError
        If Dask is not installed, a worker has another version of eie, or scheduler or workers are
        gone for good; ``points.jsonl`` keeps what it has.
    """
    points = list(grid)
    judge = Judge(goal or ("latency" if latency_us is None else "area"), latency_us)
    check_lut_budget(lut_budget, lut_edge)
    budget = LutBudget(lut_budget, lut_edge or JUDGED)
    batch = goal == "throughput"
    started = time.monotonic()
    header = Header(network_hash(network), model_version(), assignment)
    with Store(folder / "points.jsonl", header) as store:
        known = {
            key for key, each in store.results.items() if not batch or each.batch_us is not None
        }
        missing = [point for point in points if point.key not in known]
        found = len(points) - len(missing)
        done = found
        work = groups(missing)
        shared = (network, assignment, header.version, batch)
        with closing(
            fan_out(
                _evaluate,
                shared,
                work,
                scheduler=scheduler,
                workers=workers,
                wait=wait,
                on_notice=on_notice,
            )
        ) as evaluated:
            for group, results in evaluated:
                store.add(results)
                done += len(group)
                on_progress(Progress(done, len(points), found, time.monotonic() - started))
        ordered = tuple(store.results[point.key].within(budget) for point in points)
    return Exploration(
        results=ordered,
        front=tuple(pareto_front(ordered, judge)),
        header=header,
        evaluated=len(missing),
        seconds=time.monotonic() - started,
        judge=judge,
    )


def _evaluate(
    shared: tuple[Network, Assignment, str, bool], points: Sequence[Point]
) -> list[PointResult]:
    network, assignment, version, batch = shared
    check_version(version)
    return evaluate(network, points, assignment, batch=batch)


def _csv(results: Sequence[PointResult]) -> str:
    text = io.StringIO()
    names = [
        "cycles",
        "allowance",
        "latency_us",
        "batch_us",
        "bram36",
        "uram",
        "dsp",
        "lut",
        "memory_bits",
        "share",
    ]
    parameters = list(results[0].design) if results else []
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*parameters, *names, "scarcest", "lacks"])
    for result in results:
        values: Mapping[str, Any] = result.as_json()
        writer.writerow(
            [
                *(result.design[name] for name in parameters),
                *(values[name] for name in names),
                result.scarcest,
                "; ".join(result.lacks),
            ]
        )
    return text.getvalue()
