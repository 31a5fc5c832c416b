"""From a model to a report in one folder: steps that are kept where nothing changed.

A step that was done already with the same inputs is kept (:mod:`eie.host.flow.record`); one that
fails leaves those before it.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eie.hls.boundary.errors import (
    DeviceTimeoutError,
    EieError,
    EieWarning,
    InputError,
    ToolError,
)
from eie.hls.boundary.file_kinds import MODELS, identify, is_regular, refusal
from eie.hls.boundary.progress import tell
from eie.hls.boundary.text import listed
from eie.hls.boundary.voice import argument
from eie.hls.boundary.warning import warn
from eie.hls.spec.boards import find_board
from eie.host.flow.data import ModelSizes, refuse_all
from eie.host.flow.reading import sizes_of, sizes_of_whole
from eie.host.flow.record import FlowRecord, Said, hash_of
from eie.host.flow.sequence_data import check_model_data
from eie.host.flow.steps import FILES, LeftOutError, Step, Steps
from eie.host.flow.task import FlowTask
from eie.host.network import Network

__all__ = ["Flow", "StepDone"]

#: What a step fails of that is no fault of its inputs.
_SURROUNDINGS = (ToolError, DeviceTimeoutError, ImportError, OSError)


@dataclass(frozen=True)
class StepDone:
    """What a step did."""

    #: One of :data:`eie.host.flow.steps.STEPS`.
    name: str
    #: What it found, a line each.
    lines: tuple[str, ...]
    #: Whether it was done before, with the same inputs.
    kept: bool
    #: Whether it was left out, for the reason in `lines`.
    left_out: bool = False
    #: Why it was done again; empty the first time.
    why: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Flow(FlowTask):
    """A model, a board, and the folder where everything from network to report goes.

    Attributes are those of :class:`~eie.host.flow.task.FlowTask`; :meth:`run` does the steps.
    """

    def run(self) -> Iterator[StepDone]:
        """Do the steps one after another.

        Yields
        ------
        StepDone
            As soon as the step is done.

        Raises
        ------
        InputError
            Before anything is done: if board, labels, inputs, model or folder are not what they
            must be, or the folder holds the work of another model; names all of it.
        EieError
            If a step fails; names it and says what to do. Those before it stay.

        Warns
        -----
        EieWarning
            What steps warned of, those that are kept too.
        """
        steps = Steps(self)
        record = FlowRecord(self.out)
        if self.start_over:
            record.model_hash = ""
        self._check(steps, record)
        self.out.mkdir(parents=True, exist_ok=True)
        record.begin(self.model, hash_of(self.model))
        with contextlib.closing(steps):
            for step in steps.all:
                yield self._done(step, record)

    def _done(self, step: Step, record: FlowRecord) -> StepDone:
        """Do a step, or find that it was done."""
        name, given = step.name, step.inputs()
        if record.kept(name, given, step.files):
            said = record.said(name)
            for category, text in said.warnings:
                warn(text, category)
            return StepDone(name, said.lines, kept=True)
        why = record.why(name, given, step.files)
        tell(name)
        try:
            said = _do(step)
            record.add(name, given, step.files, said)
        except LeftOutError as reason:
            for file in step.files:  # of an earlier run, with other inputs
                (self.out / file).unlink(missing_ok=True)
            return StepDone(name, (str(reason),), kept=False, left_out=True)
        except (EieError, ImportError, OSError) as error:
            raise EieError(f"step {name} failed: {error}\n{self._after(error, record)}") from error
        return StepDone(name, said.lines, kept=False, why=tuple(why))

    def _after(self, error: Exception, record: FlowRecord) -> str:
        """Say what becomes of the steps before one that failed."""
        before = "nothing was done before it"
        if record.steps:
            before = f"what was done before it is kept in {self.out}"
        if isinstance(error, _SURROUNDINGS) or isinstance(error.__cause__, OSError):
            return f"{before}: with that put right, the same command goes on from there"
        if isinstance(error, InputError):
            return f"{before}; the same command would fail again, so change what it says first"
        return before

    # Before the first step -----------------------------------------------------------------

    def _check(self, steps: Steps, record: FlowRecord) -> None:
        problems = list(self._problems())
        kind = identify(self.model).name
        known = kind in MODELS | {"network"}
        if not known:
            problems.insert(0, refusal(self.model, "model"))
        if is_regular(self.out):
            problems.append(f"{self.out} must be a folder, not a file")
        elif known:
            problems += self._in_the_way(record)
        if not known:  # nor what the data must be
            refuse_all(problems)
        sizes = self._sizes(steps, record)
        problems += steps.density_problems()
        steps.data = check_model_data(
            self.inputs,
            self.labels,
            sizes,
            name=self._name("inputs", "X.npy"),
            labels_name=self._name("labels", "LABELS.npy"),
            problems=problems,
        )

    def _name(self, what: str, source: str) -> str:
        return f"{what} in {self.sources[source]}" if source in self.sources else what

    def _problems(self) -> Iterator[str]:
        try:
            find_board(self.board)
        except InputError as error:
            yield str(error)
        density, keep = argument("density"), argument("keep_weights")
        if identify(self.model).name == "network":
            if self.keep_weights or self.density is not None:
                yield f"{self.model} is compressed already: {density} and {keep} must not be given"
            if self.cut:
                yield f"{self.model} is compressed already: {argument('cut')} must not be given"
        elif self.keep_weights and self.density is not None:
            yield f"{density} must not be given with {keep}: nothing is pruned"

    def _in_the_way(self, record: FlowRecord) -> Iterator[str]:
        """Name what the folder holds that is not of this model."""
        instead = (
            f"give another {argument('out')}, or {argument('start_over', True)} to replace its work"
        )
        if self.start_over or record.model_hash == hash_of(self.model):
            return
        if record.model_hash:
            done = f" (done: {', '.join(record.steps)})" if record.steps else ""
            if Path(record.model).absolute() == self.model.absolute():
                yield f"{self.out} was made from {self.model} before it changed{done}: {instead}"
            else:
                yield (
                    f"{self.out} holds the work of another model, made from {record.model}{done}: "
                    f"{instead}"
                )
            return
        there = [name for names in FILES.values() for name in names if (self.out / name).exists()]
        if there:
            yield (
                f"{self.out} holds {listed(there)}, of which no record says what they were made "
                f"from: {instead}"
            )

    def _sizes(self, steps: Steps, record: FlowRecord) -> ModelSizes:
        """What data must agree with: of the network that is there already, or of the model."""
        compress = steps.all[0]
        if record.kept("compress", compress.inputs(), compress.files):
            return sizes_of(steps.network) if steps.host is None else sizes_of_whole(steps.host)
        return sizes_of(steps.parts or Network.load(self.model))


def _do(step: Step) -> Said:
    """Do a step; its warnings go out, and are kept with what it said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EieWarning)
        lines = step.do()
    told = []
    for each in caught:
        if issubclass(each.category, EieWarning):
            told.append((each.category, str(each.message)))
            warn(each.message)
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    return Said(tuple(lines), tuple(told))
