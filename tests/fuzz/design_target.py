"""What is asked of eie for each design file: refuse it, or take exactly what it says."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from eie.hls.boundary.errors import DesignError, EieError
from eie.hls.model.area import estimate
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import Kind, build_packet
from eie.host.project.generate import render
from eie.host.protocol.responses import read_design as read_answered_design
from fuzz.mutated_designs import mutated_design
from fuzz.valid_design import is_plain, read_design
from fuzz.verdict import Case, Fault, NotValid, Usage, no_crash

#: One accepted design in so many is rendered to a whole project, which takes a hundred times as
#: long as everything else.
_RENDERED = 500


class DesignTarget:
    """Mutated design files.

    Parameters
    ----------
    seed
        Of the campaign.
    folder
        For the files, in memory if possible.
    load
        What reads a file.
    """

    suffix = ".toml"

    def __init__(
        self, seed: int, folder: Path, load: Callable[[Path], Design] = Design.load
    ) -> None:
        self._seed, self._load = seed, load
        self._file, self._copy = folder / "case.toml", folder / "copy.toml"

    def make(self, number: int) -> Case:
        """Make a case."""
        return mutated_design(random.Random(f"{self._seed} designs {number}"))

    def judge(self, case: Case, number: int) -> str:
        """Load the file; what is taken is saved, loaded, reported, estimated and rendered."""
        self._file.write_bytes(case.data)
        refusal = design = None
        try:
            with no_crash("load"):
                design = self._load(self._file)
        except EieError as error:
            refusal = error
        try:
            expected = read_design(case.data)
        except NotValid as reason:
            if refusal is None:
                raise Fault("wrong acceptance", reason.cause, f"{reason}") from None
            return f"refused: {type(refusal).__name__}"
        if refusal is not None and not is_plain(case.data):
            return f"refused: {type(refusal).__name__}, and might have been taken"
        if refusal is not None:
            raise Fault("wrong refusal", case.story.split(":")[0], str(refusal))
        assert design is not None
        if repr(sorted(design.parameters().items())) != repr(sorted(expected.items())):
            raise Fault("wrong acceptance", "other parameters", f"{design}\n{expected}")
        with no_crash("save"):
            design.save(self._copy)
            copies = (self._load(self._copy), Design.from_toml(design.to_toml()))
        if any(copy != design or copy.id != design.id for copy in copies):
            raise Fault("wrong acceptance", "another design after saving and loading")
        with no_crash("identify"):
            answer = Emulator(design).process(build_packet(Kind.IDENTIFY, 1))
            reported = read_answered_design(np.frombuffer(answer, "<u8")[2:-2])
        # A record holds what matters to the hardware, and the clock, but not for which board it is,
        # nor with which margin it was synthesised.
        known = {"board": design.board, "clock_uncertainty": design.clock_uncertainty}
        if reported.replace(**known) != design:
            raise Fault("disagreement", "the accelerator reports another design", f"{reported}")
        with no_crash("estimate"):
            estimate(design)
        if number % _RENDERED == 0:
            try:
                with no_crash("render"):
                    project = render(design)
            except DesignError:
                return "accepted and right, too small for a project"
            if project["design.toml"] != design.to_toml():
                raise Fault("disagreement", "a project of another design")
            return "accepted and right, rendered"
        return "accepted and right"

    def reset(self) -> None:
        """Do nothing: nothing is kept from one case to the next."""

    def usage(self) -> Usage:
        """No process but the worker's."""
        return Usage()

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
