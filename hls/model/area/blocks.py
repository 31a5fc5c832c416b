"""All parts of a design, process by process."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from eie.hls.model.area.block_design import block_design
from eie.hls.model.area.part import Block
from eie.hls.model.area.processes import (
    add_crc,
    broadcast,
    cell,
    collect,
    column_fetch,
    control_activations,
    detect_nonzero,
    gather,
    join_abreast,
    merge,
    multiply_accumulate,
    receive,
    send,
    take_crc,
)
from eie.hls.model.area.streams import adapters, streams
from eie.hls.spec.dataflow import wire
from eie.hls.spec.design import Design

__all__ = ["kernel_blocks", "surrounding_blocks"]

#: Processes of which the design alone says the parts.
_PROCESSES: dict[str, Callable[[Design], Block]] = {
    "take_crc": take_crc,
    "receive": receive,
    "control_activations": control_activations,
    "join_abreast": join_abreast,
    "detect_nonzero": detect_nonzero,
    "column_fetch": column_fetch,
    "multiply_accumulate": multiply_accumulate,
    "cell": cell,
    "collect": collect,
    "send": send,
    "add_crc": add_crc,
}
#: A process's function: name, number of children or sources, template arguments.
_FUNCTION = re.compile(r"([a-z_]+?)(?:_([124]))?(?:<(.*)>)?")


def kernel_blocks(design: Design) -> tuple[Block, ...]:
    """Every process, stream and adapter of the kernel, in the order of the dataflow."""
    wiring = wire(design)
    kinds = Counter(_kind(process.function) for process in wiring.processes)
    processes = (_block(design, kind, count) for kind, count in kinds.items())
    return (*processes, *streams(design, wiring), *adapters())


def surrounding_blocks() -> tuple[Block, ...]:
    """The cells of the block design around the kernel."""
    return block_design()


def _kind(function: str) -> tuple[str, int, str]:
    """Name, width and what else tells kinds of a process apart; not which of them it is."""
    found = _FUNCTION.fullmatch(function)
    assert found is not None, function
    name, width, arguments = found[1], int(found[2] or 0), found[3] or ""
    if name == "broadcast":
        arguments = arguments.split(", ")[1]
    elif name != "gather":
        arguments = ""
    return name, width, arguments


def _block(design: Design, kind: tuple[str, int, str], count: int) -> Block:
    name, width, arguments = kind
    if name == "broadcast":
        return broadcast(design, width, leaf=arguments == "true", count=count)
    if name == "gather":
        return gather(design, width, int(arguments), count)
    if name == "merge":
        return merge(design, width, count)
    return _PROCESSES[name](design)
