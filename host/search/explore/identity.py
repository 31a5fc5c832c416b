"""What the results of an exploration rest on: the network, and the text of the models."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.metadata
import importlib.resources
import platform
from pathlib import Path

from eie.hls.boundary.errors import ToolError
from eie.hls.model.area import processes
from eie.hls.model.area.operator_table import FILE
from eie.hls.model.compiled.library import sources
from eie.host.network import Network

__all__ = ["MODELS", "check_version", "model_version", "network_hash"]

#: Modules of eie whose text decides what a point's result is.
MODELS = (
    "eie.hls.spec.boards",
    "eie.hls.spec.packets",  # widths
    "eie.hls.spec.registers",  # how many of them
    "eie.hls.spec.design",
    *(
        f"eie.hls.model.area.{name}"
        for name in (
            "block_design",
            "blocks",
            "budget",
            "cost",
            "estimate",
            "memories",
            "operator_table",
            "part",
            "published",
            "streams",
        )
    ),
    # A process is in a file of its name.
    *(f"{processes.__name__}.{name}" for name in (*processes.__all__, "group_order", "widths")),
    "eie.host.search.explore.evaluation",
    "eie.host.search.explore.result",
    "eie.host.search.judge",
    "eie.host.search.prediction",
    "eie.host.search.sizing",
    "eie.host.search.sparing",
    "eie.host.packing.tiling",
    "eie.hls.spec.dataflow",
    "eie.hls.spec.design_fields",
    "eie.hls.spec.record",
    "eie.host.packing.row_assignment",
    "eie.host.packing.unit_order",
    "eie.hls.model.cycles",
    "eie.hls.model.input_times",
    "eie.hls.model.layer_shares",
    "eie.hls.model.pe_times",
    "eie.hls.model.gather_times",
    "eie.hls.model.broadcast_times",
    "eie.hls.model.cell_times",
    "eie.hls.model.allowance",
    "eie.hls.model.loop_depths",
    "eie.hls.model.cycle_counts",
    "eie.hls.model.compiled.library",
    "eie.hls.model.compiled.cycles",
    "eie.hls.model.compiled.weights",
    "eie.hls.model.layer_chain",
    "eie.hls.model.resident_network",
    "eie.hls.model.turns",
    "eie.hls.spec.cell",
    "eie.hls.spec.group_order",
    "eie.hls.spec.matrix_format",
    "eie.hls.spec.fixed_point",
    "eie.host.network.graph",
    "eie.host.network.layer",
    "eie.host.network.network",
    "eie.hls.spec.pointers",
    "eie.hls.spec.counters",
    "eie.host.packing.group_places",
    "eie.host.packing.held_memory",
    "eie.host.packing.packed_layer",
    "eie.host.packing.packed_network",
    "eie.host.packing.packer",
    "eie.hls.model.memory_image",
    "eie.hls.model.sparse_product",
    "eie.hls.model.fifo_times",
)


def network_hash(network: Network) -> str:
    """Hash everything in a network that its results depend on: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for layer in network.layers:
        digest.update(repr(sorted(layer.scalars().items())).encode())
        for name, array in layer.arrays().items():
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(array.tobytes())
    digest.update(network.golden_inputs[:1].tobytes())
    return digest.hexdigest()[:16]


@functools.cache
def model_version() -> str:
    """Version of eie, and a hash of :data:`MODELS` and the C++ that goes with them.

    Equal on machines that give equal results.
    """
    digest = hashlib.sha256()
    for name in MODELS:
        digest.update(Path(str(importlib.import_module(name).__file__)).read_bytes())
    digest.update(repr(sorted(sources().items())).encode())
    digest.update((importlib.resources.files("eie.hls.model.area") / FILE).read_bytes())
    return f"{importlib.metadata.version('eie')}+{digest.hexdigest()[:8]}"


def check_version(version: str) -> None:
    """Refuse to work for a machine that has another version of eie.

    Raises
    ------
    ToolError
        If `version` is not that of this machine.
    """
    if model_version() != version:
        raise ToolError(
            f"worker {platform.node()} has eie {model_version()}, not {version}: install the same "
            "on every machine"
        )
