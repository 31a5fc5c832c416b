"""A sequence that comes step by step: a step in, its outputs out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.spec.fixed_point import dequantize
from eie.host.network import Network
from eie.host.network.sequence_codes import check_step
from eie.host.protocol.lane_states import Stream

__all__ = ["StreamSteps"]

Codes = npt.NDArray[np.int16]


class StreamSteps:
    """A sequence that comes step by step; each call takes the next one.

    Parameters
    ----------
    network
        A recurrent one.
    step
        Takes a stream, None at first, and the codes of a step; gives the stream and outputs.
    """

    def __init__(
        self, network: Network, step: Callable[[Stream | None, Codes], tuple[Stream, Codes]]
    ) -> None:
        if not network.recurrent:
            raise InputError("stream must have a network with a recurrent layer; use run() here")
        self._network = network
        self._step = step
        self._stream: Stream | None = None
        self._count = 0

    def __call__(self, vector: npt.ArrayLike) -> npt.NDArray[Any]:
        """Take the next step, (inputs,), and give its outputs, (outputs,), of the same kind."""
        codes, real = check_step(self._network, vector, self._count)
        self._stream, outputs = self._step(self._stream, codes)
        self._count += 1
        return dequantize(outputs, self._network.output_frac) if real else outputs

    def each(self, vectors: Iterable[npt.ArrayLike]) -> Iterator[npt.NDArray[Any]]:
        """Give the outputs of each step before the next one is asked for."""
        return map(self, vectors)
