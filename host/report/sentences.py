"""What a report says in sentences: what limits the network, what was built, what is not known."""

from __future__ import annotations

from eie.hls.boundary.text import counted
from eie.hls.model.roofline import pe_limits
from eie.hls.spec.design import Design
from eie.hls.tools.manifest import Manifest
from eie.host.report.board_use import board_of
from eie.host.report.facts import LayerCycles, RunCycles, Synthesis
from eie.host.report.formats import name

__all__ = ["MISSING", "limit_of", "synthesis_of"]

#: How to get what is not known, by the field of :class:`~eie.host.report.facts.Facts`.
MISSING = {
    "accuracy": "Accuracy is not known: give inputs with their labels (--labels Y.npy).",
    "losses": (
        "What compression lost is not recorded in the network: compress it with real inputs "
        "(--calibration X.npy)."
    ),
    "single": "Latency is not known: run one vector alone.",
    "batch": "Throughput is not known: run a batch of vectors (--inputs X.npy).",
    "activity": "What each PE did is not known: run a batch with its counters.",
    "rms_error": (
        "How far each layer's outputs are from the float model's is not known: compare the network "
        "with the model on real inputs."
    ),
    "agreement": (
        "No engine was compared with another: run the generated C++ and a board on the same inputs."
    ),
}

_PATHS = {
    "PEs": "by its PEs, which need at least {bound} for the weights that a vector meets",
    "broadcast": "by the broadcast of its {activations:,.0f} non-zero activations, one a cycle",
    "input": "by its inputs, which take at least {bound} to arrive",
    "output": "by its outputs, which take at least {bound} to leave",
}


def synthesis_of(design: Design, build: Manifest | None) -> Synthesis:
    """Say what the figures rest on."""
    if build is None:
        return Synthesis(
            built=False,
            statement=(
                "This hardware was never synthesised. Cycles come from a model that equals the "
                "C++ simulation and leaves out what the pipelines take to fill: they are lower "
                f"bounds. The clock of {design.clock_mhz} MHz is a target. LUTs and flip-flops "
                "are an uncalibrated estimate, which may be several times off."
            ),
            clock_mhz=design.clock_mhz,
            tool=None,
            slack_ns=None,
        )
    return Synthesis(
        built=True,
        statement=(
            f"A bitstream of this design was built with {build.tool} on {build.date} and meets "
            f"{build.clock_hz / 1e6:g} MHz. Cycles still come from a model, which leaves out what "
            "the pipelines take to fill, and resources from the estimate: `eie reports` lays what "
            "the tools reported beside it."
        ),
        clock_mhz=build.clock_hz / 1e6,
        tool=build.tool,
        slack_ns=build.wns_ns,
    )


def limit_of(run: RunCycles | None, design: Design, passes: int) -> str:
    """Say what limits the network on this design, in a sentence."""
    board = _board_limit(design)
    if run is None:
        return f"{board[:1].upper()}{board[1:]}." if board else "No run was made to tell."
    if passes > 1 and 2 * run.load > run.total:
        return (
            f"Loading the weights in {passes} passes takes {_percent(run.load / run.total)} of the "
            f"cycles of {counted(run.vectors, 'vector')}: larger batches share it"
            f"{'; ' + board if board else ''}."
        )
    of_layers = sum(layer.cycles for layer in run.by_layer)
    most = max(run.by_layer, key=lambda layer: layer.cycles)
    return (
        f"Layer {name(most.name)} takes {_percent(most.cycles / of_layers)} of the layers' cycles and is "
        f"limited {_path(most)}{'; ' + board if board else ''}."
    )


def _path(layer: LayerCycles) -> str:
    path = _PATHS[layer.bound_by].format(
        bound=f"{layer.bound:,.0f} cycles", activations=layer.activations
    )
    if 2 * layer.bound < layer.cycles:
        return (
            "by filling and draining, since it is small: no path needs half of its "
            f"{layer.cycles:,.0f} cycles"
        )
    return path


def _board_limit(design: Design) -> str:
    board = board_of(design)
    if board is None:
        return ""
    limits = pe_limits(board)
    resource = {"LUT": "LUTs (uncalibrated)", "BRAM": "block RAM", "DSP": "DSP slices"}
    if design.pes >= limits.pes:
        return f"{board.title} has too few {resource[limits.binding]} for twice the PEs"
    return f"{board.title} may hold up to {counted(limits.pes, 'PE')}, the design has {design.pes}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
