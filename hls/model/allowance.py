"""What the cycle model leaves out: stages of pipelines, and the start and end of loops.

A vector goes round a ring once a layer: ``control_activations`` sends it out, the PEs work on it,
and its results come back to ``control_activations``, which sends them out again. Nothing can be
sooner than what it depends on, so each stage on that way makes every later event later by a cycle.
So the allowance is a sum, added to the cycles that are counted (docs/decisions/0019):

- of **one vector alone** it is what its latency grows by, to a few cycles: what is hidden behind
  work that takes longer anyway. Loops on the ring either run for the whole run or are back at
  their start when the next layer comes round, so none of their starts and ends is in it;
- of **a batch** it is the most, as if no two vectors were under way together: while one is in the
  pipelines, the array works on another. Loops that end with each layer drain and start anew between
  two vectors, which takes less than the ring does. The time lies between the cycles that are
  counted and these with the allowance.

Nothing here was ever synthesised. The allowance is left out wherever the C++ simulation is the
judge, and stands beside every figure in microseconds that people are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from eie.hls.model.loop_depths import loop_depths
from eie.hls.spec.dataflow import RADIX
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD

__all__ = ["ASSUMED", "LOOP_START", "Allowance", "RunAllowance", "allowance_of"]

#: Cycles from the state of a process that starts a loop to the loop's first iteration.
LOOP_START = 1
#: Output register of a FIFO in block RAM; those in shift registers have none.
_BLOCK_RAM_FIFO = 1
#: Register slices of the AXI4-Streams, which Vitis HLS puts at both (UG1399, register_mode).
_AXI_REGISTER = 1
#: Through a stream to or from a process that neither model nor counters see: ``take_crc``,
#: ``add_crc``.
_HOP = 1

#: Where depths are from that no report gave.
ASSUMED = "assumed"


@dataclass(frozen=True)
class Allowance:
    """What one process adds to the way of a vector."""

    #: The process, as the templates call it.
    process: str
    #: How many of its kind are passed one after another: the levels of a tree.
    passed: int
    #: Stages of its loops between what is read and what is written, in each.
    stages: int
    #: Cycles to start loops that no other process' work hides, in each.
    loops: int
    #: What both are made of.
    reason: str

    @property
    def cycles(self) -> int:
        """Cycles that it adds."""
        return self.passed * (self.stages + self.loops)


@dataclass(frozen=True)
class RunAllowance:
    """Cycles that a run takes on top of those that are counted."""

    #: Once for each layer of each vector: round the ring.
    layer: tuple[Allowance, ...]
    #: Once for each run: its way in and out.
    run: tuple[Allowance, ...]
    #: Once more for each layer with a function, of each vector; none without cell units.
    function: tuple[Allowance, ...] = ()
    #: Where the depths of the loops are from: :data:`ASSUMED`, or a report by its name.
    source: str = ASSUMED

    @property
    def layer_cycles(self) -> int:
        """Cycles a layer and vector."""
        return _sum(self.layer)

    @property
    def function_cycles(self) -> int:
        """Cycles more for a layer with a function, a vector."""
        return _sum(self.function)

    @property
    def run_cycles(self) -> int:
        """Cycles a run."""
        return _sum(self.run)

    def of(self, layers: int, vectors: int = 1, functions: int | None = None) -> int:
        """Cycles that a run takes more, at most: as if no vectors overlapped.

        Parameters
        ----------
        layers
            Layers of the network.
        vectors
            Vectors of the run.
        functions
            How many of the layers have a function; None: all of them, which is the most.
        """
        if vectors == 0:
            return 0
        with_function = layers if functions is None else functions
        vector = layers * self.layer_cycles + with_function * self.function_cycles
        return self.run_cycles + vectors * vector

    def as_text(self) -> str:
        """Lay the allowance out, process by process."""
        lines = [
            f"pipeline stages and starts of loops ({self.source}): "
            f"{self.layer_cycles} cycles a layer and vector, {self.run_cycles} a run"
        ]
        of_what = (("a layer", self.layer), ("its function", self.function), ("a run", self.run))
        width = max(len(title) for title, parts in of_what if parts)
        for title, parts in of_what:
            lines += [f"  {title:<{width}}  {each.cycles:>3}  {_describe(each)}" for each in parts]
        return "\n".join(lines)


def allowance_of(
    design: Design,
    depths: Mapping[tuple[str, str], int] | None = None,
    *,
    source: str = ASSUMED,
) -> RunAllowance:
    """Add up what a vector passes in the kernel of `design`.

    Parameters
    ----------
    design
        The hardware.
    depths
        Depths of loops, by process and label, that replace the assumed ones.
    source
        Where `depths` are from.
    """
    given = depths or {}
    loops = {
        (each.process, each.loop): each
        if (each.process, each.loop) not in given
        else replace(each, stages=given[each.process, each.loop], reason="as reported")
        for each in loop_depths(design)
    }

    def passing(process: str, loop: str, passed: int = 1, more: int = 0) -> Allowance:
        """What reads and writes in a loop that is already under way."""
        found = loops[process, loop]
        return Allowance(process, passed, found.fill + more, 0, f"{loop}: {found.reason}")

    words = max(1, design.pes // ACTIVATIONS_PER_WORD)
    layer = [
        passing("control_activations", "run"),
        passing("detect_nonzero", "layer"),
        passing("broadcast", "tokens", _levels(design.pes)),
        passing("column_fetch", "layer"),
        passing("multiply_accumulate", "run"),
        passing("gather", "layer", 2),
        passing("collect", "words"),
    ]
    if design.abreast > 1:
        layer.insert(1, passing("join_abreast", "layer"))
    if words > 1:
        layer.insert(-1, passing("merge", "layer", _levels(words)))
    function = []
    if design.cell_units:
        through = passing("cell", "words")
        layer.insert(-1, through)
        deeper = passing("cell", "steps")
        function = [replace(deeper, stages=max(0, deeper.stages - through.stages))]
    if design.small_memory("hidden") == "bram":
        reason = f"output register of the FIFO in block RAM {_BLOCK_RAM_FIFO}"
        layer.append(Allowance("hidden", 1, _BLOCK_RAM_FIFO, 0, reason))
    register = f"register slice of the AXI4-Stream {_AXI_REGISTER}"
    # The processes at the ends are outside of what is counted, so each is a cycle more.
    hop = f"the way there {_HOP}"
    queued = []
    if design.small_memory("words") == "bram":
        reason = f"output register of the FIFO in block RAM {_BLOCK_RAM_FIFO}"
        queued = [Allowance(each, 1, _BLOCK_RAM_FIFO, 0, reason) for each in ("inputs", "outputs")]
    taken = passing("take_crc", "beats", more=_AXI_REGISTER + _HOP)
    received = passing("receive", "vectors")
    added = passing("add_crc", "beats", more=_AXI_REGISTER + _HOP)
    run = (
        replace(taken, reason=f"{taken.reason}; {register}; {hop}"),
        replace(
            received,
            loops=LOOP_START,
            reason=f"{received.reason}; the loop started {LOOP_START}",
        ),
        *queued,
        passing("send", "beats"),
        replace(added, reason=f"{added.reason}; {register}; {hop}"),
    )
    return RunAllowance(tuple(layer), run, tuple(function), source=source)


def _levels(leaves: int) -> int:
    """Levels of a tree with nodes of :data:`RADIX` children; a lone leaf has a node, too."""
    levels = 1
    while leaves > RADIX:
        leaves = -(-leaves // RADIX)
        levels += 1
    return levels


def _sum(parts: Iterable[Allowance]) -> int:
    return sum(each.cycles for each in parts)


def _describe(part: Allowance) -> str:
    times = f" x {part.passed}" if part.passed > 1 else ""
    return f"{part.process}{times}: {part.reason}"
