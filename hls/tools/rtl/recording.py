"""What the bench hands over and gives back, as JSON: plain values, so that it can judge nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["JOB", "SEEN", "BeatSeen", "ExchangeSeen", "Pass", "PassSeen"]

#: Environment variables with the file that the bench reads, and the one that it writes.
JOB, SEEN = "EIE_RTL_JOB", "EIE_RTL_SEEN"


@dataclass(frozen=True)
class Pass:
    """One time that all packets are played, after a reset."""

    name: str
    #: Seed of the stalls.
    seed: int
    #: Chance that a stall begins in a cycle, on the stream in and out.
    stall_in: float
    stall_out: float
    #: Longest stall, in cycles.
    longest: int


@dataclass(frozen=True)
class BeatSeen:
    """A beat that was taken."""

    #: Cycle since the reset.
    cycle: int
    #: Cycles so far in which the answer's stream had a beat and was not ready for it.
    stalled: int
    data: int = 0
    keep: int = 0
    strb: int = 0
    last: bool = False


@dataclass
class ExchangeSeen:
    """What came of one request."""

    name: str
    request: list[BeatSeen] = field(default_factory=list)
    answer: list[BeatSeen] = field(default_factory=list)
    registers: dict[str, int] = field(default_factory=dict)
    #: Breaches of the stream's protocol, in words.
    breaches: list[str] = field(default_factory=list)
    #: What was waited for in vain, or empty.
    hang: str = ""


@dataclass
class PassSeen:
    """What came of all requests of a pass; it ends early after a hang."""

    name: str
    exchanges: list[ExchangeSeen] = field(default_factory=list)
    #: Registers after the reset.
    registers: dict[str, int] = field(default_factory=dict)
    #: Cycles that the pass took.
    cycles: int = 0
    #: What was waited for in vain before the first packet, or empty.
    hang: str = ""

    def to_document(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> PassSeen:
        """Back from what :meth:`to_document` gave."""
        exchanges = [
            ExchangeSeen(
                **{
                    **each,
                    "request": [BeatSeen(**beat) for beat in each["request"]],
                    "answer": [BeatSeen(**beat) for beat in each["answer"]],
                }
            )
            for each in document["exchanges"]
        ]
        return cls(**{**document, "exchanges": exchanges})
