"""What of an accelerated model's data goes into a package, to be run again on the board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from eie.host.flow.data import Data
from eie.host.flow.sequence_data import SequenceData
from eie.host.network import Network
from eie.host.network.sequence_codes import only_last

if TYPE_CHECKING:
    from eie.host.cut import HostParts

__all__ = ["packed_data"]

#: Test vectors of a package, at most; of sequences about so many steps.
_PACKED = 1024


def packed_data(data: Data, network: Network, host: HostParts | None) -> tuple[Any, Any]:
    """Give inputs and classes for a package; None for each that there is none of.

    There are no classes where the network's outputs are not those.
    """
    labels = data.labels
    if labels is not None and labels.dtype.kind != "i":
        labels = None
    if host is not None and (host.record.positions or host.behind is not None):
        labels = None
    if not isinstance(data, SequenceData):
        inputs = None if data.samples is None else data.samples[:_PACKED]
        return inputs, None if labels is None else labels[:_PACKED]
    if not data.sequences:
        return None, None
    ends = np.cumsum([len(each) for each in data.sequences])
    count = max(1, int(np.count_nonzero(ends <= _PACKED)))
    of_each: Any = labels
    if labels is not None and not only_last(network, None):
        of_each = np.split(labels, ends[:-1])
    return list(data.sequences[:count]), None if of_each is None else of_each[:count]
