"""What is known of a point once it has been evaluated."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eie.hls.model.resources import Estimate, Shortage, estimate
from eie.hls.spec.boards import BOARDS, Board
from eie.hls.spec.design import Design

__all__ = ["PointResult"]


@dataclass(frozen=True)
class PointResult:
    """A point, its design, what it takes and how fast it is."""

    #: :attr:`Point.key` of the point.
    key: str
    board: str
    #: Parameters of the design, by name.
    design: Mapping[str, Any]
    #: Cycles of one vector by the exact cycle model, whether the design fits its board or not.
    cycles: int
    #: Microseconds of one vector at the design's clock, which is a target.
    latency_us: float
    #: Exact counts.
    bram36: int
    uram: int
    dsp: int
    #: Middle of the uncalibrated range.
    lut: int
    #: Bits of all memories.
    memory_bits: int
    #: The largest share of one of the board's resources, and which; without a board 0 and "".
    share: float
    scarcest: str
    #: What the board or the parameters have too little of.
    lacks: tuple[str, ...]

    @classmethod
    def of(
        cls, key: str, design: Design, cycles: int, lacking: tuple[Shortage, ...]
    ) -> PointResult:
        """Put the result of a point together."""
        needs = estimate(design)
        board = BOARDS.get(design.board)
        share, scarcest = _scarcest(needs, board) if board else (0.0, "")
        return cls(
            key=key,
            board=design.board,
            design=design.parameters(),
            cycles=cycles,
            latency_us=round(cycles / design.clock_mhz, 3),
            bram36=needs.bram36,
            uram=needs.uram,
            dsp=needs.dsp,
            lut=sum(needs.lut) // 2,
            memory_bits=round(sum(memory.kibibits for memory in needs.memories) * 1024),
            share=round(share, 4),
            scarcest=scarcest,
            lacks=tuple(map(str, lacking)),
        )

    @property
    def fits(self) -> bool:
        """Whether the design fits its board."""
        return not self.lacks

    @property
    def cost(self) -> float:
        """What is weighed against latency: the share of the board, without one bits of memory."""
        return self.share if self.scarcest else self.memory_bits

    def as_json(self) -> dict[str, Any]:
        """Give the result as plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PointResult:
        """Read back what :meth:`as_json` gave."""
        return cls(**{**values, "lacks": tuple(values["lacks"])})


def _scarcest(needs: Estimate, board: Board) -> tuple[float, str]:
    shares = [
        (needs.bram36 / board.bram36, "BRAM36"),
        (needs.dsp / board.dsp, "DSP"),
        (sum(needs.lut) / 2 / board.lut, "LUT (uncalibrated)"),
    ]
    if board.uram:
        shares.append((needs.uram / board.uram, "UltraRAM"))
    return max(shares)
