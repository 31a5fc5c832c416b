"""Which processes and streams the kernel of a design has, and how they are joined.

The generated ``eie.cpp`` lists exactly this; the checks of the generated C++ and the diagram in
the documentation use it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATION_BITS, ACTIVATIONS_PER_BEAT
from eie.hls.spec.registers import PORTS

__all__ = [
    "BLOCKS",
    "DEPTHS",
    "RADIX",
    "Depth",
    "Process",
    "Stream",
    "Wiring",
    "blocks_of",
    "wire",
]

#: Parts of the kernel with a top function of their own, ``block_NAME`` in ``blocks/NAME.cpp``.
#: Named as their process, but for ``pe``, which has both of a PE; ``collect`` has a gather tree,
#: ``receive`` and ``send`` the process beside them that makes CRCs.
BLOCKS = (
    "receive",
    "control_activations",
    "detect_nonzero",
    "broadcast",
    "pe",
    "cell",
    "collect",
    "send",
)

#: Children of a node of the trees.
RADIX = 4


@dataclass(frozen=True)
class Depth:
    """A stream depth that no design changes."""

    #: C++ constant.
    name: str
    #: Elements.
    elements: int
    #: Where it is used, and why it is that deep.
    text: str


#: By what they join; how many columns and results wait in a PE is up to the design. 31 and not 32,
#: as a FIFO of the tool's may have a place more than it was asked for: a second LUT for each bit.
DEPTHS = {
    "stream": Depth("kStreamDepth", 2, "Most streams: two is enough to pass an element a cycle."),
    "fetch": Depth(
        "kFetchDepth",
        8,
        "Activations in front of a PE; what meets entries there waits behind its fetch.",
    ),
    "input": Depth(
        "kInputDepth",
        31,
        "Words of input vectors that wait while hidden layers have their turn.",
    ),
    "command": Depth(
        "kCommandDepth", 8, "Commands to the collector, which is a layer or two behind."
    ),
    "output": Depth(
        "kOutputDepth", 31, "Words of results that wait for the sender, so that the PEs need not."
    ),
}


@dataclass(frozen=True)
class Stream:
    """A declared stream, or an array of them."""

    #: Name in C++.
    name: str
    #: C++ type of an element.
    element: str
    #: C++ constant for its depth.
    depth: str
    #: Number of streams in the array, or None for a single one.
    count: int | None
    #: What it carries.
    text: str
    #: What its FIFO is made of, as BIND_STORAGE names it.
    fifo: Literal["bram", "srl"] = "srl"


@dataclass(frozen=True)
class Process:
    """A call in the dataflow region."""

    #: Function in C++, template arguments included.
    function: str
    #: Streams that it reads, in the order of its parameters.
    reads: tuple[str, ...]
    #: Streams that it writes.
    writes: tuple[str, ...]
    #: All arguments in order: streams and top-level ports.
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Wiring:
    """The whole dataflow region."""

    streams: tuple[Stream, ...]
    processes: tuple[Process, ...]


def _process(function: str, reads: list[str], writes: list[str], *ports: str) -> Process:
    return Process(function, tuple(reads), tuple(writes), (*reads, *writes, *ports))


def _array(name: str, count: int) -> list[str]:
    return [f"{name}[{index}]" for index in range(count)]


def _groups(names: list[str]) -> list[list[str]]:
    """Four names at a time; numbers that are powers of two leave a group of one or two at most."""
    return [names[start : start + RADIX] for start in range(0, len(names), RADIX)]


def _broadcast_tree(pes: int, streams: list[Stream]) -> list[Process]:
    """Nodes from the LNZD's stream down to the queues, root first."""
    children, level, node = _array("queue", pes), 0, 0
    processes: list[Process] = []
    while True:
        groups = _groups(children)
        parents = ["activations"]
        if len(groups) > 1:
            name = f"branch_{level}"
            streams.append(
                Stream(name, "Token", "kStreamDepth", len(groups), "down the broadcast tree")
            )
            parents = _array(name, len(groups))
        nodes = []
        for parent, group in zip(parents, groups, strict=True):
            leaf = "true" if level == 0 else "false"
            nodes.append(_process(f"broadcast_{len(group)}<{node}, {leaf}>", [parent], group))
            node += 1
        processes = nodes + processes
        if len(groups) == 1:
            return processes
        children, level = parents, level + 1


def _gather_tree(pes: int, streams: list[Stream]) -> tuple[list[Process], str]:
    """Nodes from the PEs' results to one stream of words; also that stream's name."""
    processes = []
    names = _array("results", pes)
    # An activation and the mark of a saturated one; as many of them as a beat has.
    result, beat = ACTIVATION_BITS + 1, ACTIVATIONS_PER_BEAT * (ACTIVATION_BITS + 1)
    for bits, name, element in ((result, "beats", "ResultBeat"), (beat, "words", "ResultWord")):
        groups = _groups(names)
        streams.append(
            Stream(name, element, "kStreamDepth", len(groups), "results, up the gather tree")
        )
        outs = _array(name, len(groups))
        processes += [
            _process(f"gather_{len(group)}<{bits}>", group, [out])
            for group, out in zip(groups, outs, strict=True)
        ]
        names = outs
    burst = 1
    while len(names) > 1:
        groups = _groups(names)
        name = f"merged_{burst}"
        streams.append(
            Stream(name, "ResultWord", "kStreamDepth", len(groups), "words in order of rows")
        )
        outs = _array(name, len(groups))
        processes += [
            _process(f"merge_{len(group)}<{burst}>", group, [out])
            for group, out in zip(groups, outs, strict=True)
        ]
        burst *= RADIX
        names = outs
    return processes, names[0]


def blocks_of(design: Design) -> tuple[str, ...]:
    """Parts that the kernel of `design` has: only one with cell units has a cell."""
    return tuple(each for each in BLOCKS if each != "cell" or design.cell_units)


def wire(design: Design) -> Wiring:
    """Join the processes of `design`."""
    pes, groups = design.pes, design.abreast > 1
    words: Literal["bram", "srl"] = "bram" if design.small_memory("words") == "bram" else "srl"
    hidden: Literal["bram", "srl"] = "bram" if design.small_memory("hidden") == "bram" else "srl"
    streams = [
        Stream("packet", "ReceivedBeat", "kStreamDepth", None, "the packet, with its CRC so far"),
        Stream("tokens", "Token", "kStreamDepth", None, "what the packet asks for"),
        Stream("inputs", "InputWord", "kInputDepth", None, "input vectors", words),
        Stream("answers", "Answer", "kStreamDepth", None, "what to answer"),
        Stream("vectors", "WordToken", "kStreamDepth", None, "words of activations to search"),
        *(
            [Stream("groups", "GroupToken", "kStreamDepth", None, "the same words of a group")]
            if groups
            else []
        ),
        Stream("commands", "Command", "kCommandDepth", None, "where the next results go"),
        Stream("hidden", "HiddenWord", "kHiddenWords", None, "hidden vectors, fed back", hidden),
        Stream("outputs", "ActivationWord", "kOutputDepth", None, "output vectors", words),
        Stream("answer", "SentBeat", "kStreamDepth", None, "the answer, but for its CRCs"),
        Stream("activations", "Token", "kStreamDepth", None, "non-zero activations"),
        Stream("queue", "Token", "kFetchDepth", pes, "each PE's activations"),
        Stream("work", "Token", "kQueueDepth", pes, "each PE's columns to work on"),
        Stream("results", "Result", "kResultDepth", pes, "each PE's results"),
    ]
    broadcast = _broadcast_tree(pes, streams)
    gather, root = _gather_tree(pes, streams)
    processes = [
        Process("take_crc", ("packets_in",), ("packet",), ("packets_in", "packet")),
        _process("receive", ["packet"], ["tokens", "inputs", "answers"]),
        _process(
            "control_activations",
            ["tokens", "inputs", "hidden"],
            ["vectors", "commands", *(["states"] if design.cell_units else [])],
        ),
        *([_process("join_abreast", ["vectors"], ["groups"])] if groups else []),
        _process("detect_nonzero", ["groups" if groups else "vectors"], ["activations"]),
        *broadcast,
    ]
    for pe in range(pes):
        processes.append(_process(f"column_fetch<{pe}>", [f"queue[{pe}]"], [f"work[{pe}]"]))
    for pe in range(pes):
        processes.append(
            _process(f"multiply_accumulate<{pe}>", [f"work[{pe}]"], [f"results[{pe}]"])
        )
    processes += gather
    commands = "commands"
    if design.cell_units:
        streams += [
            Stream("states", "word_t", "kStreamDepth", None, "states that the host gives"),
            Stream("activated", "ResultWord", "kStreamDepth", None, "results, through the cell"),
            Stream("collected", "Command", "kStreamDepth", None, "where those go"),
        ]
        processes.append(_process("cell", [root, commands, "states"], ["activated", "collected"]))
        root, commands = "activated", "collected"
    processes.append(_process("collect", [root, commands], ["hidden", "outputs"]))
    processes.append(
        _process("send", ["answers", "outputs"], ["answer"], *(register.name for register in PORTS))
    )
    processes.append(Process("add_crc", ("answer",), ("packets_out",), ("answer", "packets_out")))
    return Wiring(tuple(streams), tuple(processes))
