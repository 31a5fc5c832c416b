"""Where held words lie: the parts of the accelerator's memory for what later layers take.

The memory is cut into *lanes*, one for each vector under way, all laid out alike. In a lane what
is held lies from the chain in which it arrives to the last chain that takes it; after that others
may lie there. The state of a recurrent layer is for the vector behind, and stays for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eie.hls.spec.packets import ACTIVATIONS_PER_WORD
from eie.host.network import INPUT, Network

__all__ = ["MAX_LANES", "MAX_STRIDE", "HeldMemory", "lay_out"]

#: A TAG's lane, and a vector's place in the control unit.
MAX_LANES = 16
#: Words of a lane are counted in 16 bits.
MAX_STRIDE = 1 << 16


@dataclass(frozen=True)
class HeldMemory:
    """The layout of one lane, and how many there are."""

    #: Lanes; 0 where no layer holds anything.
    lanes: int
    #: Words of a lane.
    stride: int
    #: First word in a lane by layer; INPUT for the network's input.
    bases: Mapping[int, int]


def lay_out(network: Network, held_words: int, abreast: int = 1) -> HeldMemory:
    """Lay out what the layers of `network` hold in a memory of `held_words` words.

    In a lane each of the `abreast` vectors of a group has words of its own, all laid out alike.
    As many lanes as there is room for, at most :data:`MAX_LANES`. One, if not even that fits:
    whether it does is for :func:`eie.host.packing.packer.pack` to say.
    """
    if not network.held:
        return HeldMemory(0, 0, {})
    lives = {giver: _life(network, giver) for giver in network.held}
    bases: dict[int, int] = {}
    # Longest lives first: what stays lies at the front, and the rest takes turns behind it.
    for giver in sorted(lives, key=lambda each: (-len(lives[each]), each)):
        taken = sorted(
            (bases[other], bases[other] + _words(network, other))
            for other in bases
            if _meet(lives[giver], lives[other])
        )
        base, size = 0, _words(network, giver)
        for start, stop in taken:
            if base + size <= start:
                break
            base = max(base, stop)
        bases[giver] = base
    stride = max(base + _words(network, giver) for giver, base in bases.items())
    return HeldMemory(max(1, min(MAX_LANES, held_words // (stride * abreast))), stride, bases)


def _words(network: Network, giver: int) -> int:
    width = network.inputs if giver == INPUT else network.layers[giver].results
    return -(-width // ACTIVATIONS_PER_WORD)


def _life(network: Network, giver: int) -> range:
    """Chains during which the words of `giver` are needed; all of them for a state."""
    chains = network.chains
    number = {index: place for place, chain in enumerate(chains) for index in chain}
    takers = [index for index, layer in enumerate(network.layers) if layer.source == giver]
    if giver in takers:
        return range(len(chains) + 1)
    # Results arrive while the next chain begins, and are written before it takes held words.
    arrives = 0 if giver == INPUT else number[giver] + 1
    return range(arrives, 1 + max(number[index] for index in takers))


def _meet(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop
