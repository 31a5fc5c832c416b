"""What a report says in sentences: what limits the network, what was built, what is not known."""

from __future__ import annotations

from eie.hls.boundary.text import counted
from eie.hls.model.roofline import pe_limits
from eie.hls.spec.design import Design
from eie.hls.tools.manifest import Manifest
from eie.host.network import Network
from eie.host.report.board_use import board_of
from eie.host.report.facts import LayerCycles, RunCycles, Synthesis
from eie.host.report.formats import name

__all__ = ["MISSING", "limit_of", "synthesis_of"]

#: How to get what is not known, by the field of :class:`~eie.host.report.facts.Facts`.
MISSING = {
    "accuracy": "Not known yet: give inputs with their labels (--labels LABELS.npy).",
    "losses": (
        "What compression lost is not recorded in the network: compress it with real inputs "
        "(--calibration X.npy)."
    ),
    "single": "Not known yet: run one vector alone.",
    "batch": "Not known yet: run a batch of vectors (--inputs X.npy).",
    "activity": (
        "What each PE did is not known: make the report with real inputs (eie flow with "
        "--data X.npy, or eie.convert with calibration)."
    ),
    "rms_error": (
        "How far each layer's outputs are from the float model's is not known: make the report "
        "from the model, with real inputs (eie flow with --data X.npy, or eie.convert with "
        "calibration)."
    ),
    "agreement": (
        "No engine was compared with another: run the generated C++ and a board on the same inputs."
    ),
}

#: What is said of one layer, and of several, by what bounds them.
_ONE = {
    "PEs": "by its PEs, which need at least {bound} for the weights that a vector meets",
    "broadcast": "by the broadcast of its {activations:,.0f} non-zero activations, one a cycle",
    "input": "by its inputs, which take at least {bound} to arrive",
    "output": "by its outputs, which take at least {bound} to leave",
    "size": "by filling and draining, since it is small: no path needs half of its {cycles:,.0f} "
    "cycles",
}
_SEVERAL = {
    "PEs": "by the PEs, for the weights that a vector meets",
    "broadcast": "by the broadcast of non-zero activations, one a cycle",
    "input": "by their inputs, which have to arrive",
    "output": "by their outputs, which have to leave",
    "size": "by filling and draining, since they are small",
}
#: A layer with this share of the cycles is spoken of alone, and one of so few layers.
_MOST, _FEW_LAYERS = 0.4, 3


def synthesis_of(design: Design, build: Manifest | None) -> Synthesis:
    """Say what the figures rest on."""
    if build is None:
        return Synthesis(
            built=False,
            statement=(
                "Cycles come from a model that equals the C++ simulation and leaves out what the "
                f"pipelines take to fill: they are lower bounds. The clock of {design.clock_mhz} "
                "MHz is a target. LUTs and flip-flops are an uncalibrated estimate, which may be "
                "several times off."
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
            "the pipelines take to fill, and resources from the estimate: eie reports lays what "
            "the tools reported beside it."
        ),
        clock_mhz=build.clock_hz / 1e6,
        tool=build.tool,
        slack_ns=build.wns_ns,
    )


def limit_of(run: RunCycles | None, network: Network, design: Design, passes: int) -> str:
    """Say what limits the network on this design, in a sentence."""
    board = _board_limit(design)
    if run is None:
        return f"{board[:1].upper()}{board[1:]}." if board else "No run was made to tell."
    return f"{_run_limit(run, network, passes)}{'; ' + board if board else ''}."


def _run_limit(run: RunCycles, network: Network, passes: int) -> str:
    of_all = (run.layers + run.load) / run.vectors
    most = max(range(len(run.by_layer)), key=lambda number: run.by_layer[number].cycles)
    layer, share = run.by_layer[most], run.by_layer[most].cycles / of_all
    loads = run.load / run.vectors / of_all
    if passes > 1 and loads >= share:
        return (
            f"Loading the weights in {passes} passes takes {_percent(loads)} of the cycles of "
            f"{counted(run.vectors, 'vector')}, which larger batches share among more"
        )
    beside = f"; loading the weights in {passes} passes takes {_percent(loads)}" if loads else ""
    if share >= _MOST or len(run.by_layer) <= _FEW_LAYERS:
        path = _ONE[_limited_by(layer)].format(
            bound=f"{layer.bound:,.0f} cycles",
            activations=layer.activations,
            cycles=layer.cycles,
        )
        shape = network.layers[most]
        return (
            f"Layer {name(layer.name)} ({shape.columns} → {shape.rows}) takes {_percent(share)} of "
            f"the cycles and is limited {path}{beside}"
        )
    cycles: dict[str, float] = {}
    for each in run.by_layer:
        cycles[_limited_by(each)] = cycles.get(_limited_by(each), 0.0) + each.cycles
    by = max(cycles, key=lambda path: cycles[path])
    count = sum(_limited_by(each) == by for each in run.by_layer)
    if count == len(run.by_layer):
        return f"All {count} layers are limited {_SEVERAL[by]}{beside}"
    return (
        f"{count} of {len(run.by_layer)} layers, with {_percent(cycles[by] / of_all)} of the "
        f"cycles, are limited {_SEVERAL[by]}{beside}"
    )


def _limited_by(layer: LayerCycles) -> str:
    return "size" if 2 * layer.bound < layer.cycles else layer.bound_by


def _board_limit(design: Design) -> str:
    board = board_of(design)
    if board is None:
        return ""
    limits = pe_limits(board)
    resource = {"LUT": "LUTs (uncalibrated)", "BRAM": "block RAM", "DSP": "DSP slices"}
    if design.pes >= limits.pes:
        if design.pes > limits.pes:
            return (
                f"{board.title} has too few {resource[limits.binding]} for its "
                f"{counted(design.pes, 'PE')}, and holds {limits.pes} at most"
            )
        return f"{board.title} has too few {resource[limits.binding]} for twice the PEs"
    return f"{board.title} may hold up to {counted(limits.pes, 'PE')}, the design has {design.pes}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
