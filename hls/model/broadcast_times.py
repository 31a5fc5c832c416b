"""Time in the broadcast: from ``detect_nonzero`` to the fetches of all PEs.

The tree of ``templates/kernel/broadcast.h``, in the time of :mod:`eie.hls.model.fifo_times`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eie.hls.model.fifo_times import StreamBundle, Times
from eie.hls.model.pe_times import Pes
from eie.hls.spec.dataflow import DEPTHS, RADIX
from eie.hls.spec.design import Design

__all__ = ["Broadcast"]

_STREAM_DEPTH = DEPTHS["stream"].elements
_FETCH_DEPTH = DEPTHS["fetch"].elements


class Broadcast:
    """The tree from ``detect_nonzero`` to the queues: all nodes of a level at once."""

    def __init__(self, design: Design) -> None:
        pes = design.pes
        nodes = [pes]
        while nodes[0] > RADIX:
            nodes.insert(0, -(-nodes[0] // RADIX))
        # Streams into the root, between levels, and last the queues.
        self._streams = [StreamBundle(1, _STREAM_DEPTH)]
        self._streams += [StreamBundle(count, _STREAM_DEPTH) for count in nodes[:-1]]
        self._streams.append(StreamBundle(pes, _FETCH_DEPTH))
        counts = [1, *nodes[:-1]]
        self._children = [below // count for count, below in zip(counts, nodes, strict=True)]
        self._times = [np.zeros(count, np.int64) for count in counts]
        self.full: Times = np.zeros(pes, np.int64)

    def pass_token(self, time: int, pes: Pes, in_layer: bool) -> int:
        """Pass a token from ``detect_nonzero`` to the fetches; returns when it was written."""
        written = self._streams[0].write(np.array([time]))
        *inner, leaves = range(len(self._children))
        for level in inner:
            self._pass_level(level)
        full = self._pass_level(leaves)
        if in_layer:
            self.full += full
        pes.fetch = self._streams[-1].read(pes.fetch)
        return int(written[0])

    def _pass_level(self, level: int) -> npt.NDArray[np.bool_]:
        """All nodes of a level pass a token on; returns which children had no room at once."""
        children = self._children[level]
        taken = self._streams[level].read(self._times[level])
        offered = taken.repeat(children)
        below = self._streams[level + 1]
        full = below.full(offered)
        # One child after the other, so the last one's time is the node's.
        self._times[level] = below.write_in_turn(offered, children)[children - 1 :: children] + 1
        return full
