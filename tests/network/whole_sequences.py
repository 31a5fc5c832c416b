"""What sequences must give, each taken whole: by torch where it is, by a device alone on a board.

The images of PYNQ have no torch. There every sequence goes to a device of its own, in one run and
one lane, so that what the driver does with them (lanes, packets of a few steps, several calls) is
still compared with something that does none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.packer import pack
from eie.host.packing.run_tags import RunTags
from eie.host.protocol.client import Session

__all__ = ["Whole", "by_device", "by_torch", "whole_sequences"]

Codes = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Whole:
    """What sequences gave."""

    #: int16, for each sequence (steps, outputs).
    outputs: tuple[Codes, ...]
    #: Results of each layer that were saturated, over all steps.
    saturated: tuple[int, ...]


def whole_sequences(network: Network, design: Design, sequences: Sequence[Codes]) -> Whole:
    """Take each from a state of zero; where torch is, by torch."""
    if find_spec("torch") is None:
        return by_device(network, design, sequences)
    return by_torch(network, sequences)


def by_torch(network: Network, sequences: Sequence[Codes]) -> Whole:
    """By the integer reference."""
    from eie.host.compress.sequence_reference import SequenceReference

    results = SequenceReference(network)(sequences)
    return Whole(results.outputs, results.saturated)


def by_device(network: Network, design: Design, sequences: Sequence[Codes]) -> Whole:
    """By an emulated device for each, without a driver."""
    packed = pack(network, design)
    outputs, saturated = [], np.zeros(len(network.layers), np.int64)
    for sequence in sequences:
        session = Session(Emulator(design), packed)
        outputs.append(session.run(sequence, RunTags.of_sequence(len(sequence), start=True)))
        saturated += session.saturated
    return Whole(tuple(outputs), tuple(saturated.tolist()))
