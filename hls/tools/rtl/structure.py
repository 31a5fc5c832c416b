"""What the text of the Verilog says without a simulator: starts, FIFOs, registers at power-up.

Vitis writes a dataflow region as one module: an instance ``NAME_U0`` of each process, an instance
``NAME_U`` of each channel, and assignments between them. A process starts when the region does
(``ap_start``), when the first process that writes to it does (a FIFO ``start_for_NAME_U0_U``), or,
where the tool has made a ping-pong buffer or a scalar of something, when its writer is *done*. The
last must not happen here: processes of the kernel run together, with hidden vectors going round.

The shape is that of two public outputs of the tool: the Koios benchmarks of Verilog-to-Routing
(``vtr_flow/benchmarks/verilog/koios/tdarknet_like.*.v``, start FIFOs and starts by done), and a
region ``pp_pipeline_accel_AxiStream2Mat_1`` that AMD published (2022.1). What has another shape is
not judged, and a warning says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eie.hls.spec.dataflow import DEPTHS, Stream, wire
from eie.hls.spec.design import Design
from eie.hls.tools.rtl.sources import RtlSources
from eie.hls.tools.rtl.verilog_text import Instance, Module, names_in

__all__ = ["Structure", "depth_of", "look_at"]

_PROCESS = re.compile(r"_U\d+(_\d+)?$")
_DONE = re.compile(r"_ap_done(_reg)?$|^ap_channel_done_|^ap_sync_(reg_)?channel_write_")
_EMPTY = re.compile(r"_(?:t_)?empty_n$")
_FIFO = re.compile(r"_fifo_w(\d+)_d(\d+)_([A-Z]+)")
#: Processes of which each PE has one.
_OF_A_PE = ("column_fetch", "multiply_accumulate")
#: Stages of a shift register in one LUT.
_STAGES = 32
#: Modules of the tool's own, whose registers come up as they must: FIFOs are not full, for one.
_TOOLS_OWN = re.compile(
    r"fifo|start_for|regslice|s_axi|flow_control|_ROM_|_RAM_|_mul_|mux|shiftreg", re.IGNORECASE
)


@dataclass(frozen=True)
class Structure:
    """What was found."""

    #: What must not be: the kernel would not work, or is another.
    faults: tuple[str, ...] = ()
    #: What costs more than it should, and what could not be judged.
    warnings: tuple[str, ...] = ()


def look_at(sources: RtlSources, design: Design) -> Structure:
    """Look at the region's starts, its FIFOs, and what registers and memories come up with."""
    faults: list[str] = []
    warnings: list[str] = []
    top = sources.top
    processes = {
        each.name: each
        for each in top.instances
        if "ap_start" in each.connections and _PROCESS.search(each.name)
    }
    if processes:
        _look_at_processes(top, processes, design, faults, warnings)
        _look_at_channels(sources, design, faults, warnings)
    else:
        warnings.append(
            "starts and FIFOs were not judged: module eie has no processes NAME_U0 with ap_start"
        )
    warnings += _registers_up(sources)
    warnings += _memories_up(sources)
    return Structure(tuple(faults), tuple(warnings))


def _look_at_processes(
    top: Module,
    processes: Mapping[str, Instance],
    design: Design,
    faults: list[str],
    warnings: list[str],
) -> None:
    """Hold the processes against the design's, and find those that start too late."""
    order = list(dict.fromkeys(_base(each.function) for each in wire(design).processes))
    wanted = Counter(_base(each.function) for each in wire(design).processes)
    functions = {name: _function_of(name, order) for name in processes}
    found = Counter(function for function in functions.values() if function)
    for function in order:
        if found[function] not in (0, wanted[function]):
            text = f"there must be {wanted[function]} x {function}, not {found[function]}"
            # One a PE, each of its own template: so many are told apart by nothing else.
            if function in _OF_A_PE:
                faults.append(f"{text}: RTL of another design")
            else:
                warnings.append(text)
    missing = [function for function in order if not found[function]]
    if missing:
        warnings.append(f"no process is called {', '.join(missing)}: their starts were not judged")
    started: dict[str, set[str]] = {}
    for name, instance in processes.items():
        started[name] = set()
        for signal in sorted(_leaves(top, instance.connections["ap_start"])):
            done = signal if _DONE.search(signal) else _done_behind(top, signal)
            if done:
                faults.append(
                    f"process {name} must start with the region, but waits until another is done "
                    f"({done}): it is no dataflow of streams any more"
                )
            elif signal.startswith("start_for_"):
                started[name] |= _writers(top, signal, processes)
    for name, starters in started.items():
        for starter in sorted(starters):
            mine, others = functions[name], functions[starter]
            if mine and others and order.index(others) > order.index(mine):
                faults.append(
                    f"process {name} must not be started by {starter}, which works on what {name} "
                    "gives: start propagation follows a feedback (`DATAFLOW "
                    "disable_start_propagation` drops it)"
                )


def _base(function: str) -> str:
    return function.partition("<")[0]


def _function_of(name: str, functions: list[str]) -> str:
    """Function that an instance is a call of; the longest, as broadcast_1 is in broadcast_16."""
    fitting = [each for each in functions if re.search(rf"(^|_){each}_", name)]
    return max(fitting, key=len, default="")


def _leaves(module: Module, expression: str) -> set[str]:
    """Signals that an expression rests on, assignments followed."""
    leaves: set[str] = set()
    seen: set[str] = set()
    left = names_in(expression)
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in module.assigns and not _DONE.search(name):
            left |= names_in(module.assigns[name])
        else:
            leaves.add(name)
    return leaves


def _channel_of(module: Module, signal: str) -> Instance | None:
    """The channel that drives a signal ``..._empty_n``."""
    if not _EMPTY.search(signal):
        return None
    for each in module.instances:
        for port in ("if_empty_n", "t_empty_n"):
            if each.connections.get(port) == signal:
                return each
    return None


def _done_behind(module: Module, signal: str) -> str:
    """The ``ap_done`` that fills the channel which `signal` says is not empty, or ""."""
    channel = _channel_of(module, signal)
    if channel is None:
        return ""
    for port in ("if_write", "i_write"):
        for name in sorted(_leaves(module, channel.connections.get(port, ""))):
            if _DONE.search(name):
                return name
    return ""


def _writers(module: Module, signal: str, processes: Mapping[str, Instance]) -> set[str]:
    """Processes that write into a start FIFO."""
    channel = _channel_of(module, signal)
    if channel is None:
        return set()
    writes = names_in(channel.connections.get("if_write", ""))
    return {name.removesuffix("_start_write") for name in writes} & processes.keys()


def _look_at_channels(
    sources: RtlSources, design: Design, faults: list[str], warnings: list[str]
) -> None:
    """Find streams that are no FIFOs, less deep than declared, or larger than need be."""
    unknown = []
    for stream in wire(design).streams:
        channels = [
            each
            for each in sources.top.instances
            if re.fullmatch(rf"{stream.name}(_\d+)?(_V)?(_\d+)?_U", each.name)
        ]
        if len(channels) != (stream.count or 1):
            unknown.append(f"{stream.name} ({len(channels)} of {stream.count or 1})")
        for channel in channels:
            in_ram = stream.fifo == "bram"
            _look_at_fifo(sources, channel, depth_of(stream, design), faults, warnings, in_ram)
    if unknown:
        warnings.append(f"not all FIFOs were found by their names: {', '.join(unknown)}")


def depth_of(stream: Stream, design: Design) -> int:
    """Elements that a stream is declared to hold."""
    of_design = {
        "kQueueDepth": design.queue_depth,
        "kResultDepth": design.result_depth,
        "kHiddenWords": design.hidden_words,
    }
    known = {depth.name: depth.elements for depth in DEPTHS.values()}
    return {**known, **of_design}[stream.depth]


def _look_at_fifo(
    sources: RtlSources,
    channel: Instance,
    declared: int,
    faults: list[str],
    warnings: list[str],
    in_ram: bool,
) -> None:
    if "if_write" not in channel.connections:
        faults.append(
            f"stream {channel.name.removesuffix('_U')} must be a FIFO, not {channel.module}"
        )
        return
    module = sources.modules.get(channel.module)
    named = _FIFO.search(channel.module)
    depths = [int(named[2])] if named else []
    if module is not None:
        # The shift register is in a module of its own.
        inner = (sources.modules.get(each.module) for each in module.instances)
        depths += [
            each.parameters["DEPTH"]
            for each in (module, *inner)
            if each is not None and "DEPTH" in each.parameters
        ]
    if not depths:
        warnings.append(f"{channel.name}: no depth was found in {channel.module}")
        return
    if max(depths) < declared:
        faults.append(
            f"{channel.name} must be {declared} deep, not {max(depths)}: the kernel may deadlock"
        )
    if not in_ram and -(-max(depths) // _STAGES) > -(-declared // _STAGES):
        warnings.append(
            f"{channel.name} is {max(depths)} deep where {declared} was declared: one LUT more a "
            "bit; declare one less"
        )
    if named and not in_ram and not named[3].startswith("S"):
        warnings.append(
            f"{channel.name} is {channel.module}, no shift register: it may take a block RAM"
        )


def _registers_up(sources: RtlSources) -> Iterator[str]:
    """Statics are zero in the C++, so that registers which come up otherwise are the tool's doing.

    A simulation shows what follows from that; a board without a reset may not.
    """
    for module in sources.modules.values():
        if _TOOLS_OWN.search(module.name):
            continue
        for register, value in module.initial.items():
            if value and not register.startswith("ap_"):
                yield (
                    f"register {register} of {module.name} comes up as {value}, and every static "
                    "of the kernel as 0"
                )


def _memories_up(sources: RtlSources) -> Iterator[str]:
    """Memories come up as zeros; constants have contents."""
    for path in sources.memories:
        text = path.read_text(encoding="utf-8", errors="replace")
        if "_ROM_" not in path.name and set(text) & set("123456789abcdefABCDEF"):
            yield f"memory contents {path.name} must be zeros: no static has others"
