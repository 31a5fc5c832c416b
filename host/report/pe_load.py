"""How evenly a network's work lies on the PEs, and how many bytes it takes there."""

from __future__ import annotations

import numpy as np

from eie.hls.spec.counters import Counters
from eie.host.network.sizes import float32_bytes
from eie.host.packing.tiling import Plan
from eie.host.report.facts import LayerLoad, PeActivity, Size

__all__ = ["layer_loads", "pe_activity", "size_of"]

_BEAT_BYTES = 8


def layer_loads(plan: Plan) -> tuple[LayerLoad, ...]:
    """Count each layer's entries in the PEs; shares of a layer are one layer."""
    loads = []
    for stage in plan.stages:
        for shares in zip(*(each.packed.layers for each in stage), strict=True):
            entries = np.sum([np.diff(share.encoded.pe_starts) for share in shares], axis=0)
            loads.append(
                LayerLoad(
                    name=shares[0].layer.name,
                    lightest=int(entries.min()),
                    mean=float(entries.mean()),
                    heaviest=int(entries.max()),
                    padding=sum(share.encoded.padding for share in shares),
                    entries=tuple(map(int, entries)),
                )
            )
    return tuple(loads)


def size_of(plan: Plan) -> Size:
    """Count the bytes of the model in float32, and of what is loaded for it."""
    before = float32_bytes(plan.network)
    packed = [each.packed for each in plan.passes]
    loaded = sum(_BEAT_BYTES * len(each.sections) for each in packed)
    entries = sum(len(part.encoded.entries) for each in packed for part in each.layers)
    return Size(
        float32_bytes=before,
        loaded_bytes=loaded,
        entry_bytes=-(-entries * plan.design.entry_bits // 8),
        ratio=before / loaded,
    )


def pe_activity(counters: Counters | None) -> PeActivity | None:
    """Say what each PE did in a run."""
    if counters is None:
        return None
    return PeActivity(
        busy=tuple(map(int, counters.busy)),
        starved=tuple(map(int, counters.starved)),
        full=tuple(map(int, counters.full)),
        cycles=counters.cycles,
    )
