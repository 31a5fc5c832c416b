"""A part of a process: an operator in a size, some number of times; and a process made of parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from eie.hls.model.area.cost import Cost
from eie.hls.model.area.operator_table import Family, operator_cost

__all__ = ["Block", "Part", "control", "fixed", "part", "register"]


@dataclass(frozen=True)
class Part:
    """Operators of a kind in a process."""

    #: What it is in the process, in the words of its C++.
    name: str
    #: Operator in the table; empty where the cost is given.
    operator: str
    #: Its sizes by parameter.
    sizes: tuple[tuple[str, int], ...]
    #: How many of them there are.
    count: int
    #: What each takes where no operator says it: block RAMs, IP of the block design.
    given: Cost = field(default_factory=Cost)

    def cost(self, family: Family) -> Cost:
        """Look up what all of them take on a family of parts."""
        one = operator_cost(family, self.operator, self.sizes) if self.operator else self.given
        return one * self.count

    @property
    def size_text(self) -> str:
        """Sizes as people write them: ``32 x 68``."""
        return " x ".join(str(size) for _, size in self.sizes)


@dataclass(frozen=True)
class Block:
    """Processes of a kind, streams, or cells of the block design, with their parts."""

    #: Name: that of the process.
    name: str
    #: How many of them there are.
    count: int
    #: Parts of one of them.
    parts: tuple[Part, ...]

    def cost(self, family: Family) -> Cost:
        """What one of them takes on a family of parts."""
        return sum((each.cost(family) for each in self.parts), Cost())


def part(name: str, operator: str, count: int = 1, **sizes: int) -> Part:
    """Make a part: ``part("beats left", "add", width=32)``."""
    return Part(name, operator, tuple(sizes.items()), count)


def register(name: str, width: int, count: int = 1) -> Part:
    """Bits that are kept from cycle to cycle, or from stage to stage."""
    return part(name, "register", count, width=width)


def fixed(name: str, cost: Cost, count: int = 1) -> Part:
    """Something of which the cost is known."""
    return Part(name, "", (), count, cost)


def control(states: int, loops: Mapping[str, int]) -> Iterable[Part]:
    """What HLS puts around a process: states, start and done, and its pipelined loops.

    Parameters
    ----------
    states
        States of the process's machine: one for each access to a stream outside loops, two around
        each loop. Read from the C++, as no schedule exists.
    loops
        Pipelined loops by label, with the stages that each is expected to have. Each becomes a
        module of its own.
    """
    yield part("states", "states", width=max(states, 2))
    yield part("start and done of the process", "process_handshake", width=1)
    for label, stages in loops.items():
        yield part(f"loop {label}: pipeline", "pipeline", width=max(stages, 2))
        yield part(f"loop {label}: start and done", "loop_handshake", width=1)
