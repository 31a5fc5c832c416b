"""Blocks with some of their parts exchanged: what a kernel would take that was changed so.

Rules name blocks and parts as the lists of :mod:`eie.hls.model.area.processes` do. One that finds
nothing is an error, so that a rule goes with the part that it is about.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from eie.hls.model.area.part import Block, Part

__all__ = ["Edit", "Rule", "rewritten", "times", "wider"]

#: What comes in place of a part.
Edit = Callable[[Part], Sequence[Part]]


@dataclass(frozen=True)
class Rule:
    """What becomes of a part of some blocks, or what they get in addition."""

    #: Regular expression of the whole name of the block.
    block: str
    #: Name of the part; "" for one that comes in addition, once a block.
    part: str
    #: Given the part, or for a new one the block's last part, what is in its place.
    edit: Edit


def times(count: int) -> Edit:
    """So many of each."""
    return lambda each: (dataclasses.replace(each, count=count * each.count),)


def wider(bits: int) -> Edit:
    """Wider, or with a negative number narrower, by so many bits; no part has fewer than one."""

    def edit(each: Part) -> Sequence[Part]:
        sizes = tuple(
            (name, max(1, size + bits) if name == "width" else size) for name, size in each.sizes
        )
        return (dataclasses.replace(each, sizes=sizes),)

    return edit


def rewritten(blocks: Iterable[Block], rules: Sequence[Rule]) -> tuple[Block, ...]:
    """Apply every rule to every block; several rules for a part act one after another.

    Raises
    ------
    LookupError
        If a rule finds no part.
    """
    found = list(blocks)
    for rule in rules:
        before, met = found, False
        found = []
        for block in before:
            if not re.fullmatch(rule.block, block.name):
                found.append(block)
                continue
            parts: list[Part] = []
            for each in block.parts:
                hit = each.name == rule.part
                met |= hit
                parts += rule.edit(each) if hit else (each,)
            if not rule.part:
                met = True
                parts += rule.edit(block.parts[-1])
            found.append(dataclasses.replace(block, parts=tuple(parts)))
        if not met:
            raise LookupError(f"no part {rule.part!r} in a block like {rule.block!r}")
    return tuple(found)
