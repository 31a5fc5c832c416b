"""The structure of a design's kernel, as a picture needs it: what is alike put together.

All of it is read from :func:`eie.hls.spec.dataflow.wire`, so what is added there turns up here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from eie.hls.model.area.blocks import kernel_blocks
from eie.hls.model.area.memories import OF_STREAM, Memory, memories_of
from eie.hls.model.area.processes.widths import element_bits
from eie.hls.spec.dataflow import DEPTHS, Process, Wiring
from eie.hls.spec.design import Design

__all__ = ["Link", "Stage", "Structure", "structure_of"]

#: Name of a process without number of children, and template arguments.
_NAME = re.compile(r"([a-z_]+?)(_\d+)?(?:<.*>)?")


@dataclass(frozen=True)
class Stage:
    """Processes of a kind that are as far from the packets' way in."""

    #: Name of the process, as its header in ``templates/kernel``.
    name: str
    #: Streams between the first process and these, on the longest way.
    rank: int
    #: The processes, in the order of the wiring.
    processes: tuple[Process, ...]
    #: Memories of all of them.
    memories: tuple[Memory, ...]
    #: Whether it writes streams of an array: it is of the PEs, or of the trees to and from them.
    in_array: bool

    @property
    def is_tree(self) -> bool:
        """Whether these are nodes of a tree: their names say how many ways they have."""
        return all(_match(each)[2] for each in self.processes)


@dataclass(frozen=True)
class Link:
    """Streams of a name from one stage to another."""

    #: Name in C++, and what it carries.
    name: str
    text: str
    #: Elements that each holds, and bits of an element.
    depth: int
    bits: int
    #: Number of the stage that writes them, and of the one that reads them.
    source: int
    target: int
    #: For each stream, which process of either stage it joins.
    ends: tuple[tuple[int, int], ...]
    #: Whether it leads back, to a stage in front.
    back: bool
    #: The memory that it is, where it has one of its own.
    memory: Memory | None = None


@dataclass(frozen=True)
class Structure:
    """All stages, in order of rank, and the links between them."""

    stages: tuple[Stage, ...]
    links: tuple[Link, ...]


def structure_of(design: Design, wiring: Wiring) -> Structure:
    """Put the processes and streams of a wiring together.

    Parameters
    ----------
    design
        The design.
    wiring
        Its wiring, as :func:`eie.hls.spec.dataflow.wire` gives it.
    """
    processes = wiring.processes
    writer = {name: number for number, each in enumerate(processes) for name in each.writes}
    reader = {name: number for number, each in enumerate(processes) for name in each.reads}
    joined = [(name, writer[name], reader[name]) for name in writer if name in reader]
    back = _leading_back(joined, len(processes))
    ranks = _ranks([each for each in joined if each[0] not in back], len(processes))
    arrays = {each.name for each in wiring.streams if each.count is not None}
    members: dict[tuple[int, str], list[int]] = defaultdict(list)
    for number, process in enumerate(processes):
        members[ranks[number], name_of(process)].append(number)
    homes = _homes(design)
    stages: list[Stage] = []
    place = {}
    for (rank, name), numbers in sorted(members.items()):
        for within, number in enumerate(numbers):
            place[number] = (len(stages), within)
        of_stage = tuple(processes[number] for number in numbers)
        written = {stream.split("[")[0] for each in of_stage for stream in each.writes}
        stages.append(
            Stage(name, rank, of_stage, tuple(homes.pop(name, ())), bool(written & arrays))
        )
    return Structure(tuple(stages), _links(design, wiring, joined, place, back))


def name_of(process: Process) -> str:
    """Name of a process, as its header has it."""
    return str(_match(process)[1])


def _match(process: Process) -> re.Match[str]:
    found = _NAME.fullmatch(process.function)
    assert found is not None, process.function
    return found


def _leading_back(joined: list[tuple[str, int, int]], count: int) -> set[str]:
    """Streams that close a circle, when one goes the way of the packets from the first process."""
    after: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for name, source, target in joined:
        after[source].append((name, target))
    found: set[str] = set()
    state = [0] * count  # 1 on the way, 2 done

    def visit(process: int) -> None:
        state[process] = 1
        for name, target in after[process]:
            if state[target] == 1:
                found.add(name)
            elif state[target] == 0:
                visit(target)
        state[process] = 2

    for process in range(count):
        if state[process] == 0:
            visit(process)
    return found


def _ranks(joined: list[tuple[str, int, int]], count: int) -> list[int]:
    """Streams on the longest way to each process."""
    ranks = [0] * count
    for _ in range(count):
        changed = False
        for _, source, target in joined:
            if ranks[target] <= ranks[source]:
                ranks[target], changed = ranks[source] + 1, True
        if not changed:
            break
    return ranks


def _homes(design: Design) -> dict[str, list[Memory]]:
    """Memories by the process that has them: that which lists them among its parts."""
    memories = {each.name: each for each in memories_of(design)}
    homes: dict[str, list[Memory]] = defaultdict(list)
    for block in kernel_blocks(design):
        if block.name.startswith("stream "):
            continue
        process = block.name.split()[0].split("_of_")[0]
        held = (memories[part.name] for part in block.parts if part.name in memories)
        homes[process] += [each for each in dict.fromkeys(held) if each not in homes[process]]
    return homes


def _links(
    design: Design,
    wiring: Wiring,
    joined: list[tuple[str, int, int]],
    place: dict[int, tuple[int, int]],
    back: set[str],
) -> tuple[Link, ...]:
    depths = {each.name: each.elements for each in DEPTHS.values()} | {
        "kQueueDepth": design.queue_depth,
        "kResultDepth": design.result_depth,
        "kHiddenWords": design.hidden_words,
    }
    bits = element_bits(design)
    memories = {each.name: each for each in memories_of(design)}
    links = []
    for stream in wiring.streams:
        between: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        leads_back = False
        for name, source, target in joined:
            if name.split("[")[0] == stream.name:
                (first, one), (second, other) = place[source], place[target]
                between[first, second].append((one, other))
                leads_back |= name in back
        for (first, second), ends in between.items():
            links.append(
                Link(
                    stream.name,
                    stream.text,
                    depths[stream.depth],
                    bits[stream.element],
                    first,
                    second,
                    tuple(ends),
                    leads_back,
                    memories.get(OF_STREAM.get(stream.name, "")),
                )
            )
    return tuple(links)
