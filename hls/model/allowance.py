"""What the cycle model leaves out: stages of pipelines, and the start and end of loops.

A vector goes round a ring once a layer: ``control_activations`` sends it out, the PEs work on it,
and ``control_activations`` has the results before it sends the next layer. Nothing can be sooner
than what it depends on, so each stage on that way makes every later event later by a cycle, and
throughput none the less: all loops keep II=1. So the allowance is a sum, added to the cycles that
are counted (docs/decisions/0019):

- of **one vector alone** it is what its latency grows by, to a few cycles: what is hidden behind
  work that takes longer anyway;
- of **a batch** it is the most, as if no two vectors were in flight together; what overlaps is not
  lost. The time lies between the cycles that are counted and these with the allowance.

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

__all__ = ["ASSUMED", "LOOP_DONE", "LOOP_START", "Allowance", "RunAllowance", "allowance_of"]

#: Cycles from the state of a process that starts a loop to the loop's first iteration.
LOOP_START = 1
#: Cycles from the end of a loop's last iteration to the next state of its process. Published
#: reports of Vitis HLS 2022.1 and 2022.2 give modules made of a loop two cycles more than the loop
#: (256 and 258, 3,073 and 3,075).
LOOP_DONE = 2
#: States in which ``control_activations`` takes up a layer: its record read from LUTs, words
#: counted.
_TAKE_UP_LAYER = 2
#: Return of one function and call of the next.
_CALLS = 2
#: Register slices of the AXI4-Streams, which Vitis HLS puts at both (UG1399, register_mode).
_AXI_REGISTER = 1

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
    #: Cycles to start and to end loops that no other process' work hides, in each.
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

    #: Once for each layer of each vector: from the layer's first word to its last result.
    layer: tuple[Allowance, ...]
    #: Between two layers of a vector.
    between: tuple[Allowance, ...]
    #: Once for each run: its way in and out.
    run: tuple[Allowance, ...]
    #: Where the depths of the loops are from: :data:`ASSUMED`, or a report by its name.
    source: str = ASSUMED

    @property
    def layer_cycles(self) -> int:
        """Cycles a layer and vector."""
        return _sum(self.layer)

    @property
    def between_cycles(self) -> int:
        """Cycles between two layers of a vector."""
        return _sum(self.between)

    @property
    def run_cycles(self) -> int:
        """Cycles a run."""
        return _sum(self.run)

    def of(self, layers: int, vectors: int = 1) -> int:
        """Cycles that a run takes more, at most: as if no vectors overlapped.

        Parameters
        ----------
        layers
            Layers of the network.
        vectors
            Vectors of the run.
        """
        if vectors == 0:
            return 0
        each = layers * self.layer_cycles + (layers - 1) * self.between_cycles
        return self.run_cycles + vectors * each

    def as_text(self) -> str:
        """Lay the allowance out, process by process."""
        lines = [
            f"pipeline stages, starts and ends of loops ({self.source}): "
            f"{self.layer_cycles} cycles a layer and vector, {self.between_cycles} more between "
            f"two layers, {self.run_cycles} a run"
        ]
        for title, parts in (
            ("a layer", self.layer),
            ("between layers", self.between),
            ("a run", self.run),
        ):
            lines += [f"  {title:<14}  {each.cycles:>3}  {_describe(each)}" for each in parts]
        return "\n".join(lines)


def allowance_of(
    design: Design,
    depths: Mapping[tuple[str, str], int] | None = None,
    *,
    loop_done: int = LOOP_DONE,
    source: str = ASSUMED,
) -> RunAllowance:
    """Add up what a vector passes in the kernel of `design`.

    Parameters
    ----------
    design
        The hardware.
    depths
        Depths of loops, by process and label, that replace the assumed ones.
    loop_done
        Cycles from the end of a loop to the next state of its process.
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

    entries = loops["multiply_accumulate", "entries"]
    rows = loops["multiply_accumulate", "rows"]
    sent = max(
        (loops["control_activations", name] for name in ("input", "source")),
        key=lambda each: each.stages,
    )
    kept = loops["control_activations", "destination"]
    words = max(1, design.pes // ACTIVATIONS_PER_WORD)
    layer = [
        Allowance(
            "control_activations",
            1,
            sent.fill,
            LOOP_START + loop_done,
            f"{sent.loop}: {sent.reason}; the loop started {LOOP_START}, and ended {loop_done} "
            "before the layer's end is sent",
        ),
        passing("detect_nonzero", "layer"),
        passing("broadcast", "tokens", _levels(design.pes)),
        passing("column_fetch", "columns"),
        Allowance(
            "multiply_accumulate",
            1,
            entries.fill + rows.fill,
            loop_done + _CALLS + LOOP_START,
            f"entries: {entries.reason}; the loop drained and ended {loop_done}, a function left "
            f"and one called {_CALLS}, the next loop started {LOOP_START}; rows: {rows.reason}",
        ),
        passing("gather", "layer", 2),
        passing("collect", "words"),
    ]
    if words > 1:
        layer.insert(-1, passing("merge", "layer", _levels(words)))
    between = Allowance(
        "control_activations",
        1,
        kept.fill,
        loop_done + _TAKE_UP_LAYER,
        f"destination: {kept.reason}; the loop ended {loop_done}, the next layer's record read and "
        f"its words counted {_TAKE_UP_LAYER}",
    )
    register = f"; register slice of the AXI4-Stream {_AXI_REGISTER}"
    ways = [
        passing(process, loop, more=_AXI_REGISTER)
        for process, loop in (("receive", "vectors"), ("send", "beats"))
    ]
    run = tuple(Allowance(each.process, 1, each.stages, 0, each.reason + register) for each in ways)
    return RunAllowance(tuple(layer), (between,), run, source)


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
