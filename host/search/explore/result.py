"""What is known of a point once it has been evaluated."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eie.hls.boundary.errors import Shortage
from eie.hls.boundary.tables import as_html, as_text
from eie.hls.model.area import LutBudget, demands, estimate
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import Design
from eie.host.search.judge import Merit
from eie.host.search.prediction import batch_vectors

__all__ = ["PointResult"]


@dataclass(frozen=True)
class PointResult:
    """A point, its design, what it takes and how fast it is."""

    #: :attr:`Point.key` of the point.
    key: str
    board: str
    #: Parameters of the design, by name.
    design: Mapping[str, Any]
    #: Cycles of one vector by the exact cycle model, whether the design fits its board or not: at
    #: least.
    cycles: int
    #: Cycles that pipeline stages add to them: assumed, not measured.
    allowance: int
    #: Microseconds of one vector with the allowance, at the design's clock, which is a target.
    latency_us: float
    #: Microseconds of a vector in a batch of :func:`eie.host.search.prediction.batch_vectors`, at
    #: least; None where throughput was no goal.
    batch_us: float | None
    #: Exact counts.
    bram36: int
    uram: int
    dsp: int
    #: The number of the range that is judged.
    lut: int
    #: Bits of all memories.
    memory_bits: int
    #: The largest share of one of the board's resources, and which; without a board 0 and "".
    share: float
    scarcest: str
    #: What the board or the parameters have too little of.
    shortages: tuple[Shortage, ...]

    @classmethod
    def of(
        cls,
        key: str,
        design: Design,
        cycles: int,
        lacking: tuple[Shortage, ...],
        batch_cycles: int | None = None,
        allowance: int = 0,
    ) -> PointResult:
        """Put the result of a point together."""
        clock = design.clock_mhz
        vectors = batch_vectors(design)
        batch_us = None if batch_cycles is None else batch_cycles / vectors / clock
        merit = Merit.of(design, (cycles + allowance) / clock, batch_us)
        return cls(
            key=key,
            board=design.board,
            cycles=cycles,
            allowance=allowance,
            shortages=lacking,
            **_fields(merit),
        )

    def within(self, budget: LutBudget) -> PointResult:
        """Judge its LUTs by another budget."""
        board = BOARDS.get(self.board)
        if budget == LutBudget() or board is None:
            return self
        *_, lut = demands(estimate(Design(**self.design)), board, budget)
        others = tuple(each for each in self.shortages if each.resource != lut.resource)
        over = Shortage(lut.resource, lut.takes, lut.allowed, lut.available)
        return dataclasses.replace(
            self, shortages=(*others, over) if lut.takes > lut.allowed else others
        )

    @property
    def fits(self) -> bool:
        """Whether the design fits its board."""
        return not self.shortages

    @property
    def lacks(self) -> tuple[str, ...]:
        """What there is too little of, in words."""
        return tuple(map(str, self.shortages))

    @property
    def merit(self) -> Merit:
        """What it is judged by."""
        return Merit(**{each.name: getattr(self, each.name) for each in dataclasses.fields(Merit)})

    @property
    def cost(self) -> float:
        """What is weighed against speed: the share of the board, without one bits of memory."""
        return self.merit.cost

    def __str__(self) -> str:
        return as_text(self._table())

    def _repr_html_(self) -> str:
        return as_html(self._table())

    def _table(self) -> list[tuple[str, str]]:
        each = self.design
        abreast = f", {each['abreast']} vectors abreast" if each["abreast"] > 1 else ""
        batch = []
        if self.batch_us is not None:
            batch = [("in a batch", f"at least {self.batch_us:g} us a vector")]
        return [
            ("board", self.board),
            ("design", f"{each['pes']} PEs, {each['index_bits']}-bit runs, {each['memory']}, "
             f"queues of {each['queue_depth']}{abreast}"),
            ("one vector", f"at least {self.cycles} cycles; {self.latency_us:g} us with "
             f"{self.allowance} for pipeline stages, at {each['clock_mhz']} MHz (a target)"),
            *batch,
            ("takes", f"{self.bram36} BRAM36, {self.uram} UltraRAM, {self.dsp} DSP, "
             f"{self.lut} LUTs (estimated)"),
            *(("lacks", text) for text in self.lacks),
        ]  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PointResult:
        """Read back what :meth:`as_json` gave."""
        shortages = tuple(Shortage(**each) for each in values["shortages"])
        return cls(**{**values, "shortages": shortages})


def _fields(merit: Merit) -> dict[str, Any]:
    return {each.name: getattr(merit, each.name) for each in dataclasses.fields(merit)}
